"""The emergency brake and the runs that it overtakes: they stop where they are, and put nothing back."""

from collections.abc import Iterable

from runbook.model.journal import Entry, Event, original
from runbook.model.run import Run, RunStatus
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
    """The runs on the target that have not ended: what the brake overtakes."""
    return tuple(run.plan.id for run in runs if run.plan.target == target and run.status is RunStatus.OPEN)
