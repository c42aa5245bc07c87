"""Undoing and resuming runs, over ports in memory."""

import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from fleet_in_memory import ORDINARY, RUN, SICK, UNDO, CrashError, World, world

from runbook.errors import InterruptedRunError, LockedError, RefusedError, StorageError, UnreachableError
from runbook.issues.high_formation_rate import CLUSTER_SIZE, CONCEPTS, SAMPLE_RATE, THRESHOLD
from runbook.model.journal import Event
from runbook.model.play import HostResult, HostState, PlayRequest, PlayResult
from runbook.model.run import RunStatus, StepState

REDO = "20261122T230000-cccc"
AGAIN = "20261122T233000-dddd"
NAMES = ("a", "b", "c")
KEYS = (THRESHOLD, SAMPLE_RATE, CLUSTER_SIZE)


def done() -> World:
    """A fleet after a run that helped."""
    scene = world(NAMES)
    assert scene.act().status is RunStatus.RECOVERED
    return scene


def crashed_before_play(mark: str) -> World:
    """A fleet whose run was killed after the intent of that play, before the play did anything."""
    scene = world(NAMES)
    plan = scene.diagnosed()

    def dies(request: PlayRequest) -> None:
        if request.mark == mark:
            raise CrashError

    scene.plays.before = dies
    with pytest.raises(CrashError):
        scene.act(plan=plan)
    scene.plays.before = lambda _: None
    return scene


def test_an_undo_sets_every_old_value_back_last_step_first() -> None:
    """Values of before, not defaults; a run of its own in the journal."""
    scene = done()
    carried = scene.undo()
    assert carried.status is RunStatus.DONE
    assert [result.step.key for result in carried.results] == [*reversed(KEYS)]
    assert scene.settings == dict.fromkeys(NAMES, SICK)
    runs = scene.runs()
    assert runs[UNDO].plan.undoes == RUN
    assert runs[RUN].undone_by == UNDO
    assert not runs[RUN].resumable


def test_an_undo_of_an_undo_brings_the_values_back() -> None:
    """It is a run like any other."""
    scene = done()
    scene.undo()
    assert scene.undo(UNDO, REDO).status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, ORDINARY)
    runs = scene.runs()
    assert (runs[RUN].undone_by, runs[UNDO].undone_by, runs[REDO].undone_by) == ("", REDO, "")
    assert scene.undo(REDO, AGAIN).status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, SICK)
    runs = scene.runs()
    assert (runs[RUN].undone_by, runs[UNDO].undone_by, runs[REDO].undone_by) == (UNDO, "", AGAIN)


def test_a_run_that_is_undone_has_nothing_left_to_undo() -> None:
    """Else a second undo would revert what a later run set to the same value."""
    scene = done()
    scene.undo()
    for values in scene.fleet.settings.values():
        values.update(ORDINARY)  # a later run
    entries = len(scene.journal.lines)
    carried = scene.undo(RUN, REDO)
    assert carried.status is RunStatus.DONE
    assert carried.results == ()
    assert scene.settings == dict.fromkeys(NAMES, ORDINARY)
    assert len(scene.journal.lines) == entries


@pytest.mark.parametrize("key", KEYS)
def test_an_undo_over_a_later_change_is_refused_and_force_does_it(key: str) -> None:
    """Compare and set over all nodes first: nothing is touched where one value was changed since."""
    scene = done()
    scene.fleet.settings["b"][key] = 9 if key == CLUSTER_SIZE else 0.77
    before, lines = scene.settings, len(scene.journal.lines)
    with pytest.raises(RefusedError, match=f"b: {key} is") as refused:
        scene.undo()
    assert "--force" in refused.value.hint
    assert scene.settings == before
    assert len(scene.journal.lines) == lines
    assert scene.undo(force=True).status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, SICK)
    assert scene.undo(UNDO, REDO).status is RunStatus.DONE
    assert scene.settings == before


def test_an_undo_of_an_undo_over_a_later_change_is_refused_too() -> None:
    """The same rule, whatever the run."""
    scene = done()
    scene.undo()
    scene.fleet.settings["a"][THRESHOLD] = 0.4
    with pytest.raises(RefusedError, match="changed since by someone else"):
        scene.undo(UNDO, REDO)
    assert scene.settings["b"] == SICK


