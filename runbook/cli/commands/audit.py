"""Show and check the journal: who did what, when, why, and what came of it."""

import click

from runbook.cli.options import OWN_CODES, ends_with, json_option, readable
from runbook.errors import ExitCode


@click.group("audit", epilog=OWN_CODES)
def command() -> None:
    """Show and check the journal: who did what, when, why, and what came of it."""


@command.command(epilog=ends_with(ExitCode.DONE, ExitCode.LOCKED, ExitCode.DAMAGED, ExitCode.STORAGE))
@click.option("--run", metavar="RUN", help="Only the entries of that run.")
@click.option("--last", metavar="N", type=click.IntRange(min=1), help="Only the last N entries.")
@json_option
@click.pass_context
def show(ctx: click.Context, *, run: str | None, last: int | None, as_json: bool) -> None:
    """Print the entries, oldest first.

    Where the journal is damaged, the entries before the damage are printed.
    """
    from runbook.cli.audits import show_entries

    ctx.exit(show_entries(run, last, as_json=as_json))


@command.command(epilog=ends_with(ExitCode.DONE, ExitCode.LOCKED, ExitCode.DAMAGED, ExitCode.STORAGE))
@json_option
@click.pass_context
def verify(ctx: click.Context, *, as_json: bool) -> None:
    """Check every line, the chain and the sealed head.

    Anything edited, removed, reordered, inserted or cut off is damage. A last line that a crash left unfinished is
    reported, and is none.
    """
    from runbook.cli.audits import verify_journal

    ctx.exit(verify_journal(as_json=as_json))


@command.command("set-aside", epilog=ends_with(ExitCode.DONE, ExitCode.LOCKED, ExitCode.REFUSED, ExitCode.STORAGE))
@click.option(
    "--reason",
    required=True,
    metavar="TEXT",
    callback=readable,
    help="Why; it stands in the new journal's first entry.",
)
@json_option
@click.pass_context
def set_aside(ctx: click.Context, *, reason: str, as_json: bool) -> None:
    """Keep a damaged journal under another name, and start a new one that knows it.

    The new journal's first entry holds the old one's SHA-256, its entries, its damage and the reason. Runs of the old
    journal can no longer be undone or resumed. A sound journal is not set aside.
    """
    from runbook.cli.audits import set_journal_aside

    ctx.exit(set_journal_aside(reason, as_json=as_json))
