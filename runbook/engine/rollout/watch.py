"""Look after a rollout: rows, triggers, tripwire, judge; roll back on harm, go on where the plan says so by itself.

Nothing is remembered that the journal does not have, but for what a source observed: killed and started again, it
takes each planned look once, counts on how long a trigger has been YES, and skips no gate.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from runbook.engine.rollout.crew import Acted, Crew
from runbook.engine.rollout.eyes import Eyes, warm
from runbook.engine.rollout.look import Looker
from runbook.engine.rollout.looked import Look
from runbook.errors import DamagedError, ExitCode, LockedError, StorageError
from runbook.model.judgement import Verdict
from runbook.model.rollout import Advance, Rollout, Standing

SHORTEST_PAUSE_SECONDS = 0.05


class Until(StrEnum):
    """How long to watch."""

    VERDICT = "verdict"  # until the judge is sure, or it is taken back
    STAGE = "stage"  # until another stage is entered
    END = "end"  # until the rollout is over
    BY_HAND = "by hand"  # until a phase is entered that is advanced by hand: what `start` does


@dataclass(frozen=True, slots=True)
class Wishes:
    """How long, and how often at most."""

    until: Until = Until.END
    timeout: timedelta | None = None
    once: bool = False


@dataclass(frozen=True, slots=True)
class Watched:
    """How the watch ended: the last look, how many there were, the exit code, and why in one sentence."""

    last: Look
    looks: int
    code: ExitCode
    why: str

    @property
    def rollout(self) -> Rollout:
        """As it stands at the end."""
        return self.last.rollout

    @property
    def acted(self) -> Acted | None:
        """What the last look did."""
        return self.last.acted


def watch(
    crew: Crew,
    eyes: Eyes,
    rollout: Rollout,
    wishes: Wishes,
    tell: Callable[[Look], None],
    begun: Callable[[], None] = lambda: None,
) -> Watched:
    """Look every `check_every` until what was wished for. `tell` hears of every look, `begun` before the first one.

    Raises:
        LockedError: another process watches the target.
        DamagedError: the journal is damaged, and was so at the first look, or nobody looks again.
    """
    clock = crew.ports.read.clock
    looker, begin, count = Looker(crew, eyes, rollout.id), clock.monotonic(), 0
    limit = None if wishes.timeout is None else wishes.timeout.total_seconds()
    with _alone(crew, rollout):
        begun()
        if wishes.once:
            warm(crew, rollout)
        while True:
            at, count = clock.monotonic(), count + 1
            look = _looked(looker, rollout, once=wishes.once)
            tell(look)
            ended = _ended(look, rollout.stage, wishes)
            passed = clock.monotonic() - begin
            if ended is None and limit is not None and passed >= limit:
                ended = ExitCode.COULD_NOT_TELL, f"nothing was decided within {limit:.0f} s"
            if ended is not None:
                return Watched(look, count, *ended)
            _wait(crew, look.rollout, at, None if limit is None else limit - passed, begin)


@contextmanager
def _alone(crew: Crew, rollout: Rollout) -> Iterator[None]:
    """Only one watches; but where the disk takes no lock, two that watch are better than none: harm does not wait."""
    with ExitStack() as held:
        try:
            held.enter_context(crew.ports.locks.hold(f"watch-{crew.target.name}", rollout.id))
        except StorageError as error:
            crew.say(f"NO LOCK ({error.message}): it is watched all the same, and nobody else should")
        yield


def _looked(looker: Looker, rollout: Rollout, *, once: bool) -> Look:
    """One look; a journal that cannot be read ends no watch: harm is looked for all the same, and it is told."""
    try:
        return looker.look()
    except (LockedError, StorageError, DamagedError) as error:
        if once:
            raise
        try:
            return looker.guard(error)
        except (LockedError, StorageError) as refused:
            return Look(rollout, ExitCode.COULD_NOT_TELL, f"the journal cannot be read now: {refused.message}")


def _wait(crew: Crew, rollout: Rollout, at: float, left: float | None, begun: float) -> None:
    clock = crew.ports.read.clock
    every = rollout.plan.check_every.total_seconds()
    pause = max(at + every - clock.monotonic(), SHORTEST_PAUSE_SECONDS)
    if left is not None:
        passed = clock.monotonic() - begun
        crew.ports.read.talk.progress(f"watching {rollout.current.name}", passed, passed + max(left, 0.0))
        pause = min(pause, max(left, SHORTEST_PAUSE_SECONDS))
    clock.sleep(pause)


def _ended(look: Look, first: int, wishes: Wishes) -> tuple[ExitCode, str] | None:
    """The exit code and why, where the watch is over."""
    rollout = look.rollout
    if rollout.standing is Standing.COMPLETED:
        return ExitCode.DONE, f"rollout {rollout.id} is completed"
    if rollout.standing is Standing.REVERTING and look.acted is None and not wishes.once:
        return None  # somebody else does it; should that be cut off, the next look goes on with it
    if rollout.standing.is_over or rollout.standing is Standing.REVERTING:
        failed = look.acted is not None and look.acted.code is not ExitCode.DONE
        code = look.acted.code if look.acted is not None and failed else ExitCode.BAD_NEWS
        return code, f"rollout {rollout.id} is {rollout.standing.value}: {rollout.why}"
    if look.acted is not None and look.acted.code is not ExitCode.DONE:
        fatal = look.acted.code is ExitCode.PERSON_NEEDED or wishes.until is not Until.END
        if fatal or wishes.once:
            return look.acted.code, look.acted.told
    return _reached(look, first, wishes) or ((look.code, look.told) if wishes.once else None)


def _reached(look: Look, first: int, wishes: Wishes) -> tuple[ExitCode, str] | None:
    rollout = look.rollout
    match wishes.until:
        case Until.VERDICT if look.judgement is not None and look.judgement.verdict is Verdict.SAFE:
            return ExitCode.DONE, f"{rollout.current.name} is safe: {look.judgement.why}"
        case Until.STAGE if rollout.stage != first and rollout.standing is Standing.RUNNING:
            return ExitCode.DONE, f"{rollout.current.name} is entered"
        case Until.BY_HAND if rollout.standing is Standing.HELD:
            return ExitCode.COULD_NOT_TELL, f"held in {rollout.current.name}: {rollout.why}"
        case Until.BY_HAND if look.overdue:
            return ExitCode.COULD_NOT_TELL, look.overdue
        case Until.BY_HAND if _is_by_hand(rollout):
            return ExitCode.DONE, f"{rollout.current.name} is entered, which is advanced by hand"
        case _:
            return None


def _is_by_hand(rollout: Rollout) -> bool:
    return rollout.standing is Standing.RUNNING and rollout.current.phase.advance is Advance.BY_HAND
