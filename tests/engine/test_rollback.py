"""The emergency brake over ports in memory: whatever is broken, flags go off, and it is a run in the journal."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from fleet_in_memory import CONCEPTS, RUN, SICK, World, world

from runbook.adapters.memory.brake import MemoryBrake
from runbook.adapters.memory.clock import MemoryClock
from runbook.engine.brake_record import Rolled, Wish
from runbook.engine.rollback import rollback
from runbook.errors import (
    DamagedError,
    ExitCode,
    InterruptedRunError,
    LockedError,
    NotSupportedError,
    StorageError,
)
from runbook.model.brake import FLAGS, Rollback
from runbook.model.journal import Entry, Event
from runbook.model.play import PlayRequest
from runbook.model.run import RunStatus, StepState
from runbook.model.settings import Value
from runbook.ports import BrakePorts, Plays
from runbook.report.rollback import rolled_lines

BRAKE = "20261122T230000-cccc"
BLENDED, _, ENABLED = FLAGS[Rollback.FULL]
ON: dict[str, Value] = {**SICK, BLENDED: True, ENABLED: True}
OFF: dict[str, Value] = {**ON, BLENDED: False, CONCEPTS: False}
NAMES = ("a", "b", "c")
CLOCK = MemoryClock()


def fleet(**settings: dict[str, Value]) -> World:
    """Three nodes, all of them on unless told otherwise."""
    return world(NAMES, **{name: dict(settings.get(name, ON)) for name in NAMES})


def pull(scene: World, what: Rollback = Rollback.FEATURES, *, run: str = BRAKE, **ports: Any) -> Rolled:
    """Pull the brake, with other ports where a test says so."""
    brake = ports.pop("brake", None) or MemoryBrake(scene.fleet.settings, clock=CLOCK)
    plays: Callable[[], Plays] = ports.pop("plays", lambda: scene.ports.plays)
    journal = ports.pop("journal", lambda: scene.ports.journal)
    assert not ports
    chosen = BrakePorts(brake, journal, plays, CLOCK, scene.talk, lambda: 1.0)
    return rollback(chosen, scene.target, Wish(what, run, "page 4711", 5.0))


def test_features_goes_off_everywhere_and_is_a_run_that_can_be_undone() -> None:
    """Plan, steps, end: as `runs` and `undo` and the cool-down know them."""
    scene = fleet()
    rolled = pull(scene)
    assert (rolled.exit_code, rolled.status, rolled.play_problem) == (ExitCode.DONE, RunStatus.DONE, "")
    assert scene.settings == dict.fromkeys(NAMES, OFF)
    run = scene.runs()[BRAKE]
    assert (run.plan.issue, run.plan.command, run.plan.reason) == ("rollback", "rollback features", "page 4711")
    assert [step.key for step in run.plan.steps] == [BLENDED, CONCEPTS]
    assert {(step.do, step.undo) for step in run.plan.steps} == {("set_features", "restore_features")}
    assert {progress.state for progress in run.steps} == {StepState.DONE}
    assert scene.undo(BRAKE).status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, ON)


def test_full_turns_off_the_dual_memory_too() -> None:
    """And concepts with it, so that they do not come back by themselves."""
    scene = fleet()
    assert pull(scene, Rollback.FULL).exit_code is ExitCode.DONE
    assert scene.settings == dict.fromkeys(NAMES, OFF | {ENABLED: False})


def test_undo_puts_back_what_was_on_and_nothing_else() -> None:
    """A flag that had been off on a node before stays off."""
    scene = fleet(b={**ON, CONCEPTS: False}, c=OFF)
    before = scene.settings
    pull(scene)
    scene.undo(BRAKE)
    assert scene.settings == before


def test_a_node_that_does_not_tell_what_it_had_is_taken_for_on() -> None:
    """It was told so, and an undo can do no better."""
    scene = fleet()
    rolled = pull(scene, brake=MemoryBrake(scene.fleet.settings, clock=CLOCK, mute={"a"}))
    assert rolled.exit_code is ExitCode.DONE
    messages = dict(scene.runs()[BRAKE].steps[0].messages)
    assert "takes it for on" in messages["a"]
    scene.undo(BRAKE)
    assert scene.settings == dict.fromkeys(NAMES, ON)


@pytest.mark.parametrize("what", ["missing", "a bug", "interrupted by the deadline"])
def test_without_ansible_it_is_done_all_the_same_and_said(what: str) -> None:
    """HTTP alone is enough."""
    errors: dict[str, Exception] = {"missing": NotSupportedError("gone"), "a bug": ValueError("odd")}
    late = InterruptedRunError("late")
    late.code = ExitCode.PARTIAL

    def broken() -> Plays:
        raise errors.get(what, late)

    scene = fleet()
    rolled = pull(scene, plays=broken)
    assert (rolled.exit_code, bool(rolled.play_problem)) == (ExitCode.DONE, True)
    assert scene.settings == dict.fromkeys(NAMES, OFF)
    assert any("ANSIBLE FAILED" in text for text in scene.talk.said)
    scene.undo(BRAKE)
    assert scene.settings == dict.fromkeys(NAMES, ON)


def test_ansible_alone_is_enough_too() -> None:
    """Nodes that HTTP does not reach from here; the play tells what they had."""
    scene = fleet(b=OFF)
    rolled = pull(scene, brake=MemoryBrake(scene.fleet.settings, clock=CLOCK, unreachable={"a", "b", "c"}))
    assert rolled.exit_code is ExitCode.DONE
    assert scene.settings == dict.fromkeys(NAMES, OFF)


def test_stragglers_are_listed_and_undo_leaves_them_alone() -> None:
    """5; a node that nobody reached was not changed."""
    scene = fleet()
    scene.plays.inner.unreachable.add("b")
    rolled = pull(scene, brake=MemoryBrake(scene.fleet.settings, clock=CLOCK, unreachable={"b"}))
    assert rolled.exit_code is ExitCode.PARTIAL
    assert [each.node.name for each in rolled.stragglers] == ["b"]
    assert not scene.runs()[BRAKE].resumable
    assert {change.node for progress in scene.runs()[BRAKE].applied for change in progress.applied} == {"a", "c"}


def test_given_again_it_brings_what_did_not_go_everywhere_to_its_end() -> None:
    """The first one is `superseded`, and still undone like any other; a lesser one does not end a greater one."""
    scene = fleet()
    scene.plays.inner.unreachable.add("b")
    brake = MemoryBrake(scene.fleet.settings, clock=CLOCK, unreachable={"b"})
    pull(scene, Rollback.FULL, run="whole", brake=brake)
    pull(scene, run="first", brake=brake)
    scene.plays.inner.unreachable.clear()
    pull(scene, run="second")
    statuses = {name: run.status for name, run in scene.runs().items()}
    assert statuses == {"whole": RunStatus.PARTIAL, "first": RunStatus.SUPERSEDED, "second": RunStatus.DONE}
    pull(scene, Rollback.FULL, run="third")
    assert scene.runs()["whole"].status is RunStatus.SUPERSEDED
    assert scene.undo("third").status is RunStatus.DONE


def test_a_node_that_accepts_and_ignores_is_a_straggler() -> None:
    """It is on, whatever it says."""
    scene = fleet()
    scene.plays.inner.ignoring.add("b")
    rolled = pull(scene, brake=MemoryBrake(scene.fleet.settings, clock=CLOCK, ignoring={"b"}))
    assert rolled.exit_code is ExitCode.PARTIAL
    assert scene.settings["b"] == ON


def test_nobody_reached_is_unreachable() -> None:
    """10; it is in the journal as a run that changed nothing."""
    scene = fleet()
    scene.plays.inner.unreachable.update(NAMES)
    rolled = pull(scene, brake=MemoryBrake(scene.fleet.settings, clock=CLOCK, unreachable=set(NAMES)))
    assert rolled.exit_code is ExitCode.UNREACHABLE
    assert scene.runs()[BRAKE].applied == ()


class Refusing:
    """The port `Journal` that takes nothing from the n-th append on; `deaf` has no second place either."""

    def __init__(self, inner: Any, first: int, *, deaf: bool = False) -> None:
        self._inner, self._first, self._deaf, self._appends = inner, first, deaf, 0

    def append(self, event: Event, run: str, details: Mapping[str, Any]) -> Entry:
        self._appends += 1
        if self._appends >= self._first:
            raise StorageError("no space is left on the disk")
        return self._inner.append(event, run, details)  # type: ignore[no-any-return]  # the wired port is untyped

    def rescue(self, event: Event, run: str, details: Mapping[str, Any], why: str) -> str:
        if self._deaf:
            raise StorageError("there either")
        return self._inner.rescue(event, run, details, why)  # type: ignore[no-any-return]  # as above

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.mark.parametrize("first", range(1, 10))
def test_a_journal_that_refuses_stops_nothing_and_loses_nothing(first: int) -> None:
    """From every entry on: what it refused is adopted by the next one, and the run can be undone."""
    scene = fleet(c=OFF)
    before = scene.settings
    rolled = pull(scene, journal=lambda: Refusing(scene.ports.journal, first))
    assert rolled.exit_code is ExitCode.DONE
    assert scene.settings == dict.fromkeys(NAMES, OFF)
    told = [each.text for each in rolled_lines(rolled) if "NOT IN THE JOURNAL YET" in each.text]
    assert len(told) == bool(rolled.kept)  # one line, however many entries wait
    if rolled.kept:
        assert any("THE JOURNAL REFUSES" in text for text in scene.talk.said)
    scene.journal.append(Event.BASELINE_CAPTURED, "", {})
    assert scene.runs()[BRAKE].status is RunStatus.DONE
    scene.undo(BRAKE)
    assert scene.settings == before


def test_without_any_place_for_it_the_entries_are_told() -> None:
    """On the screen there is always room."""
    scene = fleet()
    rolled = pull(scene, journal=lambda: Refusing(scene.ports.journal, 1, deaf=True))
    assert rolled.exit_code is ExitCode.DONE
    assert any("NOT JOURNALED" in text and "run.started" in text for text in scene.talk.said)
    assert rolled.kept == ("nowhere (there either)",)
    assert any(each.text == "NOT JOURNALED, told above alone: nowhere (there either)" for each in rolled_lines(rolled))


def test_a_journal_that_cannot_be_read_or_made_stops_nothing() -> None:
    """Damage, and a module that does not load."""

    def broken() -> Any:
        raise DamagedError("line 3")

    scene = fleet()
    assert pull(scene, journal=broken).exit_code is ExitCode.DONE
    assert scene.settings == dict.fromkeys(NAMES, OFF)


def test_a_journal_whose_words_make_no_sense_stops_nothing() -> None:
    """An entry that nobody of this version would write: told, and the rest of the work is done."""
    scene = fleet()
    scene.diagnosed()
    scene.journal.append(Event.JOURNAL_ADOPTED, "", {"entry": {"at": "now"}})
    rolled = pull(scene)
    assert (rolled.exit_code, rolled.play_problem) == (ExitCode.DONE, "")
    assert any("runs under way" in text and "are not told to stop" in text for text in scene.talk.said)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_run_that_is_overtaken_stops_at_its_next_step_and_puts_nothing_back(step: int) -> None:
    """At every step of it: the flags stay off, and the report names the brake."""
    scene = fleet()
    plan = scene.diagnosed()

    def before(request: PlayRequest) -> None:
        if request.mark == f"{RUN}.{step}":
            scene.plays.before = lambda _: None
            pull(scene)

    scene.plays.before = before
    carried = scene.act(disruptive=True, plan=plan)
    assert (carried.status, carried.superseded_by) == (RunStatus.SUPERSEDED, BRAKE)
    assert len(carried.results) == step
    assert carried.undo_results == ()
    assert scene.runs()[RUN].status is RunStatus.SUPERSEDED
    assert not scene.runs()[RUN].resumable
    assert [values[CONCEPTS] for values in scene.settings.values()] == [False] * 3


def test_a_run_is_overtaken_while_it_watches() -> None:
    """It does not watch to the end, and takes no emergency step."""
    scene = fleet()
    plan = scene.diagnosed()

    class Pulling:
        """The journal that pulls the brake as soon as the watch has begun."""

        def __getattr__(self, name: str) -> Any:
            return getattr(scene.journal, name)

        def append(self, event: Event, run: str, details: Mapping[str, Any]) -> Entry:
            entry = scene.journal.append(event, run, details)
            if event is Event.WATCH_STARTED:
                pull(scene, journal=lambda: scene.journal)
            return entry

    scene.with_(journal=Pulling())
    carried = scene.act(disruptive=True, plan=plan)
    assert carried.status is RunStatus.SUPERSEDED
    assert carried.watched is not None
    assert carried.watched.seconds < 1


def test_a_run_that_could_not_be_told_at_first_is_told_before_the_last_look() -> None:
    """The journal was held by somebody for a moment, as the brake was pulled."""
    scene = fleet()

    class Held:
        """Cannot be read the first time."""

        held = True

        def __getattr__(self, name: str) -> Any:
            return getattr(scene.journal, name)

        def entries(self) -> Any:
            held, self.held = self.held, False
            if held:
                raise LockedError("another process has held it for 1 s")
            return scene.journal.entries()

    def before(_: PlayRequest) -> None:
        scene.plays.before = lambda _: None
        rolled = pull(scene, journal=Held)
        assert rolled.overtaken == (RUN,)

    plan = scene.diagnosed()
    scene.plays.before = before
    assert scene.act(plan=plan).status is RunStatus.SUPERSEDED


def test_the_play_that_an_overtaken_run_is_in_the_middle_of_is_ended() -> None:
    """At once, and once more before the last look; the run is `superseded`, though this was its last step."""
    scene = fleet(**dict.fromkeys(NAMES[1:], OFF), a=OFF | {CONCEPTS: True})
    pull(scene)
    ended: list[str] = []
    scene.plays.end = lambda mark: ended.append(mark) or 1  # type: ignore[func-returns-value, method-assign]  # records

    def before(_: PlayRequest) -> None:
        scene.plays.before = lambda _: None
        pull(scene, run="20261122T231500-dddd")

    scene.plays.before = before
    undone = scene.undo(BRAKE)
    assert len(undone.results) == 1
    assert undone.status is RunStatus.SUPERSEDED
    assert ended == [f"{undone.plan.id}.1"] * 2
    assert sum("ended the play" in text for text in scene.talk.said) == 2


def test_an_undo_that_was_switching_on_again_is_overtaken() -> None:
    """The brake wins: what the undo had switched on in its step goes off by the last look, or its play is ended."""
    scene = fleet()
    pull(scene)

    def before(_: PlayRequest) -> None:
        scene.plays.before = lambda _: None
        pull(scene, run="20261122T231500-dddd")

    scene.plays.before = before
    assert scene.undo(BRAKE).status is RunStatus.SUPERSEDED
    assert scene.runs()[BRAKE].undone_by == ""


@dataclass(frozen=True)
class Switching:
    """Plays during which somebody switches concepts on again on node b; what happens `then`."""

    scene: World
    then: Callable[[], None]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.scene.ports.plays, name)

    def run(self, request: PlayRequest, progress: Callable[[str], None]) -> Any:
        result = self.scene.plays.run(request, progress)
        self.scene.fleet.settings["b"][CONCEPTS] = True
        self.then()
        return result


def test_what_is_switched_on_behind_its_back_goes_off_again() -> None:
    """A last look after the play."""
    scene = fleet()

    def plays() -> Any:
        return Switching(scene, lambda: None)

    rolled = pull(scene, plays=plays)
    assert rolled.exit_code is ExitCode.DONE
    assert scene.settings == dict.fromkeys(NAMES, OFF)
    assert [each.last_look for each in rolled.nodes] == ["off", "it was on again, and was turned off again", "off"]


@pytest.mark.parametrize("by", ["the last look", "somebody else"])
def test_what_an_earlier_last_look_could_not_turn_off_is_tried_by_the_next(by: str) -> None:
    """With something to be done meanwhile there are two of them, and minutes may lie between."""
    scene = fleet()
    brake = MemoryBrake(scene.fleet.settings, clock=CLOCK)

    def plays() -> Any:
        return Switching(scene, lambda: brake.ignoring.add("b"))  # which takes nothing for a while

    def meanwhile(silent: Collection[str]) -> None:
        assert not silent
        brake.ignoring.clear()
        scene.fleet.settings["b"][CONCEPTS] = by == "the last look"

    chosen = BrakePorts(brake, lambda: scene.ports.journal, plays, CLOCK, scene.talk, lambda: 1.0)
    wish = Wish(Rollback.FEATURES, BRAKE, "page 4711", 5.0, meanwhile=meanwhile)
    assert rollback(chosen, scene.target, wish).exit_code is ExitCode.DONE
    assert scene.settings == dict.fromkeys(NAMES, OFF)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InterruptedRunError("the play was interrupted")])
def test_an_interruption_loses_nothing(error: BaseException) -> None:
    """130; what was off by then is journaled, told, and can be undone."""

    def interrupted() -> Plays:
        raise error

    scene = fleet()
    rolled = pull(scene, plays=interrupted)
    assert rolled.exit_code is ExitCode.INTERRUPTED
    assert rolled.status is RunStatus.DONE
    assert scene.runs()[BRAKE].status is RunStatus.DONE
    scene.undo(BRAKE)
    assert scene.settings == dict.fromkeys(NAMES, ON)


def test_a_second_brake_closes_the_run_of_one_that_was_killed() -> None:
    """Nothing stands in the way of what comes after it."""
    scene = fleet()
    for name in NAMES[:2]:
        scene.fleet.settings[name].update(OFF)

    class Killed(MemoryBrake):
        """`kill -9` when the flags are on their way off."""

    class CutError(BaseException):
        """Nothing of ours handles it."""

    def cut() -> Plays:
        raise CutError

    with pytest.raises(CutError):
        pull(scene, plays=cut, brake=Killed(scene.fleet.settings, clock=CLOCK))
    again = pull(scene, run="20261122T231500-dddd")
    assert again.overtaken == (BRAKE,)
    assert scene.runs()[BRAKE].status is RunStatus.SUPERSEDED
    scene.undo(BRAKE)
    assert [values[CONCEPTS] for values in scene.settings.values()] == [False, False, True]


def test_a_failed_run_that_cannot_journal_its_way_back_leaves_word_in_the_second_place() -> None:
    """The steps go back all the same, and the next entry adopts what was said of it."""
    scene = fleet()
    plan = scene.diagnosed()
    scene.plays.inner.ignoring.add("c")
    scene.with_(journal=Refusing(scene.ports.journal, 3))
    assert scene.act(plan=plan).status is RunStatus.UNDONE
    assert scene.settings == dict.fromkeys(NAMES, ON)
    assert any("NOT IN THE JOURNAL YET" in text for text in scene.talk.said)
    assert scene.runs()[RUN].status is RunStatus.OPEN
    scene.journal.append(Event.BASELINE_CAPTURED, "", {})
    assert scene.runs()[RUN].status is RunStatus.UNDONE


def test_a_failed_run_goes_back_over_a_journal_that_cannot_be_read_any_more() -> None:
    """What has to go back is read off the nodes."""
    scene = fleet()
    plan = scene.diagnosed()
    scene.plays.inner.ignoring.add("c")

    class Unreadable(Refusing):
        """Damaged once the first step has failed."""

        def entries(self) -> Any:
            raise DamagedError("line 3")

    scene.with_(journal=Unreadable(scene.ports.journal, 3))
    assert scene.act(plan=plan).status is RunStatus.UNDONE
    assert scene.settings == dict.fromkeys(NAMES, ON)


def test_a_run_that_lost_the_lease_of_a_node_takes_no_further_step() -> None:
    """11, naming who has it; the steps before stand, and it can be resumed once the other one has ended."""
    scene = fleet()
    plan = scene.diagnosed()

    def before(request: PlayRequest) -> None:
        scene.admin.leases["b"] = ("bob@laptop", "run-2")
        scene.plays.before = lambda _: None

    scene.plays.before = before
    with pytest.raises(LockedError) as locked:
        scene.act(plan=plan)
    assert "step 2 was not taken: b: the lease was lost to bob@laptop, run run-2" in locked.value.message
    assert f"runbook resume {RUN}" in locked.value.hint
    assert scene.admin.leases == {"b": ("bob@laptop", "run-2")}
    assert [progress.state for progress in scene.runs()[RUN].steps] == [StepState.DONE, *[StepState.PENDING] * 2]
    scene.admin.leases.clear()
    assert [result.step.index for result in scene.resume().results] == [2, 3]
