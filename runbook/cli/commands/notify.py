"""Tell people of phase changes, rollbacks and runs that need a person, by webhooks."""

from pathlib import Path
from typing import Any

import click

from runbook.cli.options import OWN_CODES, config_option, ends_with, json_option
from runbook.errors import ExitCode


@click.group("notify", epilog=OWN_CODES)
def command() -> None:
    """Tell people of phase changes, rollbacks and runs that need a person, by webhooks.

    Every command that has something to tell starts `deliver` beside itself, and does not wait for it; nobody has to
    give it by hand. Receivers are [notify.NAME] in the configuration.
    """


@command.command(
    epilog=ends_with(ExitCode.DONE, ExitCode.PARTIAL, ExitCode.DAMAGED, ExitCode.INTERRUPTED, ExitCode.TERMINATED)
)
@click.option("--once", is_flag=True, help="Try once; what is not taken is left for another time.")
@click.option(
    "--since",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="A receiver that was never told anything begins with entry N; without it, with the next one.",
)
@click.option("--quiet", is_flag=True, help="Print nothing.")
@config_option
@json_option
@click.pass_context
def deliver(ctx: click.Context, /, **said: Any) -> None:
    """Tell every receiver what is due, in order, with growing pauses where it is not taken, for an hour each.

    A receiver that is new begins now. Each is told by one process at a time. A message that is given up is journaled.
    Stopped at any moment, it goes on from there; then a message may be told twice, but none is lost.
    """
    from runbook.cli.notify.deliver import Wishes
    from runbook.cli.notify.deliver import deliver as carry_out

    ctx.exit(carry_out(Wishes(**said)))


@command.command(epilog=ends_with(ExitCode.DONE, ExitCode.UNREACHABLE, ExitCode.DAMAGED))
@click.argument("names", nargs=-1, metavar="[NAME]...")
@config_option
@json_option
@click.pass_context
def test(ctx: click.Context, *, names: tuple[str, ...], config: Path | None, as_json: bool) -> None:
    """Send a message that says it is a test, to all receivers or to those; nothing is journaled."""
    from runbook.cli.notify.trying import send_test

    ctx.exit(send_test(names, config, as_json=as_json))


@command.command(epilog=ends_with(ExitCode.DONE, ExitCode.BAD_NEWS, ExitCode.DAMAGED))
@config_option
@json_option
@click.pass_context
def status(ctx: click.Context, *, config: Path | None, as_json: bool) -> None:
    """Show who is told of what, and how far each of them has been told; bad news where one does not take it."""
    from runbook.cli.notify.status import tell_status

    ctx.exit(tell_status(config, as_json=as_json))
