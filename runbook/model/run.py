"""A run: one invocation that may change something. Its whole state is a fold over the journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from runbook.errors import ExitCode

if TYPE_CHECKING:
    from datetime import datetime

    from runbook.model.finding import Change
    from runbook.model.journal import Entry
    from runbook.model.quantity import Limits
    from runbook.model.risk import Risk


class StepState(StrEnum):
    """Where a step of a run stands, as far as the journal knows."""

    PENDING = "pending"
    INTENDED = "intended"  # the intent is journaled, the outcome is not: look at the nodes
    DONE = "done"
    FAILED = "failed"
    UNDOING = "undoing"  # the undo's intent is journaled, its outcome is not
    UNDONE = "undone"
    UNDO_FAILED = "undo failed"


class RunStatus(StrEnum):
    """How a run ended, or that it has not."""

    OPEN = "open"
    RECOVERED = "recovered"
    NOT_RECOVERED = "not recovered"
    COULD_NOT_TELL = "could not tell"
    DONE = "done"  # an undo, or a change without a watch
    PARTIAL = "partial"
    UNDONE = "undone"  # a step failed, everything was put back
    REVERTED = "reverted"  # a migration that was taken back when somebody asked for it
    PERSON_NEEDED = "person needed"
    SUPERSEDED = "superseded"  # the emergency brake overtook it; it stopped, and put nothing back
    WAITING = "waiting"  # for the approval of a second person: nothing has begun
    WITHDRAWN = "withdrawn"  # it never began, and never will

    @property
    def exit_code(self) -> ExitCode:
        """What the command that ran it returns."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    RunStatus.OPEN: ExitCode.INTERRUPTED,
    RunStatus.RECOVERED: ExitCode.DONE,
    RunStatus.NOT_RECOVERED: ExitCode.BAD_NEWS,
    RunStatus.COULD_NOT_TELL: ExitCode.COULD_NOT_TELL,
    RunStatus.DONE: ExitCode.DONE,
    RunStatus.PARTIAL: ExitCode.PARTIAL,
    RunStatus.UNDONE: ExitCode.STEP_FAILED,
    RunStatus.REVERTED: ExitCode.DONE,
    RunStatus.PERSON_NEEDED: ExitCode.PERSON_NEEDED,
    RunStatus.SUPERSEDED: ExitCode.PARTIAL,
    RunStatus.WAITING: ExitCode.REFUSED,
    RunStatus.WITHDRAWN: ExitCode.REFUSED,
}


ROLLBACK = "rollback"
"""What a run of the emergency brake has in the place of an issue."""


ROLLOUT = "rollout"
"""What a run that enters a stage of a rollout has there."""
WAY_BACK = "rollout back"
"""What a run that takes a rollout's share to nothing has there: like the brake, it is not resumed, but given again."""


MIGRATION = "migration"
"""What a run that migrates data has there. Its steps are those of `migration_run`; here it has none."""
ONLINE = "online"
"""The form of a migration on nodes: a conversion of a file is journaled too, and is no run."""


@dataclass(frozen=True, slots=True)
class RunStep:
    """One step as it was decided when the run began: names of playbooks, and each node's old and new value."""

    index: int
    title: str
    do: str
    undo: str
    key: str
    changes: tuple[Change, ...]
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class RunPlan:
    """Everything that a run needs to be carried out, and to be resumed by someone else; journaled at its start.

    `undoes` names the run that this one undoes; empty for a run of an issue. `watch_seconds` 0 is no watch.
    `limits` are lower ones for the watch than the issue's own.
    """

    id: str
    command: str
    issue: str
    target: str
    reason: str
    steps: tuple[RunStep, ...]
    watch_seconds: float = 0.0
    allow_disruptive: bool = False
    undoes: str = ""
    limits: Limits = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step and where it stands.

    `changed` are the nodes where its change is in effect, as far as is known; where an interruption left it in doubt,
    they count too. `spared` are those that were not touched: they are not this run's to put back.
    """

    step: RunStep
    state: StepState = StepState.PENDING
    changed: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()
    mark: str = ""
    messages: tuple[tuple[str, str], ...] = ()

    @property
    def applied(self) -> tuple[Change, ...]:
        """The changes that are in effect, or may be: an undo is compare-and-set, so a doubt does no harm."""
        match self.state:
            case StepState.UNDONE:
                return ()
            case StepState.INTENDED | StepState.FAILED | StepState.UNDOING:
                return tuple(change for change in self.step.changes if change.node not in self.spared)
            case _:
                return tuple(change for change in self.step.changes if change.node in self.changed)


@dataclass(frozen=True, slots=True)
class Approval:
    """The question that a run waits with, and the answer: `given` is None until a second person has said yes.

    `digest` is that of the plan as it was approved. `seconds` is how long the question waits, and how long the answer
    holds.
    """

    asked: Entry
    risk: Risk
    why: tuple[str, ...]
    seconds: float
    given: Entry | None = None
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the journal tells it."""

    plan: RunPlan
    who: str
    where: str
    started_at: datetime
    steps: tuple[StepProgress, ...]
    status: RunStatus = RunStatus.OPEN
    ended_at: datetime | None = None
    undone_by: str = ""
    approval: Approval | None = None
    migrates: bool = False

    @property
    def applied(self) -> tuple[StepProgress, ...]:
        """The steps that still have changes on some node."""
        return tuple(progress for progress in self.steps if progress.applied)

    @property
    def resumable(self) -> bool:
        """Is there something left to do? Not where all of it was undone meanwhile.

        The emergency brake is not resumed but pulled again.
        """
        return not self.undone_by and not self.is_brake and self.status in {RunStatus.OPEN, RunStatus.PARTIAL}

    @property
    def is_brake(self) -> bool:
        """Did the emergency brake make it, and nothing else? An undo of one is an ordinary run."""
        return self.plan.issue in {ROLLBACK, WAY_BACK} and not self.plan.undoes and not self.migrates

    @property
    def way_on(self) -> str:
        """What a person does about it where it has not ended."""
        run = self.plan.id
        first = f"runbook {self.plan.command} --target {self.plan.target}" if self.is_brake else f"runbook resume {run}"
        return first if self.plan.issue == WAY_BACK else f"{first}   (or: runbook undo {run})"
