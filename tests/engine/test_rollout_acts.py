"""A rollout is started, advanced, taken back: over ports in memory, uninterrupted, and with bad luck of every kind."""

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from rollout_world import (
    BLENDED,
    CONCEPTS,
    ENABLED,
    HOLD,
    NAMES,
    RATE,
    ROLLOUT,
    SALT,
    SPACES,
    WEIGHT,
    Scene,
    scene,
    walked,
)

from runbook.adapters.memory.journal import MemoryJournal
from runbook.engine.brake_record import Wish
from runbook.engine.history import runs_of
from runbook.engine.rollout.advance import advance
from runbook.errors import ExitCode, LockedError, RefusedError, UnreachableError
from runbook.model.answer import Answer
from runbook.model.brake import PullState, Rollback
from runbook.model.journal import Event
from runbook.model.play import PlayRequest
from runbook.model.rails import Rails
from runbook.model.risk import Risk
from runbook.model.rollout import Standing
from runbook.model.run import RunStatus

OFF = {BLENDED: False, CONCEPTS: False, ENABLED: True, RATE: 0.0, SPACES: ()}


def test_start_enters_the_first_stage_and_treats_nobody_on_the_way() -> None:
    """Nodes that treat everybody by default go to nobody first; then flags, salt; and the journal has it all."""
    made = scene()
    acted = made.start()
    assert (acted.code, acted.rollout.standing, acted.rollout.current.name) == (
        ExitCode.DONE,
        Standing.RUNNING,
        "shadow",
    )
    for values in made.settings.values():
        assert (values[RATE], values[SALT], values[BLENDED], values[CONCEPTS]) == (0.0, "pepper", False, True)
    (run,) = made.world.runs().values()
    assert [step.key for step in run.plan.steps] == [RATE, BLENDED, SALT]


def test_a_second_start_is_refused_and_changes_nothing() -> None:
    """While one is under way; afterwards it may."""
    made = walked(0)
    before = len(made.world.journal.lines)
    with pytest.raises(RefusedError, match="is not over: running, shadow"):
        made.start()
    assert len(made.world.journal.lines) == before


def test_start_with_a_silent_node_leaves_no_trace() -> None:
    """A stage is set on every node, or on none."""
    made = scene()
    made.world.admin.silent["b"] = "no connection"
    with pytest.raises(UnreachableError, match="b: no connection"):
        made.start()
    assert not made.world.journal.lines


def test_advance_says_which_gate_holds_it_in_numbers_and_changes_nothing() -> None:
    """Too early is NO: 13."""
    made = walked(0)
    before = made.settings
    done = made.advance()
    assert (done.code, done.acted) == (ExitCode.REFUSED, None)
    (shut,) = [gate for gate in done.gates if not gate.open]
    assert shut.name == "time of the stage"
    assert "of 10 seconds" in shut.arithmetic
    assert made.settings == before


def test_advance_walks_to_the_end_with_the_share_set_last() -> None:
    """Each phase's end leaves evidence; the last stage's advance completes the rollout."""
    made = walked(0)
    made.wait()
    assert made.advance().rollout.current.name == "ramp-25%"
    run = list(made.world.runs().values())[-1]
    assert [step.key for step in run.plan.steps] == [BLENDED, WEIGHT, SPACES, RATE]
    assert made.rates() == {0.25}
    assert [why for _, why in made.bundles] == ["the end of shadow"]
    made.wait()
    assert made.advance().rollout.current.name == "ramp-50%"
    assert len(made.bundles) == 1
    made.wait()
    done = made.advance()
    assert (done.code, done.rollout.standing) == (ExitCode.DONE, Standing.COMPLETED)
    assert [why for _, why in made.bundles] == ["the end of shadow", "the end of ramp"]
    assert made.rates() == {0.5}


def test_a_node_that_accepts_a_value_and_ignores_it_puts_the_others_back() -> None:
    """14; the rollout is held in the stage before, whose values are all there."""
    made = walked(0)
    before = made.settings
    made.wait()
    made.world.plays.inner.ignoring.add("c")
    done = made.advance()
    assert (done.code, done.rollout.standing, done.rollout.current.name) == (
        ExitCode.STEP_FAILED,
        Standing.HELD,
        "shadow",
    )
    assert made.settings == before
    with pytest.raises(RefusedError, match="held"):
        made.advance()


