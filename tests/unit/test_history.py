"""The journal folded into runs, and plans through real JSON and back."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.adapters.journal.redaction import clean
from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.journal import MemoryJournal
from runbook.engine.apply import outcome_details
from runbook.engine.history import details_of, plan_of, runs_of
from runbook.errors import DamagedError, ExitCode
from runbook.model.finding import Change
from runbook.model.journal import Event
from runbook.model.play import HostResult, HostState
from runbook.model.run import Run, RunPlan, RunStatus, RunStep, StepState
from runbook.model.settings import CATALOGUE, Setting, Type, Value

plain_text = some.text(some.characters(categories=["L", "N", "Zs"]), max_size=12)
NODES = ("a", "b", "c")
RATE = "dual_memory.concept_sample_rate"
STEPS = tuple(
    RunStep(
        index, f"step {index}", "set_config", "restore_config", RATE, tuple(Change(n, RATE, 0.5, 0.05) for n in NODES)
    )
    for index in (1, 2)
)
PLAN = RunPlan("run-1", "high-formation-rate --act", "high-formation-rate", "fleet", "why", STEPS, 60.0)


def values_of(setting: Setting) -> some.SearchStrategy[Value]:
    """Every value that the setting can have."""
    match setting.type:
        case Type.NUMBER:
            return some.floats(setting.minimum, setting.maximum)
        case Type.INTEGER:
            return some.integers(int(setting.minimum or 0), int(setting.maximum or 0))
        case Type.BOOLEAN:
            return some.booleans()
        case Type.TEXT:
            return plain_text
        case Type.LIST:
            return some.lists(plain_text, max_size=3).map(tuple)


@some.composite
def steps(draw: some.DrawFn) -> RunStep:
    """Any step of any setting."""
    setting = draw(some.sampled_from(list(CATALOGUE.values())))
    changes = draw(
        some.lists(
            some.builds(Change, plain_text, some.just(setting.key), values_of(setting), values_of(setting)), max_size=3
        )
    )
    return RunStep(
        draw(some.integers(1, 99)),
        draw(plain_text),
        "set_config",
        "restore_config",
        setting.key,
        tuple(changes),
        emergency=draw(some.booleans()),
    )


plans = some.builds(
    RunPlan,
    plain_text,
    plain_text,
    plain_text,
    plain_text,
    plain_text,
    some.lists(steps(), max_size=3).map(tuple),
    watch_seconds=some.floats(0, 1e6),
    allow_disruptive=some.booleans(),
    undoes=plain_text,
)


@given(plans)
def test_a_plan_comes_back_from_the_journal_as_it_was(plan: RunPlan) -> None:
    """Types too: a tuple is a tuple again, a whole float is no integer."""
    through = orjson.loads(orjson.dumps(clean(details_of(plan))))
    back = plan_of(through)
    assert back == plan
    for before, after in zip(plan.steps, back.steps, strict=True):
        for one, other in zip(before.changes, after.changes, strict=True):
            assert type(one.old) is type(other.old)
            assert type(one.new) is type(other.new)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plan: plan.pop("steps"),
        lambda plan: plan.pop("id"),
        lambda plan: plan.update(colour="red"),
        lambda plan: plan.update(steps=None),
        lambda plan: plan.update(steps=[{}]),
        lambda plan: plan["steps"][0].update(key="dual_memory.nonsense"),
        lambda plan: plan["steps"][0].update(changes=[{"node": "a"}]),
        lambda plan: plan["steps"][0]["changes"][0].update(old=[1]),
        lambda plan: plan["steps"][0]["changes"][0].update(new=9.0),
    ],
)
def test_a_plan_that_does_not_read_is_damage(spoil: Any) -> None:
    """Another version's, or edited and sealed again: said, not crashed on."""
    details = orjson.loads(orjson.dumps(details_of(PLAN)))
    spoil(details)
    with pytest.raises(DamagedError, match="plan that cannot be read"):
        plan_of(details)


class Told:
    """A journal to be told a story, and the run that it makes of it."""

    def __init__(self, plan: RunPlan = PLAN) -> None:
        self.journal = MemoryJournal(MemoryClock(), "anna", "bastion")
        self.tell(Event.RUN_STARTED, {"plan": details_of(plan)}, plan.id)

    def tell(self, event: Event, details: dict[str, Any], run: str = "run-1") -> "Told":
        self.journal.append(event, run, details)
        return self

    def intent(self, step: int, event: Event = Event.STEP_INTENT) -> "Told":
        return self.tell(event, {"step": step, "title": "", "playbook": "", "mark": f"mark-{step}"})

    def outcome(self, step: int, event: Event = Event.STEP_OUTCOME, **hosts: HostState) -> "Told":
        results = [HostResult(name, state, 0.5, 0.05) for name, state in hosts.items()]
        return self.tell(event, outcome_details(STEPS[step - 1], results))

    @property
    def run(self) -> Run:
        return runs_of(self.journal.entries())["run-1"]

    def states(self) -> Sequence[StepState]:
        return [progress.state for progress in self.run.steps]


CHANGED, UNCHANGED, FAILED = HostState.CHANGED, HostState.UNCHANGED, HostState.FAILED
NOT_REACHED, UNREACHABLE = HostState.NOT_REACHED, HostState.UNREACHABLE


def applied(told: Told, step: int = 1) -> str:
    """The nodes on which the step is, or may be, in effect."""
    return "".join(change.node for change in told.run.steps[step - 1].applied)


