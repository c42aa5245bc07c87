"""The commands `flags` and `config`, which are one command for two kinds of settings."""

from collections.abc import Callable
from typing import Any

import click

from runbook.cli.completions import complete_assignments, complete_keys, complete_nodes
from runbook.cli.options import OWN_CODES, Decorated, change_options, ends_with, json_option, target_options
from runbook.errors import ExitCode
from runbook.model.setting_names import COMMANDS
from runbook.model.settings import Kind

_WORDS = {Kind.FEATURE: "flags", Kind.CONFIG: "configuration values"}
_READ = (ExitCode.DONE, ExitCode.UNREACHABLE, ExitCode.DAMAGED, ExitCode.REFUSED, ExitCode.NOT_SUPPORTED)
_STOPPED = (ExitCode.INTERRUPTED, ExitCode.TERMINATED)


def settings_group(kind: Kind) -> click.Group:
    """The group of one kind, with `get`, `set`, `history` and `drift`."""
    words = _WORDS[kind]
    group = click.Group(
        COMMANDS[kind], help=f"Show and set the {words} of the nodes; what was set, and what drifted.", epilog=OWN_CODES
    )
    for command in (_get(kind), _set(kind), _history(kind), _drift(kind)):
        group.add_command(command)
    return group


def _node_option(command: Decorated) -> Decorated:
    return click.option(
        "--node", "nodes", multiple=True, metavar="NAME", shell_complete=complete_nodes, help="Only this node; repeat."
    )(command)


def _keys_argument(kind: Kind) -> Callable[[Decorated], Decorated]:
    return click.argument("keys", nargs=-1, metavar="[KEY]...", shell_complete=complete_keys(kind))


def _get(kind: Kind) -> click.Command:
    @click.command(
        "get",
        short_help="Show what each node has; where nodes differ.",
        help=f"Show {_WORDS[kind]} node by node, all or those named; where nodes differ, that is marked.",
        epilog=ends_with(*_READ, ExitCode.PARTIAL, ExitCode.COULD_NOT_TELL),
    )
    @_keys_argument(kind)
    @_node_option
    @target_options
    @json_option
    @click.pass_context
    def command(ctx: click.Context, /, **said: Any) -> None:
        from runbook.cli.settings import Where, get_settings

        keys = said.pop("keys")
        ctx.exit(get_settings(Where(kind, **said), keys))

    return command


def _set(kind: Kind) -> click.Command:
    @click.command(
        "set",
        short_help="Set on all nodes, or those named; read back.",
        help=(
            f"Set {_WORDS[kind]}: KEY VALUE or KEY=VALUE, one or more. Through Ansible, in waves, read back.\n\n"
            "It is a run: `runbook undo` puts the old values back, `runbook resume` goes on after an interruption."
        ),
        epilog=ends_with(
            *_READ,
            *_STOPPED,
            ExitCode.PARTIAL,
            ExitCode.LOCKED,
            ExitCode.STEP_FAILED,
            ExitCode.PERSON_NEEDED,
            ExitCode.STORAGE,
        ),
    )
    @click.argument("words", nargs=-1, required=True, metavar="KEY VALUE...", shell_complete=complete_assignments(kind))
    @_node_option
    @click.option("--dry-run", is_flag=True, help="Only show what would change.")
    @change_options
    @target_options
    @json_option
    @click.pass_context
    def command(ctx: click.Context, /, **said: Any) -> None:
        from runbook.cli.settings import Where
        from runbook.cli.settings_set import Consent, change_settings

        words = said.pop("words")
        consent = Consent(**{name: said.pop(name) for name in ("yes", "reason", "dry_run")})
        ctx.exit(change_settings(Where(kind, **said), words, consent))

    return command


def _history(kind: Kind) -> click.Command:
    @click.command(
        "history",
        short_help="Show every change: when, who, what, why.",
        help=f"Show every change of {_WORDS[kind]} in the journal: when, who, which nodes, from what to what, and why.",
        epilog=ends_with(ExitCode.DONE, ExitCode.DAMAGED, ExitCode.NOT_SUPPORTED),
    )
    @_keys_argument(kind)
    @click.option("--last", metavar="N", type=click.IntRange(min=1), help="Only the last N changes.")
    @_node_option
    @target_options
    @json_option
    @click.pass_context
    def command(ctx: click.Context, /, **said: Any) -> None:
        from runbook.cli.settings import Where, show_history

        keys, last = said.pop("keys"), said.pop("last")
        ctx.exit(show_history(Where(kind, **said), keys, last))

    return command


def _drift(kind: Kind) -> click.Command:
    @click.command(
        "drift",
        short_help="Find what is not as it was last set.",
        help=(
            f"Find nodes whose {_WORDS[kind]} are not what the journal last set, else what the baseline recorded, else "
            "what their peers have."
        ),
        epilog=ends_with(*_READ, ExitCode.BAD_NEWS, ExitCode.COULD_NOT_TELL),
    )
    @_node_option
    @target_options
    @json_option
    @click.pass_context
    def command(ctx: click.Context, /, **said: Any) -> None:
        from runbook.cli.settings import Where, show_drift

        ctx.exit(show_drift(Where(kind, **said)))

    return command