def test_a_node_that_ignores_at_the_start_ends_the_rollout() -> None:
    """There is no stage before to go back to: it never began."""
    made = scene()
    before = made.settings
    made.world.plays.inner.ignoring.add("c")
    acted = made.start()
    assert (acted.code, acted.rollout.standing) == (ExitCode.STEP_FAILED, Standing.ABORTED)
    assert made.settings == before


def test_a_value_that_is_gone_when_it_is_read_back_is_no_entered_stage() -> None:
    """The play says success, and by the time of the look the node has the old value."""
    made = walked(0)
    made.wait()

    made.world.plays.before = lambda request: (
        made.world.fleet.settings["a"].update({BLENDED: False}) if request.key == RATE else None
    )
    done = made.advance()
    assert done.code is ExitCode.STEP_FAILED
    assert (done.rollout.standing, done.rollout.current.name) == (Standing.HELD, "shadow")
    assert made.rates() == {0.0}


def test_nodes_that_disagree_with_the_stage_shut_the_gate() -> None:
    """Named with the value."""
    made = walked(1)
    made.wait()
    made.world.fleet.settings["b"][WEIGHT] = 0.9
    done = made.advance()
    (shut,) = [gate for gate in done.gates if not gate.open]
    assert (done.code, shut.answer) == (ExitCode.REFUSED, Answer.NO)
    assert "b: dual_memory.semantic_weight is 0.9, not 0.1" in shut.arithmetic


def test_a_silent_node_holds() -> None:
    """UNKNOWN: 4, and nothing is changed."""
    made = walked(1)
    made.wait()
    made.world.admin.silent["b"] = "no connection"
    assert made.advance().code is ExitCode.COULD_NOT_TELL
    assert made.rates() == {0.25}


def test_a_clock_that_is_set_back_gives_no_time_away() -> None:
    """What was waited before counts, the jump does not; a rollout is not stuck by it either."""
    made = walked(0)
    made.wait(HOLD / 2)
    clock = made.world.ports.read.clock
    clock.set_wall(clock.now() - timedelta(days=3))  # type: ignore[attr-defined]  # of the memory clock
    assert made.advance().code is ExitCode.REFUSED
    made.wait(HOLD)
    assert made.advance().code is ExitCode.DONE


def test_two_at_once_are_one() -> None:
    """The second finds the lock."""
    made = walked(0)
    made.wait()
    with made.crew.alone("another"), pytest.raises(LockedError):
        made.advance()
    assert made.rates() == {0.0}


def test_abort_turns_flags_off_and_the_share_to_nothing_whoever_holds_the_lock() -> None:
    """By the brake first; and the rollout is over."""
    made = walked(2)
    with made.crew.alone("another"):
        acted = made.abort()
    assert (acted.code, acted.rollout.standing, acted.rollout.why) == (ExitCode.DONE, Standing.ABORTED, "enough")
    for values in made.settings.values():
        assert OFF.items() <= values.items()
    assert [why for _, why in made.bundles] == ["taken back: enough"]
    calls = made.world.wire.calls
    assert calls.index("brake.pull") < calls.index("plays.run")
    with pytest.raises(RefusedError):
        made.advance()


@pytest.mark.parametrize("key", [BLENDED, WEIGHT, RATE])
def test_an_abort_in_the_middle_of_an_entering_stops_that_one(key: str) -> None:
    """Another process aborts while this one sets a value: it takes no step more, and looks again."""
    made = walked(0)
    made.wait()
    aborted = []

    def before(request: PlayRequest) -> None:
        if request.key == key and request.playbook.startswith("set_") and not aborted:
            aborted.append(made.abort("now"))

    made.world.plays.before = before
    done = made.advance()
    assert (done.code, done.rollout.standing) == (ExitCode.BAD_NEWS, Standing.ABORTED)
    for _ in range(2):
        for values in made.settings.values():
            assert OFF.items() <= values.items()
        made.resume_runs()
    assert all(run.status is not RunStatus.OPEN for run in made.world.runs().values())


