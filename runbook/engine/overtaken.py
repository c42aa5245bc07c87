"""The emergency brake and the runs that it overtakes: they stop where they are, and put nothing back."""

from collections.abc import Iterable

from runbook.model.journal import Entry, Event, original
from runbook.model.run import ROLLBACK, WAY_BACK, Run, RunPlan, RunStatus, StepState
from runbook.ports import Journal


def superseded_by(journal: Journal, run: str) -> str:
    """The run of the brake that overtook this one, else nothing. Cheap: only what is new in the journal is read.

    Raises:
        DamagedError, StorageError: the journal cannot be read.
    """
    told = map(original, journal.fresh())
    return next((_by(entry) for entry in told if entry.event is Event.RUN_SUPERSEDED and entry.run == run), "")


def _by(entry: Entry) -> str:
    return str(entry.details.get("by", "a rollback"))


def overtaken(runs: Iterable[Run], target: str) -> tuple[str, ...]:
    """The runs on the target that have not ended: what the brake overtakes. A migration switches no flag on."""
    return tuple(
        run.plan.id for run in runs if run.plan.target == target and run.status is RunStatus.OPEN and not run.migrates
    )


def made_good(runs: Iterable[Run], issue: str, plan: RunPlan) -> tuple[str, ...]:
    """The runs of that issue that did not finish everywhere, and that the plan, which did, has brought to their end.

    The brake must have turned off all that they would have. What takes a share to nothing always takes all of it.
    """
    keys = {step.key for step in plan.steps}
    return tuple(
        run.plan.id
        for run in runs
        if run.is_brake
        and (run.plan.issue, run.plan.target, run.status) == (issue, plan.target, RunStatus.PARTIAL)
        and (issue != ROLLBACK or {progress.step.key for progress in run.steps} <= keys)
        and run.plan.id != plan.id
    )


def under_way(runs: Iterable[Run]) -> tuple[str, ...]:
    """The marks of the plays that these runs are in the middle of.

    Not of a brake's, nor of a rollout's way back: these only take off, and one that is ended leaves a share standing.
    """
    others = [run for run in runs if run.plan.undoes or run.plan.issue not in {ROLLBACK, WAY_BACK}]
    steps = [step for run in others for step in run.steps if step.state in {StepState.INTENDED, StepState.UNDOING}]
    return tuple(step.mark for step in steps if step.mark)
