"""Migrate the data of a node to single memory or back, or convert an archive without any node."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runbook.cli.options import change_options, ends_with, json_option, progress_option, target_options
from runbook.errors import ExitCode
from runbook.model.migration import Concepts

if TYPE_CHECKING:
    from collections.abc import Callable

_CODES = (
    ExitCode.DONE,
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
)
_KINDS = ("single_memory", "dual_memory")
_MOST_WORKERS = 64
_FILE = click.Path(path_type=Path)


def _files(function: "Callable[..., Any]") -> "Callable[..., Any]":
    backup = click.option(
        "--backup", type=_FILE, metavar="FILE", help="What is converted: an archive, a backup, or - for stdin."
    )
    output = click.option(
        "--output", "-o", type=_FILE, metavar="FILE", help="Convert to this file, without any node; .zst packs it."
    )
    residue = click.option(
        "--residue",
        type=_FILE,
        metavar="FILE",
        help="Residue of an earlier conversion.  [default: NAME.residue.json beside the backup NAME.json]",
    )
    plan_out = click.option("--plan-out", type=_FILE, metavar="FILE", help="Write the plan to this file.")
    apply = click.option("--apply", "plan", type=_FILE, metavar="PLAN", help="Do exactly that plan, or refuse.")
    dry_run = click.option("--dry-run", is_flag=True, help="Print what would be done and lost; change nothing.")
    return backup(output(residue(dry_run(plan_out(apply(function))))))


def _how(function: "Callable[..., Any]") -> "Callable[..., Any]":
    concepts = click.option(
        "--concepts",
        type=click.Choice([each.value for each in Concepts]),
        default=Concepts.DROP.value,
        callback=lambda _, __, word: Concepts(word),
        show_default=True,
        help="To single memory: keep concepts in the residue only, or make each a memory too.",
    )
    workers = click.option(
        "--workers",
        type=click.IntRange(1, _MOST_WORKERS),
        metavar="N",
        help="Processes that convert.  [default: one a core, at most 4]",
    )
    rate = click.option(
        "--max-rate", type=click.FloatRange(min=1), metavar="N", help="At most so many records a second to the node."
    )
    nodes = click.option("--node", "nodes", multiple=True, metavar="NAME", help="The node to migrate, of several.")
    fleet = click.option(
        "--all-nodes", is_flag=True, help="By Ansible, each node on its own host; --backup names a backup of the fleet."
    )
    return concepts(workers(rate(nodes(fleet(function)))))


@click.group(
    "migrate",
    invoke_without_command=True,
    epilog=ends_with(*_CODES) + "\n\nThose of its commands stand at the end of their own --help.",
)
@click.option("--to", "kind", type=click.Choice(_KINDS), help="What the data becomes.")
@_files
@_how
@change_options
@target_options
@progress_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, **said: Any) -> None:
    """Migrate the data of a node to single memory or back, or convert an archive without any node.

    With -o a file is converted to a file, and no node is touched. What the new kind of memory cannot hold is kept
    beside it, as NAME.residue.json; nothing is lost silently. A command that was interrupted goes on where it was when
    it is typed again.

    With --all-nodes every host converts its own data, by its own runbook, in waves: one, a quarter, the rest. No data
    goes through this machine. With --node too, those hosts only.
    """
    if ctx.invoked_subcommand is not None:
        return
    from runbook.cli.migrate.forms import carry_out
    from runbook.cli.migrate.wishes import Wishes

    ctx.exit(carry_out(Wishes(**said)))


def _fleet(function: "Callable[..., Any]") -> "Callable[..., Any]":
    what = "What the last migration of the whole fleet did, by Ansible on each host."
    return click.option("--all-nodes", is_flag=True, help=what)(function)


def _named(function: "Callable[..., Any]") -> "Callable[..., Any]":
    run = click.argument("run", required=False, default="")
    return run(target_options(progress_option(json_option(click.pass_context(function)))))


@command.command(epilog=ends_with(*_CODES))
@_named
@_fleet
@change_options
def revert(ctx: click.Context, /, **said: Any) -> None:
    """Serve again what was served before RUN (the last migration), with what was written since.

    What was written since comes along as new episodes, and what was forgotten since stays forgotten; the list is shown
    first. It is what `runbook undo RUN` does.
    """
    from runbook.cli.migrate.back import Named, revert_run

    if said.pop("all_nodes"):
        from runbook.cli.fleet.migrate import back_on_fleet

        ctx.exit(back_on_fleet(Named(**said), finalize=False))
    ctx.exit(revert_run(Named(**said)))


@command.command(epilog=ends_with(*_CODES))
@_named
@_fleet
@change_options
def finalize(ctx: click.Context, /, **said: Any) -> None:
    """Drop what was served before RUN (the last migration): there is no way back afterwards."""
    from runbook.cli.migrate.back import Named, finalize_run

    if said.pop("all_nodes"):
        from runbook.cli.fleet.migrate import back_on_fleet

        ctx.exit(back_on_fleet(Named(**said), finalize=True))
    ctx.exit(finalize_run(Named(**said)))


@command.command(epilog=ends_with(ExitCode.DONE, ExitCode.PARTIAL, ExitCode.UNREACHABLE, ExitCode.DAMAGED))
@_named
def status(ctx: click.Context, /, **said: Any) -> None:
    """Say where RUN (the last migration) stands, by the journal and by each node's own word."""
    from runbook.cli.migrate.back import Named, show_status

    ctx.exit(show_status(Named(**said)))
