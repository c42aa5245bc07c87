"""Put back what a run changed, unless somebody has changed it since."""

from typing import Any

import click

from runbook.cli.options import change_options, config_option, ends_with, json_option
from runbook.errors import ExitCode


@click.command(
    "undo",
    epilog=ends_with(
        ExitCode.DONE,
        ExitCode.PARTIAL,
        ExitCode.UNREACHABLE,
        ExitCode.LOCKED,
        ExitCode.DAMAGED,
        ExitCode.REFUSED,
        ExitCode.PERSON_NEEDED,
        ExitCode.STORAGE,
        ExitCode.NOT_SUPPORTED,
        ExitCode.INTERRUPTED,
        ExitCode.TERMINATED,
    ),
)
@click.argument("run")
@click.option("--force", is_flag=True, help="Also where someone changed the value since.")
@config_option
@change_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, **said: Any) -> None:
    """Put back what RUN changed: the values it found, on every node, read back. It is a run of its own."""
    from runbook.cli.runs import UndoWishes, undo_run

    ctx.exit(undo_run(said.pop("run"), UndoWishes(**said)))
