"""Start a rollout of a plan: enter its first stage."""

from typing import Any

import click

from runbook.cli.options import change_options, ends_with, json_option, target_options
from runbook.cli.rollout.plans import complete_plans
from runbook.errors import ExitCode


@click.command(
    "start",
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
    "--plan",
    default="dual-memory",
    show_default=True,
    metavar="FILE|NAME",
    shell_complete=complete_plans,
    help="The plan.",
)
@click.option("--space", "spaces", multiple=True, metavar="NAME", help="A space that is treated whatever its hash.")
@change_options
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, plan: str, spaces: tuple[str, ...], yes: bool, reason: str, **said: Any) -> None:
    """Start a rollout: journal its whole plan with a salt of its own, and enter the first stage.

    What will be asked before later stages is printed. A plan that advances by itself is watched until it comes to a
    phase that is advanced by hand; harm on the way rolls it back (3).
    """
    from runbook.cli.rollout.act import Consent, begin
    from runbook.cli.rollout.plans import chosen
    from runbook.cli.rollout.where import Where

    ctx.exit(begin(Where(**said), chosen(plan), spaces, Consent(yes, reason)))
