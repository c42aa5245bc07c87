"""Where the rollout is, and what lets it go on."""

from typing import Any

import click

from runbook.cli.options import ends_with, json_option, target_options
from runbook.errors import ExitCode


@click.command(
    "status",
    epilog=ends_with(
        ExitCode.DONE, ExitCode.BAD_NEWS, ExitCode.COULD_NOT_TELL, ExitCode.DAMAGED, ExitCode.REFUSED, ExitCode.STORAGE
    ),
)
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, **said: Any) -> None:
    """Tell where the rollout is, for how long, what is left, each gate with its numbers, and the next command.

    Reads the journal and the nodes' settings; what has to be measured is UNKNOWN here, and `advance` measures it.
    Rolled back is bad news (3); where there never was a rollout nothing can be told (4).
    """
    from runbook.cli.rollout.status import tell_status
    from runbook.cli.rollout.where import Where

    ctx.exit(tell_status(Where(**said)))
