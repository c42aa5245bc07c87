"""Write down what the rollout taught."""

from pathlib import Path
from typing import Any

import click

from runbook.cli.options import ends_with, json_option, target_options
from runbook.errors import ExitCode


@click.command("report", epilog=ends_with(ExitCode.DONE, ExitCode.DAMAGED, ExitCode.REFUSED, ExitCode.STORAGE))
@click.option("--rollout", metavar="ID", help="Which rollout [the target's newest].")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the page there; it is printed else.",
)
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, rollout: str | None, output: Path | None, **said: Any) -> None:
    """Tell what the rollout taught, as a Markdown page.

    Stages and times, who approved, each setting that was changed with what judge and validator said before and after,
    complaints, remarks, and where the evidence is. By the journal alone, so also while the rollout is under way.
    """
    from runbook.cli.rollout.report import tell_learnings
    from runbook.cli.rollout.where import Where

    ctx.exit(tell_learnings(Where(**said), rollout, output))
