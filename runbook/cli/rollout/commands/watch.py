"""Look after the rollout: roll back on harm, go on where the plan says so by itself."""

from datetime import timedelta
from typing import Any

import click

from runbook.cli.options import Duration, ends_with, json_option, target_options
from runbook.errors import ExitCode


@click.command(
    "watch",
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
@click.option(
    "--until",
    type=click.Choice(["verdict", "stage", "end"]),
    default="end",
    show_default=True,
    help="Until the judge is sure, another stage is entered, or the rollout is over.",
)
@click.option(
    "--timeout", type=Duration(timedelta(seconds=1)), metavar="DURATION", help="How long to watch at most (then 4)."
)
@click.option("--once", is_flag=True, help="Look once, and do what follows from it.")
@target_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, *, until: str, timeout: timedelta | None, once: bool, **said: Any) -> None:
    """Look after the rollout: ask triggers and tripwire as often as the plan says, and the judge at its planned looks.

    Harm rolls it back at once (3), without a person and whatever waits for one. A node or a source of metrics that is
    silent holds it where it is. Where the plan advances by itself, it goes on once every gate is passed. It can be
    killed and started again at any time: the journal knows. A second one on the same target ends at once (11).
    """
    from runbook.cli.rollout.watching import WatchWishes, look_after
    from runbook.cli.rollout.where import Where

    ctx.exit(look_after(Where(**said), WatchWishes(until, timeout, once)))
