"""Note what only people know: complaints, a remark."""

from typing import Any

import click

from runbook.cli.options import ends_with, json_option, readable, target_options
from runbook.errors import ExitCode

_MOST = 1_000_000


@click.command("note", epilog=ends_with(ExitCode.DONE, ExitCode.DAMAGED, ExitCode.REFUSED, ExitCode.STORAGE))
@click.option(
    "--complaints",
    type=click.IntRange(0, _MOST),
    metavar="N",
    help="How many complaints of users there are since the stage began, in all.",
)
@click.option("--text", default="", metavar="TEXT", callback=readable, help="A remark; it stands in the learnings.")
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, complaints: int | None, text: str, **said: Any) -> None:
    """Note what users say, and remarks; kept in the journal and in the learnings page.

    The newest number counts. A plan may ask for one before a stage is left (it must be younger than 24 hours), shut the
    gate from some number on, and roll back from a higher one.
    """
    from runbook.cli.rollout.say import note
    from runbook.cli.rollout.where import Where

    ctx.exit(note(Where(**said), complaints, text))
