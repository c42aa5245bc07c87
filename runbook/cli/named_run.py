"""The run that a command line names."""

import difflib

from runbook.cli.compose import Session
from runbook.engine.history import runs_of
from runbook.errors import UsageError
from runbook.model.journal import Event
from runbook.model.run import Run


def set_aside(current: Session) -> list[str]:
    """Files of damaged journals that were set aside: their runs are not among ours."""
    entries = (entry for entry in current.journal.entries() if entry.event is Event.JOURNAL_STARTED)
    return [str(current.state / entry.details["set_aside"]) for entry in entries if entry.details.get("set_aside")]


def run_named(current: Session, run_id: str) -> Run:
    """The run of that id.

    Raises:
        UsageError: there is none; the hint has the id that was probably meant.
    """
    runs = runs_of(current.journal.entries())
    if run_id not in runs:
        close = difflib.get_close_matches(run_id, runs, n=1)
        aside = [f"an earlier journal was set aside: {name}" for name in set_aside(current)]
        hint = f"did you mean {close[0]}?" if close else "; ".join(["runbook runs lists them", *aside])
        raise UsageError(f"there is no run {run_id!r} in this journal", hint=hint)
    return runs[run_id]
