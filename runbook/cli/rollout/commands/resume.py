"""Let a held rollout go on, or go on with what was cut off."""

from typing import Any

import click

from runbook.cli.options import change_options, ends_with, json_option, target_options
from runbook.errors import ExitCode


@click.command(
    "resume",
    epilog=ends_with(
        ExitCode.DONE,
        ExitCode.BAD_NEWS,
        ExitCode.COULD_NOT_TELL,
        ExitCode.PARTIAL,
        ExitCode.UNREACHABLE,
        ExitCode.LOCKED,
        ExitCode.DAMAGED,
        ExitCode.REFUSED,
        ExitCode.STEP_FAILED,
        ExitCode.PERSON_NEEDED,
        ExitCode.STORAGE,
        ExitCode.NOT_SUPPORTED,
        ExitCode.INTERRUPTED,
        ExitCode.TERMINATED,
    ),
)
@click.option(
    "--without",
    multiple=True,
    metavar="SPLITTER",
    help="A splitter that left the inventory and treats nobody; repeat.",
)
@change_options
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, without: tuple[str, ...], yes: bool, reason: str, **said: Any) -> None:
    """Let a held rollout go; and go on with what was cut off: with entering a stage, or with going back.

    It leaves no stage: that is `advance`. A share that was taken back is never restored. Splitters that differ from the
    stage that is held are set as it wants them first. One that left the inventory has to be named. It asks before
    it sets splitters, or goes on with a stage that was held before it was entered. What was cut off goes on unasked, as
    `advance` and the watch go on with it; to let go alone is only journaled.
    """
    from runbook.cli.rollout.act import Consent
    from runbook.cli.rollout.say import resume
    from runbook.cli.rollout.where import Where

    ctx.exit(resume(Where(**said), Consent(yes, reason), without))
