"""A journal that is damaged while a rollout is watched: what takes back is asked all the same, and nothing goes on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from rollout_world import BLENDED, BY_ITSELF, NAMES, RATE, Scene, walked

from runbook.engine.brake_record import Wish
from runbook.engine.rollout.looked import Look
from runbook.engine.rollout.watch import Watched, Wishes, watch
from runbook.errors import DamagedError, ExitCode, StorageError
from runbook.model.brake import Rollback
from runbook.model.journal import Event
from runbook.model.rollout import Standing


@dataclass
class Breaking:
    """A journal that reads and takes entries until it is broken; its second place takes what it refuses."""

    inner: Any
    error: Callable[[str], Exception] = DamagedError
    broken: bool = False

    def __getattr__(self, name: str) -> Any:
        if self.broken and name in {"entries", "append", "fresh"}:
            raise self.error("journal.jsonl, line 7: it does not follow the line before")
        return getattr(self.inner, name)


@dataclass
class Broken:
    """A rollout that is watched over such a journal."""

    made: Scene
    journal: Breaking

    def watch(self, after: Callable[[int, Look], None], seconds: float = 120) -> Watched:
        """Watch it; `after` is called with the number of each look, from 1, and with what it found."""
        looks: list[Look] = []

        def tell(look: Look) -> None:
            looks.append(look)
            after(len(looks), look)

        wishes = Wishes(timeout=timedelta(seconds=seconds))
        return watch(self.made.crew, self.made.eyes, self.made.rollout, wishes, tell)

    def breaks(self, count: int, look: Look) -> None:
        """After the second look."""
        del look
        self.journal.broken = count > 1


def breaking(error: Callable[[str], Exception] = DamagedError, plan: Any = None) -> Broken:
    """A quarter is treated, all is well yet."""
    made = walked(1) if plan is None else walked(1, plan)
    journal = Breaking(made.world.ports.journal, error)
    made.world.with_(journal=journal)
    return Broken(made, journal)


@pytest.mark.parametrize("error", [DamagedError, StorageError])
def test_gross_harm_is_taken_back_though_the_journal_does_not_read(error: Callable[[str], Exception]) -> None:
    """By the tripwire, with all that a way back does; what the journal refused waits for it in its second place."""
    broken = breaking(error)

    def after(count: int, look: Look) -> None:
        broken.breaks(count, look)
        if count == 4:
            assert "THE JOURNAL CANNOT BE READ" in look.told
            broken.made.failing = dict.fromkeys(NAMES, 60.0)

    watched = broken.watch(after)
    assert (watched.code, watched.rollout.standing) == (ExitCode.BAD_NEWS, Standing.ROLLED_BACK)
    assert "of the treated recalls fail" in watched.rollout.why
    assert {(each[BLENDED], each[RATE]) for each in broken.made.settings.values()} == {(False, 0.0)}
    events = {each.event for each in broken.made.world.journal.waiting()}
    assert {Event.ROLLOUT_REVERTING, Event.ROLLOUT_ENDED, Event.RUN_STARTED} <= events
    broken.journal.broken = False
    assert broken.made.rollout.standing is Standing.ROLLED_BACK


def test_while_all_is_well_nothing_goes_on_and_it_ends_with_what_the_journal_is() -> None:
    """No stage is entered, no look of the judge taken; mended, it goes on as ever."""
    broken = breaking(plan=BY_ITSELF)
    told: list[ExitCode] = []

    def after(count: int, look: Look) -> None:
        broken.journal.broken = 1 < count < 20
        told.append(look.code)
        if 2 < count < 20:
            assert look.rollout.stage == 1

    watched = broken.watch(after)
    assert set(told[2:19]) == {ExitCode.DAMAGED}
    assert (watched.rollout.stage, watched.code) == (2, ExitCode.DONE)


def test_a_brake_that_somebody_pulled_meanwhile_takes_the_share_back() -> None:
    """It is known from the second place alone."""
    broken = breaking()

    def after(count: int, look: Look) -> None:
        broken.breaks(count, look)
        if count == 3:
            broken.made.pull(Wish(Rollback.FEATURES, "20261122T230000-cccc", "bad", 5.0, "rollback features"))

    watched = broken.watch(after)
    assert (watched.code, watched.rollout.standing) == (ExitCode.BAD_NEWS, Standing.ROLLED_BACK)
    assert "20261122T230000-cccc" in watched.rollout.why
    assert broken.made.rates() == {0.0}


def test_a_journal_that_never_read_ends_the_watch() -> None:
    """Nobody knows what is to be guarded: 12, at once; and so for who looks but once."""
    broken = breaking()
    rollout = broken.made.rollout
    broken.journal.broken = True
    for once in (False, True):
        with pytest.raises(DamagedError):
            watch(broken.made.crew, broken.made.eyes, rollout, Wishes(once=once), lambda _: None)
