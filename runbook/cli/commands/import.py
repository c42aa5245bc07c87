"""Put an archive into a node, beside what is served; serve it only when that is asked for."""

from typing import Any

import click

from runbook.cli.archive.data_nodes import node_option
from runbook.cli.options import change_options, ends_with, json_option, progress_option, target_options
from runbook.errors import ExitCode

ENDS = (
    ExitCode.DONE,
    ExitCode.UNREACHABLE,
    ExitCode.LOCKED,
    ExitCode.DAMAGED,
    ExitCode.REFUSED,
    ExitCode.STORAGE,
    ExitCode.NOT_SUPPORTED,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
)


@click.command("import", epilog=ends_with(*ENDS))
@click.argument("file", metavar="FILE|-", required=False)
@target_options
@node_option
@click.option("--residue", metavar="FILE", help="With single_memory: what its conversion could not carry.")
@click.option("--activate", is_flag=True, help="Serve it, in one step, unless something was written meanwhile.")
@click.option("--drop", is_flag=True, help="Without FILE: let go of the staging generation.")
@change_options
@progress_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, **said: Any) -> None:
    """Put an archive into a staging generation of a node, beside what is served, and prove that it is there.

    It is read strictly before the node is touched, exported again afterwards, and compared. Whatever fails leaves
    nothing behind. Run again after an interruption, it goes on from what it finds.
    """
    from runbook.cli.archive.import_data import Wishes, carry_out

    ctx.exit(carry_out(Wishes(**said)))
