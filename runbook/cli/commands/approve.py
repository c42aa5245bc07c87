"""Say yes, as a second person, to a run that waits for it."""

from typing import Any

import click

from runbook.cli.options import change_options, config_option, ends_with, json_option
from runbook.errors import ExitCode


@click.command(
    "approve",
    epilog=ends_with(
        ExitCode.DONE,
        ExitCode.LOCKED,
        ExitCode.DAMAGED,
        ExitCode.REFUSED,
        ExitCode.STORAGE,
    ),
)
@click.argument("run")
@config_option
@change_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, **said: Any) -> None:
    """Look at the plan of RUN and say yes to it. Whoever asked for the run cannot.

    Nothing is changed by it: `runbook resume RUN` carries the plan out, until the approval expires.
    """
    from runbook.cli.approve import ApproveWishes, approve_run

    ctx.exit(approve_run(said.pop("run"), ApproveWishes(**said)))
