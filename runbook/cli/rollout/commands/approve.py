"""Say yes, as a second person, to the plan or to a phase."""

from typing import Any

import click

from runbook.cli.options import change_options, ends_with, json_option, target_options
from runbook.cli.rollout.plans import complete_phases
from runbook.errors import ExitCode


@click.command("approve", epilog=ends_with(ExitCode.DONE, ExitCode.DAMAGED, ExitCode.REFUSED, ExitCode.STORAGE))
@click.option("--plan", is_flag=True, help="Approve the plan as a whole; its digest is journaled.")
@click.option(
    "--phase", metavar="NAME", shell_complete=complete_phases, help="Which phase [the next that waits for a yes]."
)
@change_options
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, plan: bool, phase: str | None, yes: bool, reason: str, **said: Any) -> None:
    """Look at the plan or a phase of the rollout under way, and say yes to it.

    Whoever started the rollout cannot (13), unless the plan lets them. Nothing is changed by it: it opens a gate, and a
    rollback never waits for it.
    """
    from runbook.cli.rollout.say import Assent, approve
    from runbook.cli.rollout.where import Where

    ctx.exit(approve(Where(**said), Assent(plan, phase, yes, reason)))
