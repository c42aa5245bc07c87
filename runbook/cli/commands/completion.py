"""Print the completion script for bash, zsh or fish."""

import click

from runbook.cli.options import ends_with
from runbook.errors import ExitCode


@click.command("completion", epilog=ends_with(ExitCode.DONE))
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for SHELL: `source <(runbook completion bash)`."""
    from click.shell_completion import get_completion_class

    from runbook.cli.root import cli

    found = get_completion_class(shell)
    if found is not None:
        click.echo(found(cli, {}, "runbook", "_RUNBOOK_COMPLETE").source())
