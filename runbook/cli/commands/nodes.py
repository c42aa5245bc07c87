"""Say what each node is, what it can do, its health, and how much it holds."""

from pathlib import Path

import click

from runbook.cli.options import ends_with, json_option, target_options
from runbook.errors import ExitCode

ENDS = (
    ExitCode.DONE,
    ExitCode.BAD_NEWS,
    ExitCode.COULD_NOT_TELL,
    ExitCode.UNREACHABLE,
    ExitCode.DAMAGED,
    ExitCode.REFUSED,
    ExitCode.STORAGE,
    ExitCode.NOT_SUPPORTED,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
)


@click.command("nodes", epilog=ends_with(*ENDS))
@target_options
@click.option("--recall", is_flag=True, help="Time ten recalls of each node, made by this tool.")
@click.option("--space", default="default", metavar="NAME", show_default=True, help="The space that --recall asks.")
@click.option("--memory", is_flag=True, help="Read the memory of each server on its host, by a play.")
@json_option
@click.pass_context
def command(  # noqa: PLR0913 - one parameter an option
    ctx: click.Context,
    *,
    target: str | None,
    config: Path | None,
    recall: bool,
    space: str,
    memory: bool,
    as_json: bool,
) -> None:
    """Say what each node is and can do, its health and its counts.

    Asks each node itself, and assumes nothing from its version. Nothing is changed: no space is ever named
    that the node did not list, and an upstream Engram 0.1 server comes to no harm.
    """
    from runbook.cli.nodes import Wishes, carry_out

    ctx.exit(carry_out(Wishes(target, config, space if recall else None, memory, as_json)))
