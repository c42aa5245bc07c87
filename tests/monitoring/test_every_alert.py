"""Every symptom, trigger, tripwire and criterion has its alert, and every alert says what to do."""

import json
import re
from functools import cache
from itertools import takewhile
from pathlib import Path

import click
import pytest
import yaml

from runbook.adapters.alerts import read_alerts
from runbook.cli.issue import known_issues
from runbook.cli.rollout.plans import plan_named
from runbook.cli.root import cli
from runbook.engine.alerts import understood
from runbook.engine.monitoring.triggers import every_criterion, every_trigger
from runbook.model.contract import METRICS
from runbook.model.quantity import Reported
from runbook.model.served import ALL

ROOT = Path(__file__).resolve().parents[2]
FILES = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / "monitoring" / "rules").glob("*.yml")}
RULES = [rule for file in FILES.values() for group in file["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
IDS = [f"{rule['alert']}-{index}" for index, rule in enumerate(ALERTS)]
PLAN = plan_named("dual-memory")
ANYWHERE = {"job", "instance", "target", "node"}
_NAME = re.compile(r"\b((?:engram[_:]|process_|python_)[a-z0-9_:]*|up|ALERTS)\b(?:\{([^}]*)\})?")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


def names_in(expr: str) -> dict[str, set[str]]:
    """The series of an expression, with the labels that each is selected by."""
    found: dict[str, set[str]] = {}
    bare = re.sub(r"label_replace\((?:last_over_time\()?(\w+)[^)]*\)", r"\1", _TEXT.sub('""', expr))
    bare = re.sub(r"\b(?:by|on|ignoring|group_left|without) \([^)]*\)", "", bare)
    for name, inside in _NAME.findall(bare):
        found.setdefault(name, set()).update(re.findall(r"(\w+)\s*[=!]", inside))
    return found


@cache
def places_of(page: str) -> set[str]:
    """The headings of a page, as addresses name them."""
    headings = re.findall(r"^#+ (.*)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def known_names() -> dict[str, set[str]]:
    """What is exported or recorded, with its labels."""
    of_nodes = {name: {*each.labels, "le"} for each in METRICS.values() for name in each.series}
    ours = {each.full_name: set(each.labels) for each in ALL}
    recorded: dict[str, set[str]] = {}
    for rule in RULES:
        if "record" in rule:
            recorded.setdefault(rule["record"], {"of", "quantity", "plan", "phase", "group"})
    prometheus: dict[str, set[str]] = {"up": set(), "ALERTS": {"alertstate", "alertname", "severity"}}
    return {name: labels | ANYWHERE for name, labels in {**of_nodes, **ours, **recorded, **prometheus}.items()}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_it_asks_only_what_is_exported_or_recorded(rule: dict[str, str]) -> None:
    """Metrics and labels: a name that nobody exports would never fire."""
    known = known_names()
    asked = names_in(rule["expr"])
    assert asked
    assert asked.keys() <= known.keys()
    assert {name: labels - known[name] for name, labels in asked.items() if labels - known[name]} == {}


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "monitoring" / "dashboards").glob("*.json")))
def test_no_panel_asks_for_what_nobody_exports(name: str) -> None:
    """`test_dashboards` asks a real Prometheus; this says it by name."""
    dashboard = json.loads((ROOT / "monitoring" / "dashboards" / f"{name}.json").read_text("utf-8"))
    exprs = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert len(exprs) >= 8
    known = known_names()
    for expr in exprs:
        asked = names_in(expr)
        assert asked.keys() <= known.keys(), expr
        assert all(labels <= known[name] for name, labels in asked.items()), expr


@pytest.mark.parametrize("alert", ALERTS, ids=IDS)
def test_it_says_how_bad_it_is_and_what_to_type(alert: dict[str, dict[str, str]]) -> None:
    """The command exists, with all that it must be given, and takes the target where it has one; the page exists."""
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert alert["labels"]["issue"]
    said = alert["annotations"]
    assert said["summary"]
    assert said["description"]
    page, _, place = said["runbook_url"].partition("#")
    assert not place or place in places_of(page)
    words, _, target = said["runbook"].partition("{{")
    _, *rest = words.split()
    path = list(takewhile(lambda word: re.fullmatch("[a-z][a-z-]*", word), rest))
    found: click.Command = cli
    for word in path:
        assert isinstance(found, click.Group), said["runbook"]
        child = found.get_command(click.Context(found), word)
        assert child is not None, said["runbook"]
        found = child
    assert not isinstance(found, click.Group)
    takes = any("--target" in option for parameter in found.params for option in parameter.opts)
    assert takes or not target, said["runbook"]
    places = [each for each in found.params if isinstance(each, click.Argument) and each.required]
    given, options = [[each for each in rest[len(path) :] if each.startswith("--") is named] for named in (False, True)]
    assert len(given) == len(places), said["runbook"]
    assert set(options) <= {option for parameter in found.params for option in parameter.opts}


def test_every_symptom_that_a_metric_tells_has_its_alert() -> None:
    """What only people know has none."""
    symptoms = [symptom for issue in known_issues() for symptom in issue.symptoms]
    told = {symptom.alert for symptom in symptoms if not isinstance(symptom.condition, Reported)}
    assert told <= {alert["alert"] for alert in ALERTS}
    assert "" not in told


def test_every_trigger_tripwire_and_criterion_has_its_alert() -> None:
    """By the words of the plan."""
    summaries = [str(alert["annotations"]["summary"]) for alert in ALERTS]
    for trigger in every_trigger(PLAN):
        assert any(summary.startswith(f"{trigger.title} on") and "watch" in summary for summary in summaries)
    criteria = [alert["labels"].get("criterion") for alert in ALERTS if alert["alert"] == "RolloutGateClosed"]
    assert criteria == [each.title for each in every_criterion(PLAN)]
    assert {"RolloutTripwireErrors", "RolloutTripwireLatency"} <= {str(alert["alert"]) for alert in ALERTS}


def test_diagnose_understands_every_alert_of_an_issue(tmp_path: Path) -> None:
    """By its name, and by its label; and takes none of the others for one."""
    slugs = {issue.slug for issue in known_issues()}
    for alert in ALERTS:
        labels = {"alertname": alert["alert"], **alert["labels"]}
        file = tmp_path / "alerts.json"
        row = {"status": "firing", "labels": labels, "annotations": alert["annotations"]}
        file.write_text(json.dumps([row]), encoding="utf-8")
        (found,) = understood(read_alerts(file), known_issues(), ())
        assert found.issue == (labels["issue"] if labels["issue"] in slugs else "")
