"""Rehearsals: what is rehearsed, how long each phase took against its limit, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runbook.errors import ExitCode

BRAKE = "rollback"
"""What a drill of the emergency brake is filed under; every other drill is filed under its issue."""

TOOL = "engram-runbook"
"""This tool, among the versions of what took part in a drill."""


class Outcome(StrEnum):
    """How a drill ended, or that it has not."""

    OPEN = "open"  # still going on, or cut off where nothing could be recorded any more
    PASSED = "passed"
    FAILED = "failed"
    ABORTED = "aborted"  # interrupted, or the fleet or the tool did not work: nothing was learned of the procedure


@dataclass(frozen=True, slots=True)
class Drill:
    """What is rehearsed; journaled before anything is started.

    `fault` is what breaks the fleet, or for a drill of the brake which rollback it is. `versions` names what took part
    by name: a drill says nothing about another version.
    """

    id: str
    issue: str
    fault: str
    nodes: int
    reason: str
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of a drill, in seconds; `seconds` None is a phase that did not come to its end."""

    name: str
    seconds: float | None
    limit_seconds: float

    @property
    def passed(self) -> bool:
        """Did it end, within its limit?"""
        return self.seconds is not None and self.seconds <= self.limit_seconds


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a drill measured; `why` says what was not as it must be, and is empty where all was."""

    phases: tuple[Phase, ...]
    why: tuple[str, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything that keeps it from having passed: what was wrong, and what took too long."""
        late = [
            f"{phase.name} took {phase.seconds:.1f} s, more than {phase.limit_seconds:g} s"
            for phase in self.phases
            if phase.seconds is not None and not phase.passed
        ]
        return (*self.why, *late)

    @property
    def outcome(self) -> Outcome:
        """PASSED where every phase ended in time and nothing was wrong."""
        return Outcome.PASSED if not self.why and all(phase.passed for phase in self.phases) else Outcome.FAILED

    @property
    def exit_code(self) -> ExitCode:
        """What the command that rehearsed returns."""
        return ExitCode.DONE if self.outcome is Outcome.PASSED else ExitCode.BAD_NEWS


@dataclass(frozen=True, slots=True)
class DrillRecord:
    """One drill as the journal tells it: who rehearsed what, when, and what came of it."""

    drill: Drill
    who: str
    where: str
    at: datetime
    outcome: Outcome = Outcome.OPEN
    phases: tuple[Phase, ...] = ()
    why: tuple[str, ...] = ()
