"""Is the fleet as well as when its baseline was taken? Eight checks and a recommendation."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from runbook.cli.completions import complete_nodes
from runbook.cli.options import Duration, ends_with, json_option, target_options
from runbook.errors import ExitCode

_SHORTEST = timedelta(seconds=1)


@click.command(
    "validate",
    epilog=ends_with(
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
    ),
)
@click.option(
    "--window",
    type=Duration(shortest=_SHORTEST),
    metavar="DURATION",
    help="How long to look at least [60s; Prometheus: 5m]; where that settles too little, up to six times as long.",
)
@click.option(
    "--watch",
    type=Duration(shortest=_SHORTEST),
    metavar="DURATION",
    help="Soak: look that long, and ask for the slope of memory as well.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write one page with charts that opens without a network.",
)
@click.option(
    "--node",
    "nodes",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_nodes,
    help="Look at this node only; once for each of several. Such a validation opens no gate.",
)
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, **said: Any) -> None:
    """Is the fleet as well as when its baseline was taken? Eight checks, and what to do about the rollout.

    PASS where the whole interval keeps to the limit, FAIL where the whole of it does not, else UNKNOWN.
    """
    from runbook.cli.validate import Wishes, carry_out

    ctx.exit(carry_out(Wishes(**said)))
