"""Go on to the next stage, if every gate is passed."""

from typing import Any

import click

from runbook.cli.options import change_options, ends_with, json_option, target_options
from runbook.errors import ExitCode


@click.command(
    "advance",
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
@change_options
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, yes: bool, reason: str, **said: Any) -> None:
    """Leave the stage for the next one, or end the rollout with its last, if every gate is passed.

    A gate that says no refuses (13), one that cannot be answered holds (4); each is told with its numbers, and nothing
    is changed. An entering that was cut off is brought to its end instead.
    """
    from runbook.cli.rollout.act import Consent, go_on
    from runbook.cli.rollout.where import Where

    ctx.exit(go_on(Where(**said), Consent(yes, reason)))
