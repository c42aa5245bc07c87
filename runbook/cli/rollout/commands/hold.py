"""Hold the rollout where it is."""

from typing import Any

import click

from runbook.cli.options import ends_with, json_option, readable, target_options
from runbook.errors import ExitCode


@click.command("hold", epilog=ends_with(ExitCode.DONE, ExitCode.DAMAGED, ExitCode.REFUSED, ExitCode.STORAGE))
@click.option("--reason", required=True, metavar="TEXT", callback=readable, help="Why; kept in the journal.")
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, reason: str, **said: Any) -> None:
    """Hold the rollout where it is, until `runbook rollout resume`. Nothing is changed on the nodes.

    Triggers, tripwire and judge still roll it back, and `abort` works as ever.
    """
    from runbook.cli.rollout.say import hold
    from runbook.cli.rollout.where import Where

    ctx.exit(hold(Where(**said), reason))
