"""From a diagnosis to a plan, and from a plan to a run."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.engine.history import details_of, plan_of
from runbook.engine.incident import ActOptions, run_plan
from runbook.engine.plan import make_plan
from runbook.issues import memory_leak
from runbook.issues.high_formation_rate import CLUSTER_SIZE, CONCEPTS, RUNBOOK, SAMPLE_RATE, THRESHOLD
from runbook.model.answer import Answer
from runbook.model.finding import Change, Diagnosis, Finding, NodeDiagnosis, Plan
from runbook.model.measurement import Baseline, NodeBaseline, NodeSettings, Silence
from runbook.model.quantity import Below
from runbook.model.risk import Risk
from runbook.model.settings import Value, defaults

SICK: dict[str, Value] = {THRESHOLD: 0.2, SAMPLE_RATE: 0.5, CLUSTER_SIZE: 2, CONCEPTS: True}
OPTIONS = ActOptions("run-1", "high-formation-rate --act", "why", timedelta(minutes=30), allow_disruptive=True)


def diagnosis(**present: Answer) -> Diagnosis:
    """Nodes on which the issue is present, or not."""
    nodes = tuple(NodeDiagnosis(name, answer, (), ()) for name, answer in present.items())
    return Diagnosis(RUNBOOK.slug, "fleet", "test", 10.0, nodes)


def planned(settings: NodeSettings, baseline: Baseline | None = None, present: Answer = Answer.YES) -> Plan:
    """The plan for these nodes, all of them sick unless said otherwise."""
    return make_plan(RUNBOOK, diagnosis(**dict.fromkeys(settings, present)), settings, baseline)


def changes(plan: Plan) -> list[Change]:
    """All of them, in order."""
    return [change for step in plan.steps for change in step.changes]


def test_every_step_has_its_old_and_new_value_on_every_sick_node() -> None:
    """In the order of the runbook."""
    assert changes(planned({"a": SICK})) == [
        Change("a", THRESHOLD, 0.2, 0.65),
        Change("a", SAMPLE_RATE, 0.5, 0.05),
        Change("a", CLUSTER_SIZE, 2, 5),
        Change("a", CONCEPTS, old=True, new=False),
    ]


@pytest.mark.parametrize(
    ("present", "reason"),
    [(Answer.NO, "the issue is not present there"), (Answer.UNKNOWN, "it is not known whether it is present")],
)
def test_nodes_that_are_not_known_to_be_sick_are_left_alone(present: Answer, reason: str) -> None:
    """With the reason."""
    plan = planned({"a": SICK}, present=present)
    assert changes(plan) == []
    assert {skipped.reason for step in plan.steps for skipped in step.skipped} == {reason}


def test_settings_that_are_not_known_are_not_changed() -> None:
    """There would be nothing to put back."""
    plan = planned({"a": Silence("a", "refused"), "b": {THRESHOLD: 0.2}})
    assert changes(plan) == [Change("b", THRESHOLD, 0.2, 0.65)]
    reasons = {(skipped.node, skipped.reason) for step in plan.steps for skipped in step.skipped}
    assert ("a", "its settings could not be read") in reasons
    assert ("b", f"it has no setting {CLUSTER_SIZE}") in reasons
    assert make_plan(RUNBOOK, diagnosis(a=Answer.YES), {}, None).risk is Risk.LOW


@pytest.mark.parametrize(("before", "new"), [(None, 0.65), (0.9, 0.9), (0.3, 0.3), (0.2, None), (0.1, None)])
def test_the_threshold_goes_back_to_the_baseline(before: float | None, new: float | None) -> None:
    """Up only: where the baseline is not above it, it stays."""
    known = None
    if before is not None:
        node = NodeBaseline({}, {THRESHOLD: before})
        known = Baseline("fleet", datetime(2026, 1, 1, tzinfo=UTC), 10.0, {"a": node})
    found = [change.new for change in changes(planned({"a": SICK}, known)) if change.key == THRESHOLD]
    assert found == ([] if new is None else [new])


@given(some.floats(0, 1), some.floats(0, 1), some.integers(2, 100), some.booleans())
def test_a_plan_carried_out_leaves_nothing_to_plan(threshold: float, rate: float, size: int, concepts: bool) -> None:  # noqa: FBT001 - drawn
    """Idempotent, and never past where the runbook wants it."""
    settings: dict[str, Value] = {THRESHOLD: threshold, SAMPLE_RATE: rate, CLUSTER_SIZE: size, CONCEPTS: concepts}
    after = settings | {change.key: change.new for change in changes(planned({"a": settings}))}
    assert changes(planned({"a": after})) == []
    assert after[THRESHOLD] == max(threshold, 0.65)
    assert after[SAMPLE_RATE] == min(rate, 0.05)
    assert after[CLUSTER_SIZE] == max(size, 5)


def test_every_node_is_in_every_step_once() -> None:
    """Changed or skipped with a reason."""
    plan = planned({"a": SICK, "b": defaults(), "c": Silence("c", "x")})
    for step in plan.steps:
        assert sorted([*step.nodes, *(skipped.node for skipped in step.skipped)]) == ["a", "b", "c"]
        assert all(skipped.reason for skipped in step.skipped)


def test_a_run_leaves_out_steps_that_change_nothing_and_counts_from_one() -> None:
    """Its numbers are its own: the journal refers to them."""
    plan = planned({"a": SICK | {THRESHOLD: 0.7}})
    run = run_plan(plan, "fleet", plan.steps, OPTIONS)
    assert [(step.index, step.key) for step in run.steps] == [(1, SAMPLE_RATE), (2, CLUSTER_SIZE), (3, CONCEPTS)]
    assert [step.emergency for step in run.steps] == [False, False, True]
    assert run.watch_seconds == 1800
    assert run_plan(plan, "fleet", [], OPTIONS).steps == ()


def test_the_watch_of_a_leak_asks_for_the_lowest_limit_that_the_node_was_above() -> None:
    """By node: 500 over three hours here, and none of its own where another symptom is what makes it sick."""
    name = "growth_per_hour(process_resident_memory_bytes)"

    def leaking(node: str, answer: Answer, limit: float | None) -> NodeDiagnosis:
        return NodeDiagnosis(node, Answer.YES, (Finding(node, "it grows", answer, "", "test", 600.0, limit),), ())

    nodes = (leaking("a", Answer.YES, 500.0), leaking("b", Answer.NO, 1000.0), leaking("c", Answer.UNKNOWN, None))
    diagnosed = Diagnosis(memory_leak.RUNBOOK.slug, "fleet", "test", 10.0, nodes)
    plan = make_plan(memory_leak.RUNBOOK, diagnosed, {each.node: defaults() for each in nodes}, None)
    assert plan.limits == {"a": {name: 500.0}}
    run = run_plan(plan, "fleet", plan.steps, OPTIONS)
    assert plan_of(json.loads(json.dumps(details_of(run)))).limits == plan.limits, "whoever resumes it watches for it"
    verify = replace(memory_leak.RUNBOOK.verify, limits=run.limits)
    for node, limit in (("a", 500.0), ("b", 1000.0)):
        (condition,) = verify.expected_of(node)
        assert isinstance(condition, Below)
        assert (condition.quantity.name, condition.limit) == (name, limit)


def test_the_risk_of_a_plan_is_that_of_its_ordinary_steps() -> None:
    """The emergency is asked about by itself."""
    plan = planned({"a": SICK})
    assert plan.risk is Risk.LOW
    assert [step.step.risk for step in plan.emergency] == [Risk.DISRUPTIVE]
