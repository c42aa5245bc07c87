"""The emergency brake: turn concepts, or dual memory, off on every node at once."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from runbook.cli.options import (
    OWN_CODES,
    Duration,
    change_options,
    ends_with,
    json_option,
    progress_option,
    target_options,
)
from runbook.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

_CODES = (
    ExitCode.DONE,
    ExitCode.PARTIAL,
    ExitCode.UNREACHABLE,
    ExitCode.DAMAGED,
    ExitCode.REFUSED,
    ExitCode.NOT_SUPPORTED,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
)


def _deadline(function: "Callable[..., Any]") -> "Callable[..., Any]":
    return click.option(
        "--deadline",
        type=Duration(shortest=timedelta(seconds=1)),
        default=timedelta(seconds=60),
        metavar="DURATION",
        help="How long nodes that do not answer are tried, and Ansible may take.  [default: 60s]",
    )(function)


def _options(function: "Callable[..., Any]") -> "Callable[..., Any]":
    curl = click.option("--print-curl", is_flag=True, help="Only print what does the same by hand; nothing is changed.")
    return change_options(_deadline(curl(target_options(json_option(click.pass_context(function))))))


@click.group("rollback", epilog=OWN_CODES)
def command() -> None:
    """The emergency brake: flags off on every node at once, over HTTP and then through Ansible; either is enough.

    It waits for no lock and no approval, and works while Ansible, Prometheus or the journal's disk are broken.
    """


@command.command(epilog=ends_with(*_CODES))
@_options
def features(ctx: click.Context, /, **said: Any) -> None:
    """Turn concepts and blended recall off; the dual memory itself stays on."""
    _carry_out(ctx, "features", said)


@command.command(epilog=ends_with(*_CODES))
@_options
def full(ctx: click.Context, /, **said: Any) -> None:
    """Turn the dual memory off, and with it concepts and blended recall."""
    _carry_out(ctx, "full", said)


@command.command(
    epilog=ends_with(*_CODES, ExitCode.LOCKED, ExitCode.STEP_FAILED, ExitCode.PERSON_NEEDED, ExitCode.STORAGE)
)
@_deadline
@change_options
@target_options
@progress_option
@json_option
@click.pass_context
def data(ctx: click.Context, /, **said: Any) -> None:
    """Turn the dual memory off, then migrate every node's data to single memory while it serves.

    First the flags go off, as with `full`. Then each node's data is written to a file, read back, converted, filled
    into a staging generation and compared, all with writes flowing; they are refused for a moment at the switch. What
    cannot be carried stays on the node as residue. `runbook undo RUN` goes back.
    """
    from runbook.cli.migrate.rollback_data import Wishes, carry_out

    ctx.exit(carry_out(Wishes(**said)))


def _carry_out(ctx: click.Context, what: str, said: dict[str, Any]) -> None:
    from runbook.cli.rollback import Wishes, carry_out

    ctx.exit(carry_out(Wishes(what=what, **said)))
