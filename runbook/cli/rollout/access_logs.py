"""The splitters' access logs for the gate of a rollout: read at once, or beside a watch, whose looks do not wait."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Self

from runbook.cli import compose, signals
from runbook.cli.abtest.access import counted_by, scope_of
from runbook.cli.compose import Session
from runbook.engine.judging.access import Since, access_report
from runbook.errors import ExitCode, RunbookError
from runbook.model.access import AccessReport
from runbook.model.measurement import Silence
from runbook.model.rollout import Rollout
from runbook.model.target import Target

SELDOM = 10.0
"""What was read is good for so many times as long as reading took: a heavy log must not be read all the time."""
CHECKS = 5.0
"""But for so many looks of the watch at least: else it would be old before it is looked at."""
END_SECONDS = 30.0
LONGEST_SECONDS = 4 * 3600.0
"""A splitter's host that hangs is no reason to say for ever that its log is being read; nothing is good for longer.
Half a terabyte of recalls is counted by then."""


@dataclass(frozen=True, slots=True)
class StageLogs:
    """The port `AccessLogs` by a play; `cancelled` as for plays."""

    current: Session
    target: Target
    say: Callable[[str], None]
    cancelled: Callable[[], ExitCode | None] = signals.received

    def report(self, rollout: Rollout, now: float) -> AccessReport:
        """Read them, and wait for it."""
        mark = f"access-{self.current.new_run_id()}"
        plays = compose.plays_on(self.target, self.cancelled)
        return counted_by(plays, self.target, scope_of(rollout, now), mark, self.say)


@dataclass(slots=True)
class _Reading:
    """One reading of one stage; `of` tells stages apart. `found` None: it goes on. Times on the steady clock."""

    of: tuple[int, int, datetime | None]
    begun: float
    thread: threading.Thread
    found: AccessReport | None = None
    ended: float = 0.0


class LogsBeside:
    """The port `AccessLogs` of a watch: a thread of its own reads, and triggers are asked meanwhile.

    What it reads is told by a later look. On leaving, a play that is under way is ended.
    """

    def __init__(self, logs: StageLogs) -> None:
        self._ending = threading.Event()
        self._logs = replace(logs, say=lambda _: None, cancelled=self._cancelled)
        self._clock = logs.current.clock
        self._reading: _Reading | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        if self._reading is not None and self._reading.thread.is_alive():
            self._reading.thread.join(END_SECONDS)

    def report(self, rollout: Rollout, now: float) -> AccessReport | None:
        """What was read of the stage lately; None while it is being read, which begins by asking."""
        of = (rollout.stage, rollout.entered[-1].seq if rollout.entered else 0, rollout.released)
        known = self._reading
        if known is not None and known.found is None and known.thread.is_alive():
            return None  # of the stage before, it ends as well: one play at a time
        if known is None or known.found is None or known.of != of or self._is_old(known, rollout):
            self._begin(of, rollout, now)
            return None
        return known.found

    def _is_old(self, known: _Reading, rollout: Rollout) -> bool:
        took = known.ended - known.begun
        good = max(min(SELDOM * took, LONGEST_SECONDS), CHECKS * rollout.plan.check_every.total_seconds())
        return self._clock.monotonic() - known.ended > good

    def _begin(self, of: tuple[int, int, datetime | None], rollout: Rollout, now: float) -> None:
        def read() -> None:
            try:
                found = self._logs.report(rollout, now)
            except RunbookError as error:
                late = f"reading them did not end within {LONGEST_SECONDS:.0f} s"
                found = _unread(self._logs.target, late if self._is_late() else error.message)
            except Exception as error:  # noqa: BLE001 - a thread that dies tells nobody why the gate stays shut
                found = _unread(self._logs.target, f"{type(error).__name__}: {error}")
            reading.ended = self._clock.monotonic()
            reading.found = found

        reading = _Reading(of, self._clock.monotonic(), threading.Thread(target=read, daemon=True))
        self._reading = reading  # before the thread asks whether it is late
        try:
            reading.thread.start()
        except RuntimeError as error:  # a limit of tasks or memory: the watch goes on, and the gate stays shut
            reading.ended = self._clock.monotonic()
            reading.found = _unread(self._logs.target, str(error))

    def _cancelled(self) -> ExitCode | None:
        return ExitCode.INTERRUPTED if self._ending.is_set() or self._is_late() else signals.received()

    def _is_late(self) -> bool:
        return self._reading is not None and self._clock.monotonic() - self._reading.begun > LONGEST_SECONDS


def _unread(target: Target, why: str) -> AccessReport:
    return access_report((), [Silence(each.name, why) for each in target.splitters], None, Since(None, 0.0))
