"""Record what the fleet looks like while it is well, or show what was recorded."""

from pathlib import Path
from typing import Any

import click

from runbook.cli.options import OWN_CODES, ends_with, json_option, target_options, window_option
from runbook.cli.rollout.plans import complete_plans
from runbook.errors import ExitCode


@click.group("baseline", epilog=OWN_CODES)
def command() -> None:
    """Record what the fleet looks like while it is well, or show what was recorded."""


@command.command(
    epilog=ends_with(
        ExitCode.DONE,
        ExitCode.PARTIAL,
        ExitCode.UNREACHABLE,
        ExitCode.LOCKED,
        ExitCode.DAMAGED,
        ExitCode.REFUSED,
        ExitCode.STORAGE,
        ExitCode.NOT_SUPPORTED,
        ExitCode.INTERRUPTED,
        ExitCode.TERMINATED,
    )
)
@click.option(
    "--force", is_flag=True, help="Keep it even where the fleet does not look well, or a rollout is under way."
)
@click.option(
    "--golden/--no-golden",
    default=True,
    help="Choose 50 stored texts by which recall is tried later: reads all texts of the nodes, twice.",
)
@click.option(
    "--plan",
    metavar="FILE|NAME",
    shell_complete=complete_plans,
    help="Record what that rollout plan compares with, too; that of the rollout under way always is.",
)
@window_option
@target_options
@json_option
@click.pass_context
def capture(ctx: click.Context, /, **said: Any) -> None:
    """Measure the fleet for one window and keep it as the target's baseline. Do this while it is well.

    While a rollout is under way it is refused: what the rollout does would become what is usual.
    """
    from runbook.cli.baselines import Wishes, capture_baseline

    ctx.exit(capture_baseline(Wishes(**said)))


@command.command(epilog=ends_with(ExitCode.DONE, ExitCode.COULD_NOT_TELL, ExitCode.DAMAGED, ExitCode.NOT_SUPPORTED))
@target_options
@json_option
@click.pass_context
def show(ctx: click.Context, *, target: str | None, config: Path | None, as_json: bool) -> None:
    """Show the target's baseline."""
    from runbook.cli.baselines import show_baseline

    ctx.exit(show_baseline(target, config, as_json=as_json))
