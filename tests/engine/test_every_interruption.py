"""A run that is cut off after any call of any port, at every position there is, can be brought to its end or back.

The positions are not listed: the first run counts its calls, and the sweep goes through all of them.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fleet_in_memory import (
    ORDINARY,
    RUN,
    SICK,
    STOPPED,
    UNDO,
    CrashError,
    MemoryShelf,
    Settings,
    Wired,
    World,
    world,
)

from runbook.engine.carry import Carried
from runbook.errors import InterruptedRunError, RunbookError, StorageError
from runbook.issues.high_formation_rate import CLUSTER_SIZE, CONCEPTS
from runbook.model.finding import Plan
from runbook.model.journal import Entry, Event
from runbook.model.play import PlayRequest
from runbook.model.run import RunStatus

NAMES = ("a", "b", "c")
ENDED = {RunStatus.RECOVERED, RunStatus.UNDONE}
Outcome = tuple[RunStatus, dict[str, Settings]]


def every(settings: Mapping[str, Any]) -> dict[str, Settings]:
    """Every node with those settings."""
    return {name: dict(settings) for name in NAMES}


class Story:
    """One course of events: how the fleet behaves, and how a run through it ends when nothing interrupts it.

    It is cut off at every position, or up to the first call of `until` where the rest is as in another story.
    """

    def __init__(self, prepare: Callable[[World], None], *, disruptive: bool = False, until: str = "") -> None:
        self.prepare = prepare
        self.disruptive = disruptive
        self.until = until

    def positions(self) -> int:
        """At how many it is cut off."""
        scene, plan = self.begin()
        self.act(scene, plan)
        calls = scene.wire.calls
        return calls.index(self.until) + 1 if self.until else len(calls)

    def begin(self) -> tuple[World, Plan]:
        scene = world(NAMES)
        self.prepare(scene)
        plan = scene.diagnosed()
        scene.wire.calls.clear()
        return scene, plan

    def act(self, scene: World, plan: Plan) -> Carried:
        return scene.act(disruptive=self.disruptive, plan=plan)


def _well(scene: World) -> None:
    """Every step takes effect, and they help."""


def _needs_the_emergency_step(scene: World) -> None:
    scene.fleet.ill = lambda settings: settings[CONCEPTS] is True


def _fails_at_the_last_node_of_the_last_step(scene: World) -> None:
    def refuses(request: PlayRequest) -> None:
        scene.plays.inner.ignoring = {"c"} if request.key == CLUSTER_SIZE else set()

    scene.plays.before = refuses


def _looks_into_the_nodes_first(scene: World) -> None:
    """Two heaps of each are collected and kept, before anything is changed."""
    scene.looks_into(MemoryShelf())


STORIES = {
    "recovered": (Story(_well), (RunStatus.RECOVERED, every(ORDINARY))),
    "emergency": (Story(_needs_the_emergency_step, disruptive=True), (RunStatus.RECOVERED, every(STOPPED))),
    "evidence": (Story(_looks_into_the_nodes_first, until="plays.run"), (RunStatus.RECOVERED, every(ORDINARY))),
    "undone": (Story(_fails_at_the_last_node_of_the_last_step), (RunStatus.UNDONE, every(SICK))),
}


@pytest.fixture(params=STORIES, ids=str)
def named_story(request: pytest.FixtureRequest) -> tuple[Story, Outcome]:
    """Each course of events, with how it ends uninterrupted."""
    found: tuple[Story, Outcome] = STORIES[request.param]
    return found


def interrupted(story: Story, position: int, error: type[BaseException]) -> World | None:
    """The world after a run that was cut off there; None where the run has no such position."""
    scene, plan = story.begin()
    scene.wire.trip_after, scene.wire.error = position, error
    try:
        story.act(scene, plan)
    except (CrashError, KeyboardInterrupt, InterruptedRunError):
        scene.wire.trip_after = None
        return scene
    return None


def sweep(story: Story, error: type[BaseException], then: Callable[[World, int], None]) -> int:
    """Cut the run off at every position of the story and go on from there; how many positions there were."""
    last = story.positions()
    for position in range(1, last + 1):
        scene = interrupted(story, position, error)
        assert scene is not None, position
        assert scene.journal.verify().sound
        assert_nothing_unrecorded(scene)
        then(scene, position)
        assert scene.journal.verify().sound
    assert story.until or interrupted(story, last + 1, error) is None
    return last


def assert_nothing_unrecorded(scene: World) -> None:
    """What differs from the start was announced in the journal, with this very value."""
    announced = {
        (change["node"], change["key"], change["new"])
        for entry in scene.journal.entries()
        if entry.event is Event.STEP_INTENT
        for change in entry.details["changes"]
    }
    for name, values in scene.settings.items():
        for key, value in values.items():
            assert value == SICK[key] or (name, key, value) in announced


def test_without_an_interruption_each_story_ends_as_told(named_story: tuple[Story, Outcome]) -> None:
    """The reference that the sweeps compare with."""
    story, expected = named_story
    scene, plan = story.begin()
    assert (story.act(scene, plan).status, scene.settings) == expected
    ports = {"locks", "nodes", "journal", "talk", "plays"}
    ports |= {"probes", "clock"} if expected[0] is RunStatus.RECOVERED else set()
    ports |= {"shelf"} if scene.looking else set()
    assert {name.split(".")[0] for name in scene.wire.calls} == ports


@pytest.mark.parametrize("error", [CrashError, KeyboardInterrupt])
def test_resumed_from_any_position_it_ends_as_if_nothing_had_happened(
    named_story: tuple[Story, Outcome], error: type[BaseException]
) -> None:
    """Same status, same settings, whatever had taken effect."""
    story, expected = named_story

    def check(scene: World, position: int) -> None:
        if RUN not in scene.runs():
            assert scene.settings == every(SICK), position
            return
        run = scene.runs()[RUN]
        if run.resumable:
            scene.resume()
        assert (scene.runs()[RUN].status, scene.settings) == expected, f"cut off after {scene.wire.calls[:position]}"

    assert sweep(story, error, check) > (20 if story.until else 50)


def test_undone_from_any_position_everything_is_as_it_was(named_story: tuple[Story, Outcome]) -> None:
    """Without resuming first, and the run cannot be resumed afterwards."""
    story, _ = named_story

    def check(scene: World, position: int) -> None:
        scene.plays.before = lambda _: None
        scene.plays.inner.ignoring.clear()
        if RUN in scene.runs():
            assert scene.undo().status is RunStatus.DONE, position
            run = scene.runs()[RUN]
            assert run.undone_by or not run.applied
            assert not run.resumable or not run.applied
        assert scene.settings == every(SICK), f"cut off after {scene.wire.calls[:position]}"

    assert sweep(story, CrashError, check) > (20 if story.until else 50)


def test_resumed_from_any_position_and_then_undone_everything_is_as_it_was(named_story: tuple[Story, Outcome]) -> None:
    """A resume keeps track of what was changed before it."""
    story, _ = named_story

    def check(scene: World, position: int) -> None:
        if RUN not in scene.runs():
            return
        if scene.runs()[RUN].resumable:
            scene.resume()
        scene.plays.before = lambda _: None
        scene.undo()
        assert scene.settings == every(SICK), position

    sweep(story, CrashError, check)


def test_an_undo_cut_off_at_any_position_is_brought_to_its_end_by_its_resume_or_by_another() -> None:
    """An undo is a run like any other."""

    def after_act() -> World:
        scene, plan = STORIES["recovered"][0].begin()
        scene.act(plan=plan)
        scene.wire.calls.clear()
        return scene

    position = 1
    while True:
        resumed, again = after_act(), after_act()
        for scene in (resumed, again):
            scene.wire.trip_after = position
        try:
            resumed.undo()
        except CrashError:
            with pytest.raises(CrashError):
                again.undo()
        else:
            break
        for scene in (resumed, again):
            scene.wire.trip_after = None
        if UNDO in resumed.runs() and resumed.runs()[UNDO].resumable:
            resumed.resume(UNDO)
            assert resumed.settings == every(SICK), position
        assert again.undo(RUN, "another").status is RunStatus.DONE
        assert again.settings == every(SICK), position
        position += 1
    assert position > 30


def test_a_resume_cut_off_at_any_position_can_be_resumed_again() -> None:
    """Twice killed is no worse than once: first in the middle of step 2, then anywhere."""
    story, expected = STORIES["recovered"]
    scene, plan = story.begin()
    story.act(scene, plan)
    first = scene.wire.calls.index("plays.run") + 12
    position = 1
    while True:
        cut = interrupted(story, first, CrashError)
        assert cut is not None
        cut.wire.calls.clear()
        cut.wire.trip_after = position
        try:
            cut.resume()
        except CrashError:
            cut.wire.trip_after = None
            if cut.runs()[RUN].resumable:
                cut.resume()
            assert (cut.runs()[RUN].status, cut.settings) == expected, position
        else:
            break
        position += 1
    assert position > 30


class FullDisk:
    """The port `Journal` whose n-th append finds no room; `stays` for all that follow, too."""

    def __init__(self, inner: Any, position: int, *, stays: bool) -> None:
        self.inner, self.position, self.stays = inner, position, stays
        self.appends = 0

    def append(self, event: Event, run: str, details: Mapping[str, Any]) -> Entry:
        self.appends += 1
        if self.appends == self.position or (self.stays and self.appends > self.position):
            raise StorageError("no space left on device")
        return self.inner.append(event, run, details)  # type: ignore[no-any-return]  # the wired port is untyped

    def entries(self) -> Any:
        return self.inner.entries()

    def fresh(self) -> Any:
        return self.inner.fresh()

    def rescue(self, *_: Any) -> str:
        raise StorageError("no space left on device")


@pytest.mark.parametrize("stays", [False, True])
@pytest.mark.parametrize("undoing", [False, True])
def test_nothing_is_changed_without_its_intent_in_the_journal(
    named_story: tuple[Story, Outcome],
    stays: bool,  # noqa: FBT001 - a parameter of the sweep
    undoing: bool,  # noqa: FBT001 - same
) -> None:
    """For every append that finds the disk full: told as such; then a journal with room brings it to its end."""
    story, expected = named_story
    position = 1
    while True:
        scene, plan = story.begin()
        whole = scene.ports.journal
        full = FullDisk(whole, position, stays=stays)
        scene.with_(journal=Wired(full, "journal", scene.wire))
        try:
            carried = story.act(scene, plan)
        except StorageError:
            assert_nothing_unrecorded(scene)
            assert_each_play_was_announced(scene)
        else:
            if full.appends < position:
                break
            # Rollbacks excepted: they go on, and what could not be journaled is said.
            assert carried.status is RunStatus.UNDONE
            assert scene.settings == every(SICK)
            assert any("NOT JOURNALED" in said for said in scene.ports.read.talk.said)
            position += 1
            continue
        scene.with_(journal=whole)
        if RUN not in scene.runs():
            assert scene.settings == every(SICK)
        elif undoing:
            scene.plays.before = lambda _: None
            scene.plays.inner.ignoring.clear()
            scene.undo()
            assert scene.settings == every(SICK), position
        else:
            scene.resume()
            assert (scene.runs()[RUN].status, scene.settings) == expected, position
        position += 1
    assert position > 8


def assert_each_play_was_announced(scene: World) -> None:
    """As many plays as intents at most: none ran whose intent could not be written; what only reads needs none."""
    intents = {Event.STEP_INTENT, Event.UNDO_INTENT}
    announced = sum(entry.event in intents for entry in scene.journal.entries())
    assert scene.wire.calls.count("plays.run") <= announced
    assert len([mark for mark in scene.plays.inner.marks if ".evidence." not in mark]) <= announced


def test_every_port_error_at_every_position_leaves_a_run_that_can_be_ended() -> None:
    """Not only crashes: an error of ours out of any call."""

    def check(scene: World, position: int) -> None:
        if RUN in scene.runs():
            if scene.runs()[RUN].resumable:
                scene.resume()
            assert scene.runs()[RUN].status in ENDED
            scene.undo()
        assert scene.settings == every(SICK), position

    story = STORIES["recovered"][0]
    position = 1
    while True:
        scene, plan = story.begin()
        scene.wire.trip_after, scene.wire.error = position, lambda: RunbookError("bad luck")
        try:
            story.act(scene, plan)
        except RunbookError as error:
            named = error.run
        else:
            break
        scene.wire.trip_after = None
        stranded = RUN in scene.runs() and scene.runs()[RUN].resumable
        assert named == RUN if stranded else named in {"", RUN}
        check(scene, position)
        position += 1
    assert position > 50
