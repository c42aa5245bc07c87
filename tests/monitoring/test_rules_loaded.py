"""The rules are loaded, not described: promtool takes them, and their tests hold, for any plan and any text in it."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from console_state import make_state
from promtool import checked, cut, proofs_of, rules_of

from runbook.adapters.published import publish
from runbook.adapters.rollout_plans import read_plan
from runbook.cli.root import run
from runbook.report.monitoring.folder import Wanted, monitoring_files

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
    ("file", "proof", "old", "new"),
    [
        ("rollout", ("tripwire", "Gross damage in the treatment group"), ":errors_low > 0.01", ":errors_low > 0.9"),
        (
            "runbook",
            ("runbook", "A watch that is silent, only while a rollout is under way"),
            "\n          and on (target) (engram_runbook_rollout_under_way == 1)",
            "",
        ),
        (
            "runbook",
            ("runbook", "serve is gone: what it told last counts"),
            "\n          unless on (target) engram_runbook_rollout_under_way\n",
            "\n",
        ),
        (
            "nodes",
            ("nodes", "No node is scraped: silence is no health"),
            'absent(up{job=\\"engram\\"})',
            'up{job=\\"nothing\\"}',
        ),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_the_proofs_of_the_rules_can_fail(
    tmp_path: Path, file: str, proof: tuple[str, str], old: str, new: str
) -> None:
    """A limit that is another one, a watch that is silent though nothing is under way, an absence that is not seen."""
    shutil.copytree(OURS, tmp_path / "m")
    rules = tmp_path / "m" / "rules" / f"{file}.yml"
    text = rules.read_text(encoding="utf-8")
    assert old in text
    rules.write_text(text.replace(old, new, 1), encoding="utf-8")
    test = cut(rules.parent / "tests" / f"{proof[0]}.yml", proof[1])
    assert "FAILED" in checked("promtool", "test", "rules", test, good=False)


def test_the_examples_of_configurations_are_valid() -> None:
    """Prometheus' and Alertmanager's own checks."""
    checked("promtool", "check", "config", OURS / "prometheus.yml")
    checked("amtool", "check-config", OURS / "alertmanager.yml")


MILD = """\
version: 1
name: mild
title: Half of the recalls may fail
phases:
  - name: ramp
    title: The same phase as that of the other plan
    flags: {dual_memory.enabled: true}
    triggers:
      - title: Recalls fail
        when: {above: 50, of: {metric: engram_recall_errors_total, how: part, whole: engram_recall_total}}
    tripwire: {errors: 0.5, latency_ratio: 3, window: 10s, fewest: 50}
"""


def test_plans_of_ones_own_have_rules_that_hold_each_for_its_targets(tmp_path: Path, capsys: Output) -> None:
    """Other windows, other quantities, conditions that the plan that comes with the tool does not have; two at once."""
    (tmp_path / "mild.yml").write_text(MILD)
    plans = ("--plan", str(tmp_path / "mild.yml"), "--plan", str(EVERY_KEY))
    assert run(["monitoring", "write", str(tmp_path), *plans, "--scrape-interval", "2s"]) == 0
    assert "plans mild, every-key" in capsys.readouterr().out
    checked("promtool", "check", "rules", *rules_of(tmp_path))
    folder = without_issues(tmp_path / "m", tmp_path / "mild.yml", EVERY_KEY)
    files = [each for each in proofs_of(folder) if each.stem in {"alerts", "tripwire"}]
    order = yaml.safe_load(files[0].read_text())["group_eval_order"]
    (tmp_path / "apart.yml").write_text(json.dumps(told_apart(folder / "rules", order)))  # JSON is YAML
    checked("promtool", "test", "rules", *files, tmp_path / "apart.yml")


def without_issues(folder: Path, *plans: Path) -> Path:
    """The files of these plans alone, scraped every 2 s: the issues' own are the same in every folder, and proven."""
    wanted = Wanted(tuple(map(read_plan, plans)), timedelta(seconds=2))
    publish(folder, monitoring_files((), wanted))
    return folder


def told_apart(rules: Path, order: list[str]) -> dict[str, Any]:
    """A tenth of the recalls fails where the name says so, and nine of ten elsewhere."""
    fires = {
        "every-key, a tenth": ("RolloutRecallsFail", "RolloutTripwireErrors"),
        "every-key": ("RolloutRecallsFail", "RolloutTripwireErrors"),
        "mild, a tenth": (),
        "mild": ("RecallsFail", "RolloutTripwireErrors"),
        "another": ("RecallsFail", "RolloutPlanUnknown"),
        "nothing": ("RecallsFail",),
    }
    given, samples = [], []
    for target, alerts in fires.items():
        plan, failing = target.partition(",")[0], 100 if "," in target else 900
        labels = f'job="engram",target="{target}",instance="i",group="treatment"'
        given += [(f"engram_recall_total{{{labels}}}", 1000), (f"engram_recall_errors_total{{{labels}}}", failing)]
        if plan != "nothing":
            stage = f'target="{target}",plan="{plan}",phase="ramp"'
            given += [(f"engram_runbook_rollout_stage_info{{{stage}}}", 0)]
            given += [(f'engram_runbook_rollout_under_way{{target="{target}"}}', 0)]
        for alert in alerts:
            by = f',plan="{plan}"' if alert.startswith("Rollout") else ""
            samples.append({"labels": f'{{alertname="{alert}",target="{target}"{by}}}', "value": 1})
    asked = 'count by (alertname, target, plan) (ALERTS{alertstate="firing",issue=~"fleet|rollout"})'
    return {
        "rule_files": [str(rules / f"{name}.yml") for name in ("recording", "rollout")],
        "evaluation_interval": "5s",
        "group_eval_order": order,
        "tests": [
            {
                "interval": "5s",
                "input_series": [{"series": name, "values": f"1+{rise}x96"} for name, rise in given],
                "promql_expr_test": [{"expr": asked, "eval_time": "8m", "exp_samples": samples}],
            }
        ],
    }


def test_two_plans_of_one_name_are_refused(tmp_path: Path, capsys: Output) -> None:
    """Nobody could tell whose limits are meant; the same one twice is one."""
    (tmp_path / "mild.yml").write_text(MILD)
    (tmp_path / "other.yml").write_text(MILD.replace("above: 50", "above: 60"))
    words = ["monitoring", "write", str(tmp_path / "m"), "--plan", str(tmp_path / "mild.yml"), "--plan"]
    assert run([*words, str(tmp_path / "other.yml")]) == 2
    assert "'mild'" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()
    assert run([*words, str(tmp_path / "mild.yml")]) == 0


def test_rollouts_that_are_under_way_bring_their_plans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """As the journal has them, by whatever file they were started."""
    monkeypatch.setenv("RUNBOOK_STATE", str(make_state(tmp_path / "state")))
    assert run(["monitoring", "write", str(tmp_path / "m"), "--under-way", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["plans"] == ["dual-memory", "rehearsal"]


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
    folder = without_issues(tmp_path / "n", tmp_path / "plan.yml")
    checked("promtool", "test", "rules", folder / "rules" / "tests" / "alerts.yml")
