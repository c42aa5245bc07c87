"""`runbook abtest simulate`: what is on record decides, no node need answer for it; no data is no yes."""

from datetime import timedelta
from pathlib import Path

from command_line import Output, complaint, document
from recorded_rows import HOUR, recorded_rows

from runbook.adapters.cell_store import FileCellStore
from runbook.adapters.rollout_plans import plan_yaml
from runbook.cli.root import run
from runbook.model.cells import NodeCells
from runbook.model.judgement import Guardrail, Metric
from runbook.model.rollout import Judging, Phase, RolloutPlan


def record(state: Path, target: str) -> None:
    """A day and a half of a hundred spaces, by the hour."""
    rows = tuple(recorded_rows(spaces=100, buckets=36, recalls=5))
    FileCellStore(state, target).add([NodeCells("node-1", HOUR, rows)])


def test_each_judged_stage_is_foreseen_by_what_is_on_record(target: Path, state: Path, capsys: Output) -> None:
    """One space in a hundred decides nothing, half of them do; the node is dead, and that is told."""
    record(state, "gone")
    data = document(capsys, "abtest", "simulate", "--target", "gone", "--runs", "20", expect=4)["data"]
    stages = {stage["stage"]: stage for stage in data["stages"]}
    assert list(stages) == ["canary", "gradual-5%", "gradual-25%", "gradual-50%"]
    assert not stages["canary"]["decides"]
    assert stages["canary"]["few"]
    assert stages["canary"]["guardrails"][0]["safe_after_seconds"] is None
    latency = stages["gradual-50%"]["guardrails"][0]
    assert (latency["metric"], latency["harm"]) == ("latency", 1.0)
    assert data["record"]["spaces"] == 100
    assert data["decides"] is False
    assert any("gone-1 was not heard" in told for told in data["told"])
    assert run(["abtest", "simulate", "--target", "gone", "--runs", "20"]) == 4
    told = capsys.readouterr().out
    assert "canary: cannot decide" in told
    assert "fewer than 30 spaces in an arm" in told


def test_without_a_record_nothing_is_foreseen(target: Path, capsys: Output) -> None:
    """A node that has served nobody is no answer (4); one that does not answer is unreachable (10)."""
    data = document(capsys, "abtest", "simulate", expect=4)["data"]
    assert (data["decides"], data["record"], data["stages"]) == (None, None, [])
    assert complaint(capsys, "abtest", "simulate", "--target", "gone", expect=10)["hint"]


def test_a_plan_whose_every_judged_stage_can_decide_is_0(
    target: Path, state: Path, tmp_path: Path, capsys: Output
) -> None:
    """A plan of one's own, half of the spaces for two days; one that is not there is a usage error."""
    record(state, "gone")
    judging = Judging((Guardrail(Metric.LATENCY, 0.10),), look_every=timedelta(days=1))
    phase = Phase("half", "Half", "", {}, shares=(0.5,), hold=timedelta(days=2), judging=judging)
    path = tmp_path / "plan.yml"
    path.write_text(plan_yaml(RolloutPlan("mine", "Mine", (phase,), approve_plan=False)))
    words = ("abtest", "simulate", "--target", "gone", "--runs", "20", "--plan")
    data = document(capsys, *words, str(path))["data"]
    assert (data["decides"], data["plan"], data["stages"][0]["all_safe"]) == (True, "mine", 1.0)
    assert complaint(capsys, *words, "no-such-plan", expect=2)["hint"]
