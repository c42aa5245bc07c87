"""The page of alerts in `docs/reference/`, and the files of `monitoring/`, both from the rules as data."""

import re
from collections.abc import Iterator, Mapping

from pages.markdown import page, table
from runbook.cli.issue import known_issues
from runbook.cli.rollout.plans import plan_named
from runbook.engine.monitoring.files import rule_files
from runbook.model.duration import in_words
from runbook.model.monitoring import AlertRule, RuleFile
from runbook.report.monitoring.folder import Wanted, monitoring_files

PLAN = "dual-memory"
_PLACEHOLDERS = (
    (re.compile(r"\{\{ with \$labels\.target \}\} --target \{\{ \. \}\}\{\{ end \}\}"), " --target TARGET"),
    (re.compile(r"\{\{ with \$labels\.node \}\}.*?\{\{ end \}\}"), "NODE"),
    (re.compile(r"\{\{ with printf .*?\{\{ end \}\}"), "LIMIT"),
    (re.compile(r"\{\{ printf .*?\}\}|\{\{ \$value[^}]*\}\}"), "VALUE"),
    (re.compile(r"\{\{ \$labels\.(\w+) \}\}"), r"\1"),
)


def files() -> Mapping[str, str]:
    """The files of `monitoring/`, for the plan that comes with the tool."""
    return monitoring_files(known_issues(), Wanted((plan_named(PLAN),)))


def alerts() -> str:
    """Every alert: when it fires, how bad it is, what to type."""
    said = (
        "The alerts of `monitoring/rules/`, which `runbook monitoring write` writes, for a rollout plan of one's own "
        "too. `critical` pages a person, `warning` is for the day, `info` stays in Prometheus. Each carries its "
        "command in the annotation `runbook`, with the labels `target` and `node` of the scrape. LIMIT hangs on the "
        "node's baseline, and without one on the absolute limit. How to load them: [monitor with "
        "Prometheus](../how-to/monitor-with-prometheus.md); what those about this tool ask: [the server](server.md)."
    )
    parts = [said]
    for file in rule_files(known_issues(), (plan_named(PLAN),)):
        if file.alerts:
            parts += [f"## {file.name.capitalize()}", file.about, *_sections(file)]
    return page("# Alerts", parts)


def _sections(file: RuleFile) -> Iterator[str]:
    names = dict.fromkeys(alert.name for alert in file.alerts)
    for name in names:
        same = [alert for alert in file.alerts if alert.name == name]
        yield f"### {name}"
        if len(same) > 1:
            yield from _many(same)
        else:
            yield from _one(same[0])


def _one(alert: AlertRule) -> Iterator[str]:
    yield f"*{alert.severity.value}*{_after(alert)}: {plain(alert.summary)}.\n\n{alert.description}"
    yield f"```sh\n{plain(alert.command)}\n```"


def _many(alerts: list[AlertRule]) -> Iterator[str]:
    first = alerts[0]
    yield f"*{first.severity.value}*{_after(first)}, one for each line:"
    rows = [(plain(each.summary), ", ".join(value for _, value in each.labels), each.description) for each in alerts]
    yield table(("fires when", "labels", "why"), rows)
    yield f"```sh\n{plain(first.command)}\n```"


def _after(alert: AlertRule) -> str:
    return f", after {in_words(alert.lasting)}" if alert.lasting else ""


def plain(text: str) -> str:
    """A text of an alert without Prometheus' placeholders."""
    for pattern, word in _PLACEHOLDERS:
        text = pattern.sub(word, text)
    return text