def test_a_brake_that_somebody_pulls_in_the_middle_of_an_entering_takes_the_rollout_back() -> None:
    """`rollback features` by hand: there is no way forward from there."""
    made = walked(0)
    made.wait()
    pulled = []

    def before(request: PlayRequest) -> None:
        if request.key == WEIGHT and not pulled:
            pulled.append(made.pull(Wish(Rollback.FEATURES, "20261122T230000-cccc", "page 4711", 5.0)))

    made.world.plays.before = before
    done = made.advance()
    assert (done.code, done.rollout.standing) == (ExitCode.BAD_NEWS, Standing.ROLLED_BACK)
    assert "overtook" in done.rollout.why
    assert made.rates() == {0.0}


def test_a_rollout_that_is_held_goes_back_at_once() -> None:
    """Whatever it waits for."""
    made = walked(1)
    made.world.journal.append(Event.ROLLOUT_HELD, ROLLOUT, {"stage": 1, "why": "a storm", "by": "person"})
    assert made.abort().code is ExitCode.DONE
    assert made.rates() == {0.0}


def test_a_node_that_does_not_answer_leaves_the_rollout_on_its_way_back() -> None:
    """5, and the same again ends it once the node is there."""
    made = walked(2)
    made.brake.unreachable.add("b")
    made.world.plays.inner.unreachable.add("b")
    made.world.admin.silent["b"] = "no connection"
    acted = made.abort()
    assert (acted.code, acted.rollout.standing) == (ExitCode.PARTIAL, Standing.REVERTING)
    assert acted.rolled is not None
    assert [each.pulled.state for each in acted.rolled.nodes] == [
        PullState.VERIFIED,
        PullState.WAITING,
        PullState.VERIFIED,
    ]
    made.brake.unreachable.clear()
    made.world.plays.inner.unreachable.clear()
    made.world.admin.silent.clear()
    again = made.abort("another reason")
    assert (again.code, again.rollout.standing, again.rollout.why) == (ExitCode.DONE, Standing.ABORTED, "enough")
    assert made.rates() == {0.0}


def test_a_rollback_needs_no_journal_that_takes_anything() -> None:
    """What it refuses waits in its second place; where it stands is known from there."""
    made = walked(2)

    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(made.world.journal, name)

        def append(self, *_: object) -> None:
            raise OSError(28, "No space left on device")

    whole = made.world.ports.journal
    made.world.with_(journal=Full())
    acted = made.abort()
    made.world.with_(journal=whole)
    assert (acted.code, made.rollout.standing) == (ExitCode.DONE, Standing.ABORTED)
    assert made.rates() == {0.0}
    assert all(values[BLENDED] is False for values in made.settings.values())
    assert set(made.settings) == set(NAMES)


def railed(made: Scene, **rails: Any) -> Scene:
    """The same on a target with these rails."""
    made.world.target = replace(made.world.target, rails=Rails(**rails))
    return made


@pytest.mark.parametrize(
    ("rails", "told"),
    [
        ({"max_hosts_per_run": 2}, "3 nodes > max_hosts_per_run 2"),
        ({"allowed_risk": Risk.LOW}, "risk medium > allowed_risk low"),
        ({"max_steps_per_hour": 3}, "max_steps_per_hour 3"),
        ({"require_approval": Risk.MEDIUM}, "asks for a second person from medium on"),
    ],
)
def test_the_rails_of_the_target_hold_a_stage_up_and_no_way_back(rails: dict[str, Any], told: str) -> None:
    """13 with the sum, and nothing is journaled of an entering."""
    made = railed(walked(0), **rails)
    made.wait()
    with pytest.raises(RefusedError, match=re.escape(told)):
        made.advance()
    assert (made.rollout.standing, made.rollout.stage) == (Standing.RUNNING, 0)
    assert made.abort().code is ExitCode.DONE


