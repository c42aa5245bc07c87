"""Ask every known issue at once, the one with the most evidence first."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from runbook.cli.issue import known_issues
from runbook.cli.options import Duration, ends_with, json_option, target_options, window_option
from runbook.cli.reported import reported_options, said_by_person
from runbook.errors import ExitCode


@click.command(
    "diagnose",
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
    "--from",
    "alerts",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True, readable=False),
    metavar="FILE",
    help="Alerts: a payload of Alertmanager's webhook, or its API's list; - is standard input.",
)
@click.option("--watch", is_flag=True, help="Repeat it until Ctrl-C, or until nobody reads it.")
@click.option(
    "--every",
    type=Duration(),
    default=timedelta(seconds=30),
    metavar="DURATION",
    help="With --watch: from the start of one to the start of the next.  [default: 30s]",
)
@reported_options(known_issues())
@window_option
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, **said: Any) -> None:
    """Ask every known issue at once; the metrics are read once for all of them.

    Changes nothing. The issue with the most evidence comes first, with the command that shows all of it.
    """
    from runbook.cli.survey import Wishes, look

    reported = said_by_person(known_issues(), said)
    ctx.exit(look(Wishes(**said, said=reported)))