def test_a_run_begins_open_with_its_steps_pending() -> None:
    """Whoever started it stands there."""
    run = Told().run
    assert (run.who, run.where, run.status, run.ended_at) == ("anna", "bastion", RunStatus.OPEN, None)
    assert [progress.state for progress in run.steps] == [StepState.PENDING] * 2
    assert run.resumable
    assert run.applied == ()


def test_an_intent_leaves_every_node_in_doubt() -> None:
    """Until the outcome, or a look at the nodes, says more."""
    told = Told().intent(1)
    assert told.states() == [StepState.INTENDED, StepState.PENDING]
    assert told.run.steps[0].mark == "mark-1"
    assert applied(told) == "abc"


def test_an_outcome_tells_which_nodes_are_changed() -> None:
    """A node that had the value already is not this run's."""
    told = Told().intent(1).outcome(1, a=CHANGED, b=UNCHANGED, c=CHANGED)
    assert told.states()[0] is StepState.DONE
    assert told.run.steps[0].mark == ""
    assert applied(told) == "ac"


def test_a_failure_leaves_in_doubt_what_it_may_have_changed() -> None:
    """A failed node may have taken the value; one that was not reached has not."""
    told = Told().intent(1).outcome(1, a=CHANGED, b=FAILED, c=NOT_REACHED)
    assert told.states()[0] is StepState.FAILED
    assert applied(told) == "ab"


def test_what_is_put_back_is_no_longer_in_effect() -> None:
    """And what could not be put back still is, whether or not it was known to be changed."""
    told = Told().intent(1).outcome(1, a=CHANGED, b=FAILED, c=NOT_REACHED).intent(1, Event.UNDO_INTENT)
    assert told.states()[0] is StepState.UNDOING
    assert applied(told) == "ab"
    failed = told.outcome(1, Event.UNDO_OUTCOME, a=CHANGED, b=UNREACHABLE)
    assert failed.states()[0] is StepState.UNDO_FAILED
    assert applied(failed) == "b"
    undone = failed.intent(1, Event.UNDO_INTENT).outcome(1, Event.UNDO_OUTCOME, b=CHANGED)
    assert undone.states()[0] is StepState.UNDONE
    assert applied(undone) == ""


def test_a_look_after_an_interruption_settles_the_step_or_sets_it_back() -> None:
    """What it found in effect stays this run's through a second try."""
    told = (
        Told()
        .intent(1)
        .tell(Event.RUN_RESUMED, {})
        .outcome(1, Event.STEP_OBSERVED, a=CHANGED, b=NOT_REACHED, c=UNREACHABLE)
    )
    assert told.states()[0] is StepState.PENDING
    assert applied(told) == "ac"
    again = told.intent(1).outcome(1, a=UNCHANGED, b=CHANGED, c=UNCHANGED)
    assert again.states()[0] is StepState.DONE
    assert applied(again) == "abc"


@pytest.mark.parametrize("status", RunStatus)
def test_a_run_ends_as_it_says_and_every_status_has_its_exit_code(status: RunStatus) -> None:
    """Only what is open or partial can be resumed; a resume opens it again."""
    told = Told().tell(Event.RUN_ENDED, {"status": status.value, "exit_code": int(status.exit_code)})
    assert told.run.status is status
    assert told.run.ended_at is not None
    assert told.run.resumable == (status in {RunStatus.OPEN, RunStatus.PARTIAL})
    assert status.exit_code in set(ExitCode)
    told.tell(Event.RUN_RESUMED, {})
    assert (told.run.status, told.run.ended_at) == (RunStatus.OPEN, None)


@pytest.mark.parametrize("event", Event)
def test_every_event_of_the_journal_is_understood(event: Event) -> None:
    """Those that say nothing of a run leave it as it is."""
    details: dict[str, Any] = {"step": 1, "mark": "", "hosts": [], "status": "done", "plan": details_of(PLAN)}
    details |= {"risk": "low", "why": ["a test"], "seconds": 60, "digest": "0"}
    if "intent" not in event.value:
        details["done"] = True
    told = Told().tell(event, details)
    assert told.run.plan == PLAN


@pytest.mark.parametrize("event", sorted(set(Event) - {Event.RUN_STARTED, Event.APPROVAL_ASKED}))
def test_events_of_runs_that_are_not_in_the_journal_are_passed_over(event: Event) -> None:
    """The journal was set aside in the middle of a run, or the event belongs to none."""
    before = Told().run
    assert runs_of(Told().tell(event, {}, "another").tell(event, {}, "").journal.entries()) == {"run-1": before}


def test_undoing_is_told_from_either_side_to_any_depth() -> None:
    """Undone, done again, and undone again."""
    told = Told()
    chain = ["run-1", "undo-1", "undo-2", "undo-3", "undo-4"]
    for depth, (undone, name) in enumerate(pairwise(chain), start=1):
        told.tell(Event.RUN_STARTED, {"plan": details_of(replace(PLAN, id=name, undoes=undone))}, name)
        assert runs_of(told.journal.entries())[undone].undone_by == ""
        told.tell(Event.RUN_ENDED, {"status": "done"}, name)
        runs = runs_of(told.journal.entries())
        assert runs[name].undone_by == ""
        in_effect = [not runs[each].undone_by for each in chain[: depth + 1]]
        assert in_effect == [(depth - at) % 2 == 0 for at in range(depth + 1)]


def test_a_partial_undo_undoes_nothing_yet() -> None:
    """Only when it is done."""
    told = Told().tell(Event.RUN_STARTED, {"plan": details_of(replace(PLAN, id="u", undoes="run-1"))}, "u")
    assert told.tell(Event.RUN_ENDED, {"status": "partial"}, "u").run.undone_by == ""
