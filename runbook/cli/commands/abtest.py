"""Who is treated when, and what the comparison of treatment and control says."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from runbook.cli.options import OWN_CODES, Duration, ends_with, json_option, target_options
from runbook.cli.rollout.plans import complete_plans
from runbook.errors import ExitCode


@click.group("abtest", epilog=OWN_CODES)
def command() -> None:
    """Who is treated when, and what the comparison of treatment and control says."""


@command.command(
    "assign",
    epilog=ends_with(
        ExitCode.DONE,
        ExitCode.COULD_NOT_TELL,
        ExitCode.PARTIAL,
        ExitCode.UNREACHABLE,
        ExitCode.DAMAGED,
        ExitCode.REFUSED,
        ExitCode.STORAGE,
        ExitCode.NOT_SUPPORTED,
        ExitCode.INTERRUPTED,
        ExitCode.TERMINATED,
    ),
)
@click.argument("spaces", nargs=-1, required=True, metavar="SPACE...")
@click.option("--salt", metavar="TEXT", help="Compute with this salt and the built-in plan, and ask nobody.")
@target_options
@json_option
@click.pass_context
def assign(
    ctx: click.Context,
    *,
    spaces: tuple[str, ...],
    salt: str | None,
    target: str | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Show where the hash of each SPACE lies, its group now, and the stage at which it is treated.

    The salt is that of the running rollout, else what the nodes have. `-` reads names from stdin, one a line.
    """
    from runbook.cli.abtest.assign import Wishes
    from runbook.cli.abtest.assign import assign as carry_out

    ctx.exit(carry_out(spaces, Wishes(target, config, salt, as_json)))


@command.command(
    "report",
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
    "--access-log",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Count this access log of a splitter, instead of those on their hosts.",
)
@target_options
@json_option
@click.pass_context
def report(
    ctx: click.Context, *, access_log: Path | None, target: str | None, config: Path | None, as_json: bool
) -> None:
    """Judge what the nodes' recalls say now: each guardrail with its interval, arithmetic and one plain sentence.

    Of the running rollout's stage; without one, of the share by which nodes or splitters treat now. Where splitters
    stand in front of the nodes, their access logs are counted, too: errors by group, whether each space was served in
    the group that it is assigned to, and the ratio of the arms. Nothing is changed.
    """
    from runbook.cli.abtest.report import Wishes
    from runbook.cli.abtest.report import report as carry_out

    ctx.exit(carry_out(Wishes(target, config, as_json, access_log)))


@command.command(
    "simulate",
    epilog=ends_with(
        ExitCode.DONE,
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
    "--plan",
    metavar="FILE|NAME",
    shell_complete=complete_plans,
    help="The plan [that of the running rollout, else dual-memory].",
)
@click.option(
    "--runs", type=click.IntRange(min=20, max=10_000), default=100, show_default=True, help="How many to simulate."
)
@click.option("--window", type=Duration(timedelta(seconds=1)), metavar="DURATION", help="Collect for so long first.")
@target_options
@json_option
@click.pass_context
def simulate(ctx: click.Context, /, **said: Any) -> None:
    """Say whether each judged stage of the plan can decide its margins in its time, with this fleet.

    Simulated with the judge itself, on what the nodes' recalls show of the spaces: how they differ, wander, and how
    much traffic they have.
    """
    from runbook.cli.abtest.simulate import Wishes
    from runbook.cli.abtest.simulate import simulate as carry_out

    ctx.exit(carry_out(Wishes(**said)))
