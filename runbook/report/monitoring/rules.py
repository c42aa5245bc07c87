"""A file of rules as YAML. JSON texts are YAML's double-quoted scalars, so that every text is quoted as it is."""

import json
import textwrap
from collections.abc import Iterator, Mapping

from runbook.engine.monitoring.promql import span
from runbook.model.monitoring import AlertRule, Recording, RuleFile, RuleGroup

WIDTH = 112
MADE = "Written by `runbook monitoring write`; do not edit."


def rules_text(file: RuleFile, docs: str) -> str:
    """The file; `docs` is what the addresses of pages begin with."""
    lines = [*comment(MADE), *comment(file.about), "groups:"]
    for group in file.groups:
        if group.recordings or group.alerts:
            lines += _group(group, docs)
    return "\n".join(lines) + "\n"


def comment(text: str, indent: str = "") -> list[str]:
    """The text as comments, folded."""
    return [f"{indent}# {line}" for line in textwrap.wrap(text, WIDTH - len(indent))]


def quoted(text: str) -> str:
    """A text as YAML."""
    return json.dumps(text, ensure_ascii=False)


def mapping(pairs: Mapping[str, str], indent: str) -> list[str]:
    """Names and texts, one a line."""
    return [f"{indent}{name}: {quoted(value)}" for name, value in pairs.items()]


def _group(group: RuleGroup, docs: str) -> Iterator[str]:
    yield f"  - name: {quoted(group.name)}"
    if group.every is not None:
        yield f"    interval: {span(group.every)}"
    yield "    rules:"
    for recording in group.recordings:
        yield from _recording(recording)
    for alert in group.alerts:
        yield from _alert(alert, docs)


def _recording(recording: Recording) -> Iterator[str]:
    yield from comment(recording.note, "      ")
    yield f"      - record: {recording.record}"
    yield from _expr(recording.expr)
    if recording.labels:
        yield "        labels:"
        yield from mapping(dict(recording.labels), "          ")


def _alert(alert: AlertRule, docs: str) -> Iterator[str]:
    yield from comment(alert.note, "      ")
    yield f"      - alert: {alert.name}"
    yield from _expr(alert.expr)
    if alert.lasting:
        yield f"        for: {span(alert.lasting)}"
    yield "        labels:"
    yield from mapping(alert.all_labels, "          ")
    yield "        annotations:"
    said = {"summary": alert.summary, "description": alert.description, "runbook": alert.command}
    yield from mapping({**said, "runbook_url": f"{docs}{alert.page}"}, "          ")


def _expr(expr: str) -> Iterator[str]:
    lines = expr.split("\n")
    if len(lines) == 1:
        yield f"        expr: {quoted(expr)}"
        return
    yield "        expr: |-"
    yield from (f"          {line}" for line in lines)
