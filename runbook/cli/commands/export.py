"""Write a node's data as one archive: a JSON document, one record a line."""

import re
from typing import Any

import click

from runbook.cli.archive.data_nodes import node_option
from runbook.cli.options import ends_with, json_option, progress_option, target_options
from runbook.errors import ExitCode

ENDS = (
    ExitCode.DONE,
    ExitCode.PARTIAL,
    ExitCode.UNREACHABLE,
    ExitCode.DAMAGED,
    ExitCode.REFUSED,
    ExitCode.STORAGE,
    ExitCode.NOT_SUPPORTED,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
)


_SNAPSHOT = re.compile(r"(?:([A-Za-z0-9_.-]{1,100}):)?([0-9]{1,18})")


def _snapshot(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, int] | None:
    if value is None:
        return None
    found = _SNAPSHOT.fullmatch(value)
    if found is None:
        raise click.BadParameter("a sequence number, or GENERATION:SEQUENCE as inspect shows it", ctx, param)
    return found[1] or "", int(found[2])


@click.command("export", epilog=ends_with(*ENDS))
@target_options
@click.option(
    "--format",
    "kind",
    type=click.Choice(["dual_memory", "single_memory", "residue"]),
    required=True,
    help="What the node serves; residue is what a conversion could not carry.",
)
@click.option(
    "--output", "-o", default="-", metavar="FILE|-", help="A file, whole or not there; a folder; - is standard output."
)
@click.option("--zstd", "packed", is_flag=True, help="Pack it; a FILE that ends in .zst is packed anyway.")
@click.option("--space", metavar="NAME", help="The records of this space alone.")
@click.option(
    "--since",
    metavar="SNAPSHOT",
    callback=_snapshot,
    help="What changed after that: 1180, or g1:1180, which is refused once another generation is served.",
)
@node_option
@click.option("--all-nodes", is_flag=True, help="One file a node: -o FOLDER, or a name with {node} in it.")
@progress_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, **said: Any) -> None:
    """Write a node's data as one archive: a JSON document, one record a line; what is told goes to stderr.

    It is one snapshot, and two of one state are the same bytes. It is read strictly while it passes: what was cut or
    damaged has no footer, and no reader takes it. A file has its name, with mode 0600, once it was read back.
    """
    from runbook.cli.archive.export import Wishes, carry_out

    ctx.exit(carry_out(Wishes(**said)))