def test_a_second_person_of_the_rollout_is_that_of_the_rails() -> None:
    """An approval by who started it is none."""
    made = railed(walked(0), require_approval=Risk.MEDIUM)
    made.wait()
    yes = {"digest": made.rollout.digest, "phase": None, "reason": ""}
    made.world.journal.append(Event.ROLLOUT_APPROVED, ROLLOUT, yes)
    with pytest.raises(RefusedError):
        made.advance()
    berta = MemoryJournal(made.world.ports.read.clock, "berta", "bastion")
    berta.lines = made.world.journal.lines
    berta.append(Event.ROLLOUT_APPROVED, ROLLOUT, yes)
    assert made.advance().code is ExitCode.DONE


def test_a_target_that_rests_after_a_rollback_starts_no_rollout() -> None:
    """The cool-down; no trace of it in the journal."""
    made = walked(1)
    made.abort()
    railed(made, cool_down=timedelta(minutes=30))
    before = len(made.world.journal.lines)
    with pytest.raises(RefusedError, match="cool_down"):
        made.start()
    assert len(made.world.journal.lines) == before


def test_a_brake_that_is_pulled_while_a_person_is_asked_is_not_undone_by_the_answer() -> None:
    """The gates were passed before it: the stage is not entered all the same."""
    made = walked(1)
    made.wait()

    def agree() -> None:
        made.pull(Wish(Rollback.FEATURES, "20261122T230000-cccc", "page 4711", 5.0))

    with pytest.raises(RefusedError, match="brake was pulled"):
        advance(made.crew, ROLLOUT, made.ask, agree)
    assert {values[BLENDED] for values in made.settings.values()} == {False}
    assert made.rollout.stage == 1


def test_a_brake_that_is_pulled_before_the_run_of_an_entering_begins_takes_the_rollout_back() -> None:
    """No run is there yet that it could overtake."""
    made = walked(1)
    made.wait()
    plays: Any = made.world.plays
    ready, done = plays.ready, iter(range(100))

    def pulls() -> None:
        ready()
        if next(done) == 0:
            made.pull(Wish(Rollback.FEATURES, "20261122T230000-cccc", "page 4711", 5.0))

    plays.ready = pulls
    advanced = made.advance()
    assert (advanced.code, made.rollout.standing) == (ExitCode.BAD_NEWS, Standing.ROLLED_BACK)
    assert {(values[BLENDED], values[RATE]) for values in made.settings.values()} == {(False, 0.0)}


def test_nothing_is_begun_for_a_stage_once_the_rollout_is_taken_back() -> None:
    """An abort between the last look at the gates and the intent: not even a run is journaled for it."""
    made = walked(1)
    made.wait()
    make, first = made._new_id, iter((True,))

    def aborts() -> str:
        if next(first, False):
            made.abort()
        return make()

    made._new_id = aborts  # type: ignore[method-assign]  # the first thing that an entering asks for
    advanced = made.advance()
    assert (advanced.code, made.rollout.standing, made.rates()) == (ExitCode.BAD_NEWS, Standing.ABORTED, {0.0})
    begun = [entry for entry in made.world.journal.entries() if entry.event is Event.RUN_STARTED]
    assert not any("ramp-50%" in str(entry.details["plan"]["command"]) for entry in begun)


def test_evidence_that_cannot_be_made_keeps_no_way_back_from_its_end() -> None:
    """Whatever is wrong with it: it is told, and the rollout is over."""
    made = walked(1)

    def broken(rollout: object, why: object) -> None:
        del rollout, why
        raise ValueError("rows are not ordered")

    made.keep = broken  # type: ignore[method-assign, assignment]  # the shelf of the evidence
    acted = made.abort()
    assert (acted.code, made.rollout.standing) == (ExitCode.DONE, Standing.ABORTED)
    assert "NO EVIDENCE" in acted.told
    assert any("EVIDENCE COULD NOT BE WRITTEN" in said for said in made.world.talk.said)


