"""Read an archive or a backup to its end, and say what is in it."""

from typing import Any

import click

from runbook.cli.options import ends_with, identity_option, json_option, progress_option
from runbook.errors import ExitCode

ENDS = (
    ExitCode.DONE,
    ExitCode.BAD_NEWS,
    ExitCode.PARTIAL,
    ExitCode.DAMAGED,
    ExitCode.REFUSED,
    ExitCode.STORAGE,
    ExitCode.NOT_SUPPORTED,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
)


@click.command("inspect", epilog=ends_with(*ENDS))
@click.argument("file", metavar="FILE|-|BACKUP")
@click.option("--compare", metavar="OTHER", help="Has OTHER the same content? What differs, where not (exit 3).")
@click.option("--decode", is_flag=True, help="Print JSON lines with embeddings as arrays of numbers, for other tools.")
@identity_option
@progress_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, **said: Any) -> None:
    """Read an export, packed or not, or a backup strictly to its end, and say what is in it.

    Damage is told with line and byte, or with the block of 1 MiB whose hash does not fit.
    """
    from runbook.cli.archive.inspect import Wishes, carry_out

    ctx.exit(carry_out(Wishes(**said)))
