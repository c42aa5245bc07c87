"""Roll the dual memory out by a plan: phases, gates, a judge, a watcher, and always a way back."""

import pkgutil
from typing import TYPE_CHECKING

import click

import runbook.cli.rollout.commands
from runbook.cli.options import OWN_CODES
from runbook.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Commands(click.Group):
    """One command per file of `cli/rollout/commands/`; only the one that is asked for is imported."""

    def list_commands(self, ctx: click.Context) -> "list[str]":
        """All names, sorted."""
        del ctx
        return sorted(_names())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import that one."""
        del ctx
        if cmd_name not in _names():
            return None
        from importlib import import_module

        found: click.Command = import_module(f"runbook.cli.rollout.commands.{cmd_name}").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: "list[str]"
    ) -> "tuple[str | None, click.Command | None, list[str]]":
        """As Click does, with a did-you-mean."""
        if args and not args[0].startswith("-") and args[0] not in _names() and not ctx.resilient_parsing:
            from difflib import get_close_matches

            close: Sequence[str] = get_close_matches(args[0], _names(), n=2) or sorted(_names())
            raise UsageError(f"there is no command rollout {args[0]!r}", hint=f"one of: {', '.join(close)}")
        return super().resolve_command(ctx, args)


def _names() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(runbook.cli.rollout.commands.__path__)]


@click.group("rollout", cls=Commands, epilog=OWN_CODES)
def command() -> None:
    """Roll the dual memory out by a plan: phases, gates, a judge, a watcher, and always a way back.

    Where a rollout stands is a fold over the journal: kill any of these anywhere, give it again, and it knows.
    """
