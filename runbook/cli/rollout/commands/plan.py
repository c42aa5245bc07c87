"""Tell a rollout plan, before it starts or while it runs."""

from typing import Any

import click

from runbook.cli.options import ends_with, json_option, target_options
from runbook.cli.rollout.plans import complete_plans
from runbook.errors import ExitCode


@click.command("plan", epilog=ends_with(ExitCode.DONE, ExitCode.DAMAGED, ExitCode.STORAGE, ExitCode.NOT_SUPPORTED))
@click.option(
    "--plan",
    metavar="FILE|NAME",
    shell_complete=complete_plans,
    help="Which plan [that of the rollout under way, else dual-memory].",
)
@click.option("--yaml", is_flag=True, help="Print it as the file that `start --plan FILE` reads.")
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, plan: str | None, yaml: bool, **said: Any) -> None:
    """Tell a plan: phases, stages, flags, shares, times, what leads on, what takes it back, what must be fresh.

    Where the target's recalls are known, also how many spaces each judged stage would compare with how many.
    """
    from runbook.cli.rollout.show_plan import tell_plan
    from runbook.cli.rollout.where import Where

    ctx.exit(tell_plan(Where(**said), plan, yaml=yaml))