def test_a_hold_in_the_middle_of_an_entering_takes_nothing_back() -> None:
    """What is set stays set, and is not begun; once it is let go it is read back, and the stage counts from then."""
    made = walked(1)
    made.wait()
    made.world.plays.before = lambda request: (
        made.world.journal.append(Event.ROLLOUT_HELD, ROLLOUT, {"stage": 2, "why": "wait", "by": "person"})
        if request.key == RATE
        else None
    )
    done = made.advance()
    assert (done.code, made.rollout.standing) == (ExitCode.COULD_NOT_TELL, Standing.HELD)
    assert made.rates() == {0.5}
    assert all(values[BLENDED] for values in made.settings.values())
    made.world.journal.append(Event.ROLLOUT_RELEASED, ROLLOUT, {"stage": 2, "reason": "go"})
    assert made.advance().code is ExitCode.DONE
    assert (made.rollout.standing, made.rollout.stage) == (Standing.RUNNING, 2)


def test_a_hold_between_the_gates_and_the_entering_is_not_lost() -> None:
    """Nothing is begun for the next stage, and the rollout stays held."""
    made = walked(1)
    made.wait()
    make = made._new_id

    def holds() -> str:
        made.world.journal.append(Event.ROLLOUT_HELD, ROLLOUT, {"stage": 1, "why": "wait", "by": "person"})
        return make()

    made._new_id = holds  # type: ignore[method-assign]  # the first thing that an entering asks for
    done = made.advance()
    assert (done.code, made.rollout.standing, made.rollout.stage) == (ExitCode.COULD_NOT_TELL, Standing.HELD, 1)
    assert made.rates() == {0.25}


def test_a_yes_that_comes_much_later_is_no_yes_to_the_gates_of_now() -> None:
    """Somebody went home with the question open: the gates are asked again."""
    made = walked(1)
    made.wait()
    with pytest.raises(RefusedError, match="14 hours ago"):
        advance(made.crew, ROLLOUT, made.ask, lambda: made.wait(timedelta(hours=14)))
    assert (made.rollout.stage, made.rates()) == (1, {0.25})


def test_a_way_back_that_is_tried_all_night_fills_no_disk_with_evidence() -> None:
    """One bundle when it began, and one when it is over."""
    made = walked(2)
    made.brake.unreachable.add("b")
    made.world.plays.inner.unreachable.add("b")
    made.world.admin.silent["b"] = "no connection"
    assert [made.abort().code for _ in range(3)] == [ExitCode.PARTIAL] * 3
    assert len(made.bundles) == 1
    made.brake.unreachable.clear()
    made.world.plays.inner.unreachable.clear()
    made.world.admin.silent.clear()
    assert made.abort().code is ExitCode.DONE
    assert [standing for standing, _ in made.bundles] == [Standing.REVERTING, Standing.ABORTED]
    ended = Counter(run.status for run in runs_of(made.crew.entries()).values() if run.is_brake)
    assert ended[RunStatus.PARTIAL] == 0
    assert ended[RunStatus.SUPERSEDED] >= 3


def test_nodes_that_nobody_may_ask_keep_no_way_back_from_its_play() -> None:
    """A token file that others can read is refused; the play has its own way in."""
    made = walked(2)
    read = made.world.ports.read

    class Refused:
        def __getattr__(self, name: str) -> Any:
            return getattr(read.nodes, name)

        def settings(self, _: object) -> Any:
            raise RefusedError("the token file is readable for others")

    made.world.with_(read=replace(read, nodes=Refused()))
    acted = made.abort()
    assert acted.rollout.standing in {Standing.REVERTING, Standing.ABORTED}
    assert made.rates() == {0.0}


def test_an_abort_of_a_held_entering_stops_its_run() -> None:
    """Though it has not begun yet: it is told to stop, as one that is not held."""
    made = walked(1)
    made.wait()

    plays: Any = made.world.plays
    ready = plays.ready

    def taken_back() -> None:
        plays.ready = ready
        made.world.journal.append(Event.ROLLOUT_HELD, ROLLOUT, {"stage": 2, "why": "wait", "by": "person"})
        made.abort()

    plays.ready = taken_back  # the last before a run is journaled
    made.advance()
    told = [entry.run for entry in made.world.journal.entries() if entry.event is Event.RUN_SUPERSEDED]
    run = next(entry.details["run"] for entry in made.world.journal.entries() if entry.details.get("stage") == 2)
    assert run in told
    assert (made.rollout.standing, made.rates()) == (Standing.ABORTED, {0.0})
