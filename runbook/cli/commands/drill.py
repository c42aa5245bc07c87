"""Rehearse an incident, or the emergency brake, on a fleet that is started for it; and tell who rehearsed what."""

import pkgutil
from datetime import timedelta
from typing import Any

import click

import runbook.issues
from runbook.cli.options import OWN_CODES, Duration, ends_with, json_option, readable
from runbook.errors import ExitCode, UsageError

_SHORTEST_WATCH = timedelta(seconds=10)
_MOST_NODES = 20
_CODES = ends_with(
    ExitCode.DONE,
    ExitCode.BAD_NEWS,
    ExitCode.UNREACHABLE,
    ExitCode.LOCKED,
    ExitCode.DAMAGED,
    ExitCode.REFUSED,
    ExitCode.STORAGE,
    ExitCode.NOT_SUPPORTED,
    ExitCode.INTERRUPTED,
    ExitCode.TERMINATED,
)
_NODES = click.option(
    "--nodes",
    type=click.IntRange(1, _MOST_NODES),
    default=3,
    show_default=True,
    help="How many nodes to start; of several the last one stays well.",
)
_REASON = click.option(
    "--reason", default="", metavar="TEXT", callback=readable, help="The occasion; kept in the training record."
)


class Drills(click.Group):
    """One drill per file of `issues/`, beside those that stand below."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, sorted."""
        return sorted([*super().list_commands(ctx), *_files()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As Click does, with a did-you-mean."""
        known_word = not args or args[0].startswith("-") or self.get_command(ctx, args[0]) is not None
        if not known_word and not ctx.resilient_parsing:
            from difflib import get_close_matches

            known = self.list_commands(ctx)
            close = get_close_matches(args[0], known, n=2) or known
            raise UsageError(f"there is no drill {args[0]!r}", hint=f"one of: {', '.join(close)}")
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make the drill of that issue, and of no other."""
        file = _files().get(cmd_name)
        return super().get_command(ctx, cmd_name) if file is None else _drill_of(file)


def _files() -> dict[str, str]:
    return {module.name.replace("_", "-"): module.name for module in pkgutil.iter_modules(runbook.issues.__path__)}


def _drill_of(name: str) -> click.Command:
    from runbook.cli.issue import issue_of

    known = issue_of(name)

    @click.command(
        known.slug,
        help=f"Rehearse {known.slug}: break a fleet with {known.drill}, find it, act, watch it recover.\n\n"
        "The fleet is started for it and ended after it; no configured target, and no running sandbox, is touched.",
        epilog=_CODES,
    )
    @_NODES
    @click.option(
        "--watch",
        type=Duration(shortest=_SHORTEST_WATCH),
        default="30s",
        show_default=True,
        metavar="DURATION",
        help="How long to watch after acting; the judgement is that of an incident.",
    )
    @click.option(
        "--window",
        type=Duration(shortest=timedelta(seconds=1)),
        default="5s",
        show_default=True,
        metavar="DURATION",
        help="How long the first look measures; each later one takes twice as long.",
    )
    @click.option("--allow-disruptive", is_flag=True, help="Take the emergency steps if the others fail.")
    @_REASON
    @json_option
    @click.pass_context
    def drill(ctx: click.Context, /, **said: Any) -> None:
        from runbook.cli.drill import IssueWishes, drill_issue

        ctx.exit(drill_issue(known, IssueWishes(**said)))

    return drill


@click.group("drill", cls=Drills, epilog=OWN_CODES)
def command() -> None:
    """Rehearse an incident, or the emergency brake, on a fleet that is started for it; and tell who rehearsed what."""


@command.command(epilog=_CODES)
@click.option(
    "--what",
    type=click.Choice(["features", "full"]),
    default="full",
    show_default=True,
    help="Which rollback: without concepts, or without dual memory.",
)
@click.option(
    "--nodes", type=click.IntRange(1, _MOST_NODES), default=3, show_default=True, help="How many nodes to start."
)
@_REASON
@json_option
@click.pass_context
def rollback(ctx: click.Context, *, what: str, nodes: int, reason: str, as_json: bool) -> None:
    """Rehearse the emergency brake: pull it, read every flag of every node, and undo it.

    The fleet is started for it and ended after it; no configured target, and no running sandbox, is touched.
    """
    from runbook.cli.drill import drill_rollback

    ctx.exit(drill_rollback(what, nodes, reason, as_json=as_json))


@command.command(
    epilog=ends_with(ExitCode.DONE, ExitCode.BAD_NEWS, ExitCode.LOCKED, ExitCode.DAMAGED, ExitCode.STORAGE)
)
@click.option("--since", type=Duration(), metavar="DURATION", help="List only the drills of that time, such as 90d.")
@click.option("--person", metavar="NAME", help="Only what that person rehearsed.")
@click.option(
    "--require",
    type=Duration(),
    metavar="AGE",
    help="Exit 3 where the last passed drill of anything is older than this, or there is none.",
)
@json_option
@click.pass_context
def report(
    ctx: click.Context, *, since: timedelta | None, person: str | None, require: timedelta | None, as_json: bool
) -> None:
    """Tell the training record: who rehearsed what, when, how long it took, and what was never rehearsed."""
    from runbook.cli.drill import report as tell

    ctx.exit(tell(since, person, require, as_json=as_json))
