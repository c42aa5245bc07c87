"""The rules are loaded, not described: promtool takes them, and their tests hold, for any plan and any text in it."""

import json
import shutil
from pathlib import Path

import pytest
from promtool import checked, proofs_of, rules_of

from runbook.cli.root import run

Output = pytest.CaptureFixture[str]
ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "monitoring"
REHEARSAL = ROOT / "docs" / "examples" / "rehearsal.yml"
EVERY_KEY = ROOT / "tests" / "material" / "plans" / "valid" / "every_key.yml"


def test_the_files_are_in_step_with_the_code(capsys: Output) -> None:
    """`runbook monitoring write monitoring` would write nothing."""
    assert run(["monitoring", "write", str(OURS), "--check"]) == 0, capsys.readouterr().out


def test_promtool_takes_the_rules() -> None:
    """Every file."""
    assert "FAILED" not in checked("promtool", "check", "rules", *rules_of(OURS))


def test_every_alert_fires_when_it_should_and_not_before() -> None:
    """Above and long enough; below; too short; a restart; no data; a silent watch; with a baseline and without one."""
    checked("promtool", "test", "rules", *proofs_of(OURS))


@pytest.mark.parametrize(
    ("file", "test", "old", "new"),
    [
        ("rollout", "tripwire", ":errors_low > 0.01", ":errors_low > 0.9"),
        ("runbook", "runbook", "\n          and on (target) (engram_runbook_rollout_under_way == 1)", ""),
        ("nodes", "nodes", 'absent(up{job=\\"engram\\"})', 'up{job=\\"nothing\\"}'),
    ],
)
def test_the_proofs_of_the_rules_can_fail(tmp_path: Path, file: str, test: str, old: str, new: str) -> None:
    """A limit that is another one, a watch that is silent though nothing is under way, an absence that is not seen."""
    shutil.copytree(OURS, tmp_path / "m")
    rules = tmp_path / "m" / "rules" / f"{file}.yml"
    text = rules.read_text(encoding="utf-8")
    assert old in text
    rules.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert "FAILED" in checked("promtool", "test", "rules", rules.parent / "tests" / f"{test}.yml", good=False)


def test_the_examples_of_configurations_are_valid() -> None:
    """Prometheus' and Alertmanager's own checks."""
    checked("promtool", "check", "config", OURS / "prometheus.yml")
    checked("amtool", "check-config", OURS / "alertmanager.yml")


def test_a_plan_of_ones_own_has_rules_that_hold(tmp_path: Path, capsys: Output) -> None:
    """Other windows, other quantities, conditions that the plan that comes with the tool does not have."""
    assert run(["monitoring", "write", str(tmp_path), "--plan", str(EVERY_KEY), "--scrape-interval", "2s"]) == 0
    assert "written" in capsys.readouterr().out
    checked("promtool", "check", "rules", *rules_of(tmp_path))
    checked("promtool", "test", "rules", *(each for each in proofs_of(tmp_path) if each.stem in {"alerts", "tripwire"}))


def test_a_tripwire_of_seconds_is_asked_over_seconds(tmp_path: Path, capsys: Output) -> None:
    """The plan of the rehearsal, where Prometheus scrapes every second."""
    assert run(["monitoring", "write", str(tmp_path), "--plan", str(REHEARSAL), "--scrape-interval", "1s"]) == 0
    capsys.readouterr()
    checked("promtool", "check", "rules", *rules_of(tmp_path))
    checked("promtool", "test", "rules", tmp_path / "rules" / "tests" / "tripwire.yml")


def test_no_text_of_a_plan_breaks_out_of_its_place(tmp_path: Path, capsys: Output) -> None:
    """Quotes, braces, line breaks, YAML: a plan's words are words."""
    hostile = "\"}} {{ $labels.nothing }} ' \\ {{ end }}\\n  - alert: Evil\\u2028 # %s"
    part = {"title": hostile, "why": hostile}
    confidence = {"metric": "engram_recall_confidence", "how": "mean", "unit": '"}} {{ \n'}
    formed = {"metric": "engram_concepts_formed_total", "how": "rate_per_minute", "labels": {"space": hostile}}
    phase = {
        "name": "shadow",
        "title": "t",
        "flags": {"dual_memory.enabled": True},
        "criteria": [{**part, "when": {"settles": 1.1, "floor": 0.01, "of": confidence}}],
        "triggers": [{**part, "when": {"above": 1, "of": formed}}],
    }
    plan = json.dumps({"version": 1, "name": "hostile", "title": "t", "phases": [phase]})  # JSON is YAML
    (tmp_path / "plan.yml").write_text(plan, encoding="utf-8")
    assert run(["monitoring", "write", str(tmp_path / "m"), "--plan", str(tmp_path / "plan.yml")]) == 0
    capsys.readouterr()
    checked("promtool", "check", "rules", *rules_of(tmp_path / "m"))
    checked("promtool", "test", "rules", tmp_path / "m" / "rules" / "tests" / "alerts.yml")