def test_an_undo_with_a_node_away_is_partial_and_its_resume_ends_it() -> None:
    """The others go back at once."""
    scene = done()
    scene.admin.silent["b"] = "refused"
    scene.plays.inner.unreachable.add("b")
    assert scene.undo().status is RunStatus.PARTIAL
    assert scene.settings == {"a": SICK, "b": ORDINARY, "c": SICK}
    assert scene.runs()[RUN].undone_by == ""
    assert scene.runs()[UNDO].resumable
    scene.admin.silent.clear()
    scene.plays.inner.unreachable.clear()
    assert scene.resume(UNDO).status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, SICK)
    assert scene.runs()[RUN].undone_by == UNDO


def test_an_undo_with_a_node_away_can_be_started_again_as_another_undo() -> None:
    """A person who does not know of resume gets there too."""
    scene = done()
    scene.admin.silent["b"] = "refused"
    scene.plays.inner.unreachable.add("b")
    scene.undo()
    scene.admin.silent.clear()
    scene.plays.inner.unreachable.clear()
    assert scene.undo(RUN, REDO).status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, SICK)
    assert scene.runs()[RUN].undone_by == REDO


def test_an_undo_of_a_partial_undo_brings_back_what_that_one_changed() -> None:
    """And leaves alone what it did not."""
    scene = done()
    scene.admin.silent["b"] = "refused"
    scene.plays.inner.unreachable.add("b")
    scene.undo()
    scene.admin.silent.clear()
    scene.plays.inner.unreachable.clear()
    assert scene.undo(UNDO, REDO).status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, ORDINARY)


def test_a_node_that_an_earlier_try_left_alone_is_in_doubt_again_when_a_later_one_is_killed() -> None:
    """Away at the undo, changed by its resume, which was killed before it could say so."""
    scene = done()
    scene.admin.silent["b"] = "refused"
    scene.plays.inner.unreachable.add("b")
    scene.undo()
    scene.admin.silent.clear()
    scene.plays.inner.unreachable.clear()

    def dies(_: PlayRequest) -> None:
        scene.fleet.settings["b"][CLUSTER_SIZE] = SICK[CLUSTER_SIZE]
        raise CrashError

    scene.plays.before = dies
    with pytest.raises(CrashError):
        scene.resume(UNDO)
    scene.plays.before = lambda _: None
    assert scene.undo(UNDO, REDO).status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, ORDINARY)


def test_an_undo_with_every_node_away_is_unreachable() -> None:
    """Nothing is journaled for it."""
    scene = done()
    lines = len(scene.journal.lines)
    scene.admin.silent |= dict.fromkeys(NAMES, "refused")
    with pytest.raises(UnreachableError, match="no node"):
        scene.undo()
    assert len(scene.journal.lines) == lines


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_run_that_was_killed_in_a_step_can_be_undone_without_going_forward(step: int) -> None:
    """At three in the morning the way back must not lead forward first."""
    scene = crashed_before_play(f"{RUN}.{step}")
    assert scene.runs()[RUN].steps[step - 1].state is StepState.INTENDED
    assert scene.undo().status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, SICK)
    assert not scene.runs()[RUN].resumable


def test_orphans_of_a_killed_play_are_ended_before_anything_else() -> None:
    """Else they would go on changing nodes behind the undo."""
    scene = crashed_before_play(f"{RUN}.2")
    ended: list[str] = []
    scene.plays.stop_orphans = lambda mark: ended.append(mark) or 2  # type: ignore[func-returns-value, method-assign]  # records, then counts
    assert scene.undo().status is RunStatus.DONE
    assert ended == [f"{RUN}.evidence.1", f"{RUN}.evidence.2", f"{RUN}.2"]
    assert "ended 2 processes left by step 2" in scene.talk.said


def test_a_run_that_is_being_carried_cannot_be_undone() -> None:
    """It would take its next step on top."""
    scene = done()
    with scene.locks.hold(f"run-{RUN}", RUN), pytest.raises(LockedError, match=RUN):
        scene.undo()


