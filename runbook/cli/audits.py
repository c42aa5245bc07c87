"""Carry out `runbook audit`."""

from collections import deque
from typing import TYPE_CHECKING

from runbook.cli import compose
from runbook.cli.screen import show, show_json
from runbook.errors import ExitCode, RunbookError, UsageError
from runbook.report.audit import entry_data, entry_lines, state_data, state_lines
from runbook.report.document import envelope
from runbook.report.lines import Style, line

if TYPE_CHECKING:
    from runbook.model.journal import Entry


def show_entries(run: str | None, last: int | None, *, as_json: bool) -> ExitCode:
    """Print the entries; those before a damage too, and then the damage is raised.

    Raises:
        DamagedError: the journal is damaged.
        UsageError: no entry is of that run.
    """
    entries: deque[Entry] = deque(maxlen=last)
    try:
        entries.extend(entry for entry in compose.session().journal.entries() if run in {None, entry.run})
    except RunbookError:
        if entries and not as_json:
            show(entry_lines(entries))
        raise
    if run is not None and not entries:
        raise UsageError(f"the journal knows no run {run!r}", hint="runbook runs lists them")
    if as_json:
        data = {"entries": [entry_data(entry) for entry in entries]}
        show_json(envelope("audit", "runbook audit show", ExitCode.DONE, data))
    else:
        show(entry_lines(entries) if entries else [line("No entry yet: nothing was ever recorded here.", Style.FAINT)])
    return ExitCode.DONE


def verify_journal(*, as_json: bool) -> ExitCode:
    """Print what a check of the whole journal finds; DAMAGED where it is not sound."""
    state = compose.session().journal.verify()
    code = ExitCode.DONE if state.sound else ExitCode.DAMAGED
    if as_json:
        show_json(envelope("audit", "runbook audit verify", code, state_data(state)))
    else:
        show(state_lines(state))
    return code


def set_journal_aside(reason: str, *, as_json: bool) -> ExitCode:
    """Start a new journal beside a damaged one.

    Raises:
        RefusedError: the journal is sound.
    """
    entry = compose.session().journal.set_aside(reason)
    if as_json:
        data = {"entries": [entry_data(entry)]}
        show_json(envelope("audit", "runbook audit set-aside", ExitCode.DONE, data))
    else:
        show(entry_lines([entry]))
    return ExitCode.DONE
