"""Say what this installation is, where it keeps things, and what it can reach."""

from pathlib import Path

import click

from runbook.cli.options import ends_with, json_option, target_options
from runbook.errors import ExitCode


@click.command("doctor", epilog=ends_with(ExitCode.DONE, ExitCode.BAD_NEWS))
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, *, target: str | None, config: Path | None, as_json: bool) -> None:
    """Check state folder, journal, configuration, nodes and Ansible; for production server, alerts and watch, too."""
    from runbook.cli.doctor import examine

    ctx.exit(examine(target, config, as_json=as_json))
