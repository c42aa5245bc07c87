"""A rollout that is cut off after any call of any port goes on, or back: it always knows where it is.

The positions are not listed: the first run counts its calls, and the sweep goes through all of them.
"""

from collections.abc import Callable
from contextlib import suppress

import pytest
from fleet_in_memory import CrashError
from rollout_world import BLENDED, CONCEPTS, HOLD, NAMES, RATE, Scene, scene, walked

from runbook.engine.journal_time import ages
from runbook.engine.rollout.state import newest_of
from runbook.errors import ExitCode, InterruptedRunError, RefusedError
from runbook.model.journal import Event
from runbook.model.rollout import Standing

Act = Callable[[Scene], object]


def cut_off(
    make: Callable[[], Scene], act: Act, position: int, error: type[BaseException] = CrashError
) -> Scene | None:
    """The world after the act was cut off there; None where it has no such position."""
    made = make()
    made.world.wire.calls.clear()
    made.world.wire.trip_after, made.world.wire.error = position, error
    with suppress(CrashError, KeyboardInterrupt, InterruptedRunError):
        act(made)
    if len(made.world.wire.calls) < position:
        return None
    made.world.wire.trip_after = None
    assert made.world.journal.verify().sound
    assert_no_gate_was_skipped(made)
    return made


def sweep(make: Callable[[], Scene], act: Act, then: Callable[[Scene, str], None], **how: type[BaseException]) -> int:
    """Cut it off at every position, and go on from there; how many positions there were."""
    position = 1
    while (made := cut_off(make, act, position, **how)) is not None:
        then(made, f"cut off after {position}, {made.world.wire.calls[position - 1]}")
        assert_no_gate_was_skipped(made)
        position += 1
    return position - 1


def assert_no_gate_was_skipped(made: Scene) -> None:
    """Between two stages each had its time, by the journal; and no share is on a node that no stage had announced."""
    entries = list(made.world.journal.entries())
    found = newest_of(entries, "fleet")
    if found is None:
        return
    age = ages(entries, made.world.ports.read.clock.now())
    begun: dict[int, int] = {}
    for entry in entries:
        if entry.event is Event.ROLLOUT_ENTERING:
            begun.setdefault(entry.details["stage"], entry.seq)
    for before in found.entered:
        after = begun.get(before.stage + 1)
        assert after is None or age[before.seq] - age[after] >= HOLD
    allowed = {0.0, 1.0, *(found.plan.stages[number].share for number in begun)}
    assert made.rates() <= allowed


def gone_back(made: Scene) -> bool:
    """Are the flags off, and is nobody treated, on every node?"""
    return all(
        (values[BLENDED], values[CONCEPTS], values[RATE]) == (False, False, 0.0) for values in made.settings.values()
    )


def advanced(made: Scene) -> None:
    """Wait as long as it takes, and go on."""
    made.wait()
    assert made.advance().code is ExitCode.DONE


@pytest.mark.parametrize("error", [CrashError, KeyboardInterrupt])
def test_a_start_cut_off_anywhere_is_gone_on_with(error: type[BaseException]) -> None:
    """By `advance`, which brings the entering to its end; or by `start`, where nothing was journaled yet."""

    def then(made: Scene, where: str) -> None:
        found = newest_of(made.world.journal.entries(), "fleet")
        if found is None:
            assert made.rates() == {1.0}, where
            made.start()
        elif found.standing is Standing.ENTERING:
            assert made.advance().code is ExitCode.DONE, where
        assert (made.rollout.standing, made.rollout.stage, made.rates()) == (Standing.RUNNING, 0, {0.0}), where

    assert sweep(scene, Scene.start, then, error=error) > 40


@pytest.mark.parametrize("error", [CrashError, KeyboardInterrupt])
def test_an_advance_cut_off_anywhere_is_gone_on_with(error: type[BaseException]) -> None:
    """Given again it enters the same stage once; nothing is set twice, and no gate is skipped."""

    def then(made: Scene, where: str) -> None:
        assert made.rollout.standing in {Standing.RUNNING, Standing.ENTERING}, where
        if made.rollout.stage == 0 or made.rollout.standing is Standing.ENTERING:
            assert made.advance().code is ExitCode.DONE, where
        assert (made.rollout.standing, made.rollout.stage, made.rates()) == (Standing.RUNNING, 1, {0.25}), where
        assert made.advance().code is ExitCode.REFUSED, where  # its time is to be waited for
        advanced(made)
        assert made.rates() == {0.5}, where

    assert sweep(lambda: walked(0), advanced, then, error=error) > 60


def test_an_advance_cut_off_anywhere_can_be_taken_back_and_nothing_brings_it_on_again() -> None:
    """Neither resuming what runs were left, nor `advance`, nor the watcher ever restores a share."""

    def then(made: Scene, where: str) -> None:
        assert made.abort().code is ExitCode.DONE, where
        assert gone_back(made), where
        made.resume_runs()
        with pytest.raises(RefusedError):
            made.advance()
        assert made.watch(once=True).code is ExitCode.BAD_NEWS, where
        assert made.rollout.standing is Standing.ABORTED, where
        assert gone_back(made), where

    assert sweep(lambda: walked(0), advanced, then) > 60


@pytest.mark.parametrize("error", [CrashError, KeyboardInterrupt])
def test_an_abort_cut_off_anywhere_is_brought_to_its_end(error: type[BaseException]) -> None:
    """Given again; or by the watcher, which goes on with it by itself. Where it was journaled, nothing else goes on."""

    def then(made: Scene, where: str) -> None:
        if made.rollout.standing is Standing.REVERTING:
            with pytest.raises(RefusedError):
                made.advance()
            assert made.watch(once=True).code is ExitCode.BAD_NEWS, where
        elif made.rollout.standing is not Standing.ABORTED:
            assert made.abort().code is ExitCode.DONE, where
        assert made.rollout.standing is Standing.ABORTED, where
        assert gone_back(made), where
        made.resume_runs()
        assert gone_back(made), where

    assert sweep(lambda: walked(2), Scene.abort, then, error=error) > 25


def test_a_watch_that_rolls_back_cut_off_anywhere_rolls_back_when_it_is_started_again() -> None:
    """How long the trigger has been YES is in the journal: the new one does not begin to count anew."""

    def make() -> Scene:
        made = walked(1)
        made.failing = dict.fromkeys(NAMES, 8.0)
        return made

    def then(made: Scene, where: str) -> None:
        if not made.rollout.standing.is_over:
            assert made.watch().code is ExitCode.BAD_NEWS, where
        assert made.rollout.standing is Standing.ROLLED_BACK, where
        assert gone_back(made), where

    assert sweep(make, Scene.watch, then) > 60
