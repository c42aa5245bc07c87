"""Show and check the journal: who did what, when, why, and what came of it."""

from typing import TYPE_CHECKING, Any

import click

from runbook.errors import MEANINGS, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runbook.adapters.journal import FileJournal
    from runbook.report.lines import Line


def _exit_codes(*codes: ExitCode) -> str:
    return "\b\nExit codes:\n" + "\n".join(f"{int(code):3}  {MEANINGS[code]}" for code in codes)


_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def command() -> None:
    """Show and check the journal: who did what, when, why, and what came of it."""


@command.command(epilog=_exit_codes(ExitCode.DONE, ExitCode.USAGE, ExitCode.DAMAGED, ExitCode.STORAGE))
@click.option("--run", metavar="RUN", help="Only the entries of that run.")
@click.option("--last", metavar="N", type=click.IntRange(min=1), help="Only the last N entries.")
@_JSON
def show(run: str | None, last: int | None, *, as_json: bool) -> None:
    """Print the entries, oldest first.

    Where the journal is damaged, the entries before the damage are printed.
    """
    from collections import deque

    from runbook.errors import RunbookError, UsageError
    from runbook.report.audit import entry_data, entry_lines

    entries: deque[Any] = deque(maxlen=last)
    trouble: RunbookError | None = None
    try:
        entries.extend(entry for entry in _journal().entries() if run in {None, entry.run})
    except RunbookError as error:
        trouble = error
    if run is not None and not entries and trouble is None:
        raise UsageError(f"the journal knows no run {run!r}", hint="runbook runs lists them")
    if trouble is None or (entries and not as_json):
        data = {"entries": [entry_data(entry) for entry in entries]}
        _tell("audit show", ExitCode.DONE, data, entry_lines(entries), as_json=as_json)
    if trouble is not None:
        raise trouble


@command.command(epilog=_exit_codes(ExitCode.DONE, ExitCode.DAMAGED, ExitCode.STORAGE))
@_JSON
@click.pass_context
def verify(ctx: click.Context, *, as_json: bool) -> None:
    """Check every line, the chain and the sealed head.

    Anything edited, removed, reordered, inserted or cut off is damage. A last line that a crash left unfinished is
    reported, and is none.
    """
    from runbook.report.audit import state_data, state_lines

    state = _journal().verify()
    code = ExitCode.DONE if state.sound else ExitCode.DAMAGED
    _tell("audit verify", code, state_data(state), state_lines(state), as_json=as_json)
    ctx.exit(code)


@command.command("set-aside", epilog=_exit_codes(ExitCode.DONE, ExitCode.USAGE, ExitCode.REFUSED, ExitCode.STORAGE))
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stands in the new journal's first entry.")
@_JSON
def set_aside(reason: str, *, as_json: bool) -> None:
    """Keep a damaged journal under another name, and start a new one that knows it.

    The new journal's first entry holds the old one's SHA-256, its entries, its damage and the reason. Runs of the old
    journal can no longer be undone or resumed. A sound journal is not set aside.
    """
    from runbook.report.audit import entry_data, entry_lines

    entry = _journal().set_aside(reason)
    _tell("audit set-aside", ExitCode.DONE, {"entry": entry_data(entry)}, entry_lines([entry]), as_json=as_json)


def _tell(name: str, code: ExitCode, data: dict[str, Any], lines: "Iterable[Line]", *, as_json: bool) -> None:
    from runbook.cli.screen import show as show_lines
    from runbook.cli.screen import show_json
    from runbook.report.document import envelope

    if as_json:
        show_json(envelope("audit", name, code, data))
    else:
        show_lines(lines)


def _journal() -> "FileJournal":
    import os

    from runbook.adapters.clock import SystemClock
    from runbook.adapters.journal import FileJournal, invoking_user, machine
    from runbook.config import state_folder

    return FileJournal(state_folder(os.environ), SystemClock(), invoking_user(os.environ), machine())