def test_an_undo_is_refused_when_its_run_went_on_since_it_was_looked_at() -> None:
    """The plan would miss what happened between the look and the lock."""
    scene = crashed_before_play(f"{RUN}.2")
    plan = scene.undo_plan()
    assert scene.resume().status is RunStatus.RECOVERED
    from runbook.engine.undo import undo  # noqa: PLC0415 - only this test calls it with a stale plan

    with pytest.raises(RefusedError, match="has gone on meanwhile"):
        undo(replace(scene.context, verify=None), plan)
    assert scene.settings == dict.fromkeys(NAMES, ORDINARY)


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("node", NAMES)
def test_a_resume_that_fails_puts_back_what_was_done_before_the_interruption_too(step: int, node: str) -> None:
    """`undone` means all of it, whichever process did it."""
    scene = crashed_before_play(f"{RUN}.{step}")
    scene.plays.inner.ignoring = {node}
    scene.plays.before = lambda request: scene.plays.inner.ignoring.clear() if "undo" in request.mark else None
    assert scene.resume().status is RunStatus.UNDONE
    assert scene.settings == dict.fromkeys(NAMES, SICK)


def test_a_resume_does_not_overwrite_what_someone_changed_meanwhile() -> None:
    """The step fails by compare and set, and the rest is put back."""
    scene = crashed_before_play(f"{RUN}.2")
    scene.fleet.settings["b"][SAMPLE_RATE] = 0.42
    assert scene.resume().status is RunStatus.UNDONE
    assert scene.settings == {"a": SICK, "b": {**SICK, SAMPLE_RATE: 0.42}, "c": SICK}


def test_a_node_that_is_silent_when_a_run_is_resumed_counts_as_ours() -> None:
    """Its value took effect before the kill; nobody else may be blamed for it, so an undo takes it back."""
    scene = world(NAMES)
    plan = scene.diagnosed()
    scene.wire.calls.clear()
    scene.wire.error = CrashError

    class Dying:
        """Dies after the play of step 2 has changed every node."""

        def __call__(self, request: PlayRequest) -> None:
            if request.mark == f"{RUN}.2":
                for name in NAMES:
                    scene.fleet.settings[name][SAMPLE_RATE] = 0.05
                raise CrashError

    scene.plays.before = Dying()
    with pytest.raises(CrashError):
        scene.act(plan=plan)
    scene.plays.before = lambda _: scene.admin.silent.clear()
    scene.admin.silent["b"] = "hangs"
    assert scene.resume().status is RunStatus.RECOVERED
    assert scene.undo().status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, SICK)


def test_two_resumes_at_once_do_not_both_carry_the_run() -> None:
    """The second is told who has it."""
    scene = crashed_before_play(f"{RUN}.2")
    seen: list[str] = []

    def second(request: PlayRequest) -> None:
        with pytest.raises(LockedError, match=RUN):
            scene.resume()
        seen.append(request.mark)

    scene.plays.before = second
    assert scene.resume().status is RunStatus.RECOVERED
    assert seen == [f"{RUN}.2", f"{RUN}.3"]


def test_a_crash_in_the_emergency_step_is_resumed_from_there() -> None:
    """It was the only step, and it took effect: the watch decides, not the word that it was interrupted."""
    scene = world(NAMES, **dict.fromkeys(NAMES, ORDINARY))
    scene.fleet.ill = lambda settings: settings[CONCEPTS] is True
    plan = scene.diagnosed()
    scene.wire.calls.clear()
    scene.wire.trip_after = 10**9
    journal = scene.ports.journal

    class Dying:
        def append(self, event: Event, run: str, details: dict[str, object]) -> object:
            if event is Event.WATCH_ENDED:
                raise CrashError
            return journal.append(event, run, details)

        entries = staticmethod(journal.entries)
        fresh = staticmethod(journal.fresh)

    scene.with_(journal=Dying())
    with pytest.raises(CrashError):
        scene.act(disruptive=True, plan=plan)
    scene.with_(journal=journal)
    assert scene.resume().status is RunStatus.RECOVERED


def test_ctrl_c_before_anything_was_journaled_does_not_advise_to_resume() -> None:
    """There is no such run."""
    scene = world(NAMES)
    plan = scene.diagnosed()
    scene.wire.calls.clear()
    scene.wire.trip_after = 1
    scene.wire.error = KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        scene.act(plan=plan)
    assert scene.journal.lines == []


def test_ctrl_c_in_the_middle_names_the_command_that_goes_on() -> None:
    """And keeps the exit code of what interrupted it."""
    scene = world(NAMES)
    plan = scene.diagnosed()

    def interrupt(request: PlayRequest) -> None:
        raise KeyboardInterrupt

    scene.plays.before = interrupt
    with pytest.raises(InterruptedRunError) as interrupted:
        scene.act(plan=plan)
    assert interrupted.value.code == 130
    assert interrupted.value.run == RUN
    assert f"runbook resume {RUN}" in interrupted.value.hint
    assert f"runbook undo {RUN}" in interrupted.value.hint


