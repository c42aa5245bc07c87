"""Runs that have not ended: told beside a diagnosis, and nothing new begins beside them."""

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.engine.history import runs_of
from runbook.errors import LockedError, RefusedError, RunbookError
from runbook.model.run import Run, RunStatus


def open_runs(target: str) -> dict[str, str]:
    """Runs on the target that have not ended, with what to do; a damaged journal must not stop a diagnosis."""
    current = compose.session()
    try:
        runs = [run for run in runs_of(current.journal.entries()).values() if run.resumable or _cut_off(run)]
    except RunbookError:
        return {}
    return {run.plan.id: _to_do(current, run) for run in runs if run.plan.target == target}


def _cut_off(run: Run) -> bool:
    """Is it a rollback that was not carried to its end?"""
    return run.is_brake and run.status is RunStatus.OPEN and not run.undone_by


def _to_do(current: Session, run: Run) -> str:
    if _is_alive(current, run.plan.id):
        return f"Run {run.plan.id} is still at work."
    return f"Run {run.plan.id} has not ended: {run.way_on}"


def _is_alive(current: Session, run: str) -> bool:
    try:
        with current.locks.hold(f"run-{run}", run):
            return False
    except LockedError:
        return True
    except RunbookError:
        return False  # the state folder cannot be written: then nobody is at work in it either


def refuse_beside_open(current: Session, target: str) -> None:
    """Nothing new on a target where a run stands half done.

    Raises:
        LockedError: it is still at work.
        RefusedError: it was interrupted; it has to be brought to its end, or undone, first.
    """
    current.journal.adopt()  # a rollback may have left word of itself in the second place
    # Reads all of the journal: a damaged one refuses too. The newest first: where it undoes another, both are open.
    for run in reversed(runs_of(current.journal.entries()).values()):
        if run.plan.target == target and run.status is RunStatus.OPEN and not run.undone_by:
            if _is_alive(current, run.plan.id):
                raise LockedError(f"run {run.plan.id} of {run.who} is still at work", hint="runbook runs shows it")
            raise RefusedError(
                f"run {run.plan.id} was interrupted and has not ended",
                hint=f"first: {run.way_on}",
            )
