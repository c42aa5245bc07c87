"""Results as lines for people."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from runbook.engine.apply import StepResult
from runbook.engine.carry import Carried
from runbook.engine.watch import Watched
from runbook.issues.high_formation_rate import RUNBOOK, SAMPLE_RATE
from runbook.model.answer import Answer
from runbook.model.finding import Change, Diagnosis, Finding, NodeDiagnosis, Plan, PlannedStep, Skipped
from runbook.model.measurement import Silence
from runbook.model.play import HostResult, HostState
from runbook.model.run import Run, RunPlan, RunStatus, RunStep
from runbook.report.diagnosis import diagnosis_lines, next_lines, plan_lines
from runbook.report.lines import Line, Style, shown
from runbook.report.run import carried_lines, next_steps, run_lines

STEP = RunStep(1, "Sample fewer concepts", "set_config", "restore_config", SAMPLE_RATE, ())
PLAN = RunPlan("run-1", "high-formation-rate --act", "high-formation-rate", "fleet", "why not", (STEP,), 60.0)


def text_of(lines: Iterable[Line]) -> str:
    """All of it, without styles."""
    return "\n".join(line.text for line in lines)


def finding(answer: Answer, node: str = "a") -> Finding:
    """One answer."""
    return Finding(node, "Concept formation spikes", answer, "412 concepts/min > 3 x baseline 96.0", "scrape", 412.0)


def node(name: str, answer: Answer, silence: Silence | None = None) -> NodeDiagnosis:
    """One node with one symptom."""
    return NodeDiagnosis(name, answer, (finding(answer, name),), (), silence)


def diagnosis(*nodes: NodeDiagnosis) -> Diagnosis:
    """Those nodes."""
    return Diagnosis(RUNBOOK.slug, "fleet", "scrape", 10.0, nodes)


@pytest.mark.parametrize("answer", Answer)
def test_a_diagnosis_says_its_verdict_first_and_its_arithmetic(answer: Answer) -> None:
    """On which target, from which source, over which window."""
    lines = list(diagnosis_lines(RUNBOOK, diagnosis(node("a", answer))))
    verdict = {Answer.YES: "PRESENT", Answer.NO: "not present", Answer.UNKNOWN: "UNKNOWN"}[answer]
    assert lines[0].text == f"High concept formation rate: {verdict} on fleet"
    text = text_of(lines)
    assert "source scrape, window 10 s, no baseline: absolute limits only" in text
    assert "412 concepts/min > 3 x baseline 96.0" in text
    assert (RUNBOOK.why in text) == (answer is Answer.YES)


def test_of_a_large_fleet_only_what_is_not_well_is_shown_in_full() -> None:
    """A silent node too."""
    nodes = [node(f"n{at}", Answer.NO) for at in range(9)] + [node("x", Answer.UNKNOWN, Silence("x", "refused"))]
    lines = list(diagnosis_lines(RUNBOOK, diagnosis(*nodes)))
    questions = [line for line in lines if "Concept formation spikes" in line.text]
    assert [line.text.split()[0] for line in questions] == ["UNKNOWN"]
    assert all(any(each.node in line.text for line in lines) for each in nodes)


def test_an_empty_fleet_is_unknown_and_no_crash() -> None:
    """Nothing is known of nothing."""
    assert "UNKNOWN" in next(iter(diagnosis_lines(RUNBOOK, diagnosis()))).text


def test_a_plan_says_what_changes_where_and_what_is_skipped_why() -> None:
    """With the risk and the way back."""
    step = RUNBOOK.steps[1]
    changes = (Change("a", SAMPLE_RATE, 0.5, 0.05), Change("b", SAMPLE_RATE, 0.1, 0.05))
    skipped = (Skipped(step.title, "c", "already at 0.01"), Skipped(step.title, "d", "already at 0.01"))
    text = text_of(plan_lines(Plan("x", (PlannedStep(2, step, changes, skipped),))))
    assert "2. Sample fewer concepts  (risk low)" in text
    assert f"a: {SAMPLE_RATE}  0.5 -> 0.05" in text
    assert f"b: {SAMPLE_RATE}  0.1 -> 0.05" in text
    assert "undo: restore_config" in text
    assert "skipped on c, d: already at 0.01" in text


def test_a_plan_without_a_change_promises_no_undo() -> None:
    """There is nothing to undo."""
    step = RUNBOOK.steps[-1]
    text = text_of(plan_lines(Plan("x", (PlannedStep(4, step, (), (Skipped(step.title, "c", "not there"),)),))))
    assert "undo:" not in text
    assert "--allow-disruptive" in text


@pytest.mark.parametrize(
    ("answer", "changes", "told"),
    [
        (Answer.NO, True, "Nothing to do."),
        (Answer.UNKNOWN, True, "It could not be told."),
        (Answer.YES, True, "To do it:  runbook x --act"),
        (Answer.YES, False, RUNBOOK.escalate),
    ],
)
def test_each_verdict_ends_with_what_to_type_next(answer: Answer, changes: bool, told: str) -> None:  # noqa: FBT001 - a case
    """The eye rests there."""
    assert told in text_of(next_lines(RUNBOOK, diagnosis(node("a", answer)), "runbook x", changes=changes))


@pytest.mark.parametrize("status", RunStatus)
def test_every_status_is_told_with_its_meaning_in_colour(status: RunStatus) -> None:
    """Good only where it is well."""
    carried = Carried(PLAN, status)
    (verdict,) = [line for line in carried_lines(carried, "call the owner") if line.text.startswith("Run run-1: ")]
    assert verdict.text == f"Run run-1: {status.value.upper()}"
    good = status in {RunStatus.RECOVERED, RunStatus.DONE, RunStatus.REVERTED}
    assert (verdict.spans[1][1] is Style.GOOD) == good
    assert (status.exit_code == 0) == good
    told = next_steps(carried, "call the owner")
    assert told or status in {RunStatus.DONE, RunStatus.OPEN, RunStatus.REVERTED}
    assert ("call the owner" in told) == (status is RunStatus.NOT_RECOVERED)


@pytest.mark.parametrize("state", HostState)
def test_every_state_of_a_host_is_told(state: HostState) -> None:
    """With the values, or with what went wrong."""
    host = HostResult("a", state, 0.5, 0.05, "the node hung up")
    text = text_of(carried_lines(Carried(PLAN, RunStatus.PARTIAL, (StepResult(STEP, (host,)),)), ""))
    assert state.value in text
    assert ("0.5 -> 0.05, read back" in text) == host.done
    assert ("the node hung up" in text) == (not host.done)


def test_what_was_put_back_is_told_apart_from_what_was_done() -> None:
    """The same step twice."""
    host = HostResult("a", HostState.CHANGED, 0.05, 0.5)
    text = text_of(carried_lines(Carried(PLAN, RunStatus.UNDONE, (), (StepResult(STEP, (host,), undone=True),)), ""))
    assert "put back: 1. Sample fewer concepts" in text


def test_a_watch_is_told_with_its_findings() -> None:
    """YES is good news here."""
    watched = Watched(Answer.YES, (finding(Answer.YES),), 21.4, 20.0)
    lines = list(carried_lines(Carried(PLAN, RunStatus.RECOVERED, watched=watched), ""))
    assert "Watched 21 s (must hold for 20 s)" in text_of(lines)
    assert next(line for line in lines if "412" in line.text).spans[0][1] is Style.GOOD


def test_runs_are_listed_with_reason_and_undo() -> None:
    """One line each, and the reason below."""
    run = Run(PLAN, "anna", "bastion", datetime(2026, 11, 22, tzinfo=UTC), (), RunStatus.RECOVERED, undone_by="run-2")
    text = text_of(run_lines([run, replace(run, plan=replace(PLAN, reason=""))]))
    assert "run-1  recovered" in text
    assert "undone by run-2" in text
    assert text.count("reason: why not") == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "?"), (True, "true"), (False, "false"), (1, "1"), (1.0, "1"), (0.05, "0.05"), ("x", "x"), ((), "(none)"),
        (("a", "b"), "a,b"),
    ],
)  # fmt: skip
def test_a_value_is_shown_as_it_is_typed(value: object, text: str) -> None:
    """A boolean is not Python's."""
    assert shown(value) == text  # type: ignore[arg-type]  # one list of cases of every type