def test_a_full_disk_in_the_middle_names_the_run_that_it_stranded() -> None:
    """Step 1 stands, step 2 was not touched, and the person is told how to go on."""
    scene = world(NAMES)
    plan = scene.diagnosed()
    journal = scene.ports.journal

    class Full:
        def append(self, event: Event, run: str, details: dict[str, object]) -> object:
            if event is Event.STEP_INTENT and details["step"] == 2:
                raise StorageError("no space left", hint="make room")
            return journal.append(event, run, details)

        entries = staticmethod(journal.entries)
        fresh = staticmethod(journal.fresh)

    scene.with_(journal=Full())
    with pytest.raises(StorageError) as stranded:
        scene.act(plan=plan)
    assert stranded.value.run == RUN
    assert stranded.value.hint == f"make room; then: runbook resume {RUN}"
    assert scene.settings == {name: {**SICK, THRESHOLD: 0.65} for name in NAMES}


def in_single_precision(scene: World) -> None:
    """From here on the nodes keep numbers as float32 does."""
    inner = scene.plays.inner.run

    def run(request: PlayRequest, progress: Callable[[str], None]) -> PlayResult:
        result = inner(request, progress)
        for settings in scene.fleet.settings.values():
            settings |= {
                key: struct.unpack("f", struct.pack("f", value))[0]
                for key, value in settings.items()
                if isinstance(value, float)
            }
        return result

    scene.plays.run = run


def test_a_node_that_keeps_single_precision_is_changed_undone_and_has_no_conflict() -> None:
    """0.05 comes back as 0.05000000074505806: that is the value, for the play and for us."""
    scene = world(NAMES)
    in_single_precision(scene)
    scene.fleet.ill = lambda settings: settings[CLUSTER_SIZE] != 5
    assert scene.act().status is RunStatus.RECOVERED
    assert not any(planned.changes for planned in scene.diagnosed().ordinary)
    assert scene.undo().status is RunStatus.DONE
    assert scene.settings["b"][SAMPLE_RATE] == 0.5


def test_what_a_failed_step_left_at_a_third_value_is_told_and_not_called_undone() -> None:
    """A node that clamps: asked for 5 it keeps 4. The undo's compare-and-set does not know that 4."""
    scene = world(NAMES)
    plan = scene.diagnosed()
    inner = scene.plays.inner.run

    def run(request: PlayRequest, progress: Callable[[str], None]) -> PlayResult:
        if request.mark != f"{RUN}.3":
            return inner(request, progress)
        scene.fleet.settings["a"][CLUSTER_SIZE] = 4
        clamped = HostResult("a", HostState.FAILED, 2, 4, "the node accepted 5, but 4 is read back")
        return PlayResult((clamped, *(HostResult(name, HostState.NOT_REACHED) for name in "bc")), 0.0)

    scene.plays.run = run
    carried = scene.act(plan=plan)
    assert carried.status is RunStatus.PERSON_NEEDED
    assert "min_cluster_size is 4" in carried.undo_results[0].hosts[0].message
    scene.plays.run = inner
    assert scene.undo(force=True).status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, SICK)


def test_a_node_that_left_the_inventory_does_not_keep_the_others_from_being_undone() -> None:
    """It is named, and the undo is partial."""
    scene = done()
    scene.target = replace(scene.target, nodes=scene.target.nodes[1:])
    lost = scene.fleet.settings.pop("a")
    carried = scene.undo()
    assert carried.status is RunStatus.PARTIAL
    assert scene.settings == dict.fromkeys(NAMES[1:], SICK)
    assert lost == ORDINARY
    assert all("inventory" in result.hosts[-1].message for result in carried.results)


def test_a_run_that_was_killed_before_its_first_step_is_closed_by_an_undo() -> None:
    """Nothing is in effect, so there is nothing to put back; it must not stand in the way of the next run."""
    whole = world()
    whole.act()
    cut = world()
    cut.wire.trip_after = whole.wire.calls.index("journal.append") + 1
    with pytest.raises(CrashError):
        cut.act()
    cut.wire.trip_after = None
    assert cut.runs()[RUN].status is RunStatus.OPEN
    assert not cut.undo_plan().steps
    cut.undo()
    assert cut.runs()[RUN].status is RunStatus.UNDONE
    assert UNDO not in cut.runs(), "no run of its own for nothing"
    assert not cut.undo_plan().steps
