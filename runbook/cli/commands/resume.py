"""Go on with a run that was interrupted, or that left something undone."""

from pathlib import Path

import click

from runbook.cli.options import config_option, ends_with, json_option
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
@click.argument("run")
@config_option
@json_option
@click.pass_context
def command(ctx: click.Context, *, run: str, config: Path | None, as_json: bool) -> None:
    """Go on with RUN: look at the nodes to see what took effect, then carry it to its end."""
    from runbook.cli.runs import resume_run

    ctx.exit(resume_run(run, config, as_json=as_json))
