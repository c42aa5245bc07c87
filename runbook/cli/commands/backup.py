"""Back up the data of nodes, and bring it back: every backup is proven, level by level."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runbook.cli.archive.data_nodes import node_option
from runbook.cli.options import (
    OWN_CODES,
    change_options,
    ends_with,
    identity_option,
    json_option,
    progress_option,
    target_options,
)
from runbook.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_STOPPED = (ExitCode.INTERRUPTED, ExitCode.TERMINATED)
_NOT_ALL = (ExitCode.PARTIAL, ExitCode.UNREACHABLE, ExitCode.LOCKED)
_UNPROVEN = (ExitCode.COULD_NOT_TELL, ExitCode.PARTIAL, ExitCode.UNREACHABLE)
_DISK = (ExitCode.DAMAGED, ExitCode.REFUSED, ExitCode.STORAGE, ExitCode.NOT_SUPPORTED)


def _folder(function: "Callable[..., Any]") -> "Callable[..., Any]":
    kind = click.Path(path_type=Path, file_okay=False)
    what = "Where the backups are.  [default: backups below the state folder]"
    return click.option("--folder", type=kind, metavar="FOLDER", help=what)(function)


@click.group("backup", epilog=OWN_CODES)
def command() -> None:
    """Back up the data of nodes, and bring it back: every backup is proven, level by level.

    A backup is a folder that is there whole or not at all. Nothing is ever restored over data that is served.
    """


@command.command(epilog=ends_with(ExitCode.DONE, *_NOT_ALL, *_DISK, *_STOPPED))
@target_options
@node_option
@click.option("--all-nodes", is_flag=True, help="Every node, by Ansible: each host writes where its data is.")
@click.option("--fetch", is_flag=True, help="With --all-nodes: bring the backups here too, and prove them here.")
@_folder
@click.option(
    "--parent",
    default="auto",
    show_default=True,
    metavar="auto|none|NAME",
    help="With which backup unchanged shards are shared: the newest of that node, none, or this one.",
)
@click.option(
    "--encrypt-to",
    "recipients",
    multiple=True,
    metavar="RECIPIENT",
    help="Encrypt it with age: age1..., or an SSH key. Once for each who may open it.",
)
@click.option("--wait", is_flag=True, help="Where another run works in the folder, wait until it has ended.")
@progress_option
@json_option
@click.pass_context
def create(ctx: click.Context, /, **said: Any) -> None:
    """Back up what a node serves: one snapshot, read strictly as it comes, and read back from the disk.

    What killed runs left is cleared up first. Shards that have not changed are shared with the parent, so a run that
    was interrupted costs little when it is repeated. Where nothing has changed since the newest backup, that one is
    verified again, and named.

    With --all-nodes each host does so by its own runbook, and no data comes here: only a document that names the
    backups, written last. The hosts that fail are named, and the document says that it is incomplete.
    """
    from runbook.cli.backup.create import CreateWishes, create_backup

    wishes = CreateWishes(**said)
    if wishes.all_nodes:
        from runbook.cli.fleet.backup import create_backups

        ctx.exit(create_backups(wishes))
    if wishes.fetch:
        raise UsageError("--fetch is for --all-nodes: of one node the backup is written here", hint="leave it out")
    ctx.exit(create_backup(wishes))


@command.command("list", epilog=ends_with(ExitCode.DONE, ExitCode.BAD_NEWS, ExitCode.REFUSED, ExitCode.STORAGE))
@_folder
@json_option
@click.pass_context
def list_(ctx: click.Context, *, folder: Path | None, as_json: bool) -> None:
    """List the backups, the newest first, each looked at: is every file there, with its size?

    They are ordered by their number, never by a clock. Bad news where one is damaged.
    """
    from runbook.cli.backup.create import list_backups

    ctx.exit(list_backups(folder, as_json=as_json))


@command.command(epilog=ends_with(ExitCode.DONE, *_UNPROVEN, ExitCode.LOCKED, *_DISK, *_STOPPED))
@click.argument("names", nargs=-1, metavar="[NAME|PATH|FLEET]...")
@target_options
@click.option("--all", "everything", is_flag=True, help="Every backup of the folder.")
@click.option("--level", type=click.IntRange(0, 4), default=3, show_default=True, help="How much is to be proven.")
@_folder
@identity_option
@progress_option
@json_option
@click.pass_context
def verify(ctx: click.Context, /, **said: Any) -> None:
    r"""Verify backups, by default the newest; the answer says which level was reached, and what that proves.

    \b
    0  the manifest is whole
    1  every file is there, none is strange, each has its size
    2  every stored and every unpacked byte is the one that was written
    3  every record is valid and in its place; references, counts and content digest fit
    4  a scratch node took all of it, gives it all back, and recalls by it what must come to mind

    The backup of a fleet is verified by its hosts, where it lies, with what the target's inventory says of them.
    """
    from runbook.cli.backup.verify import VerifyWishes, verify_backups
    from runbook.cli.fleet.backup import names_a_fleet, verify_backup_of_fleet

    wishes = VerifyWishes(**said)
    ctx.exit(verify_backup_of_fleet(wishes) if names_a_fleet(wishes.names) else verify_backups(wishes))


@command.command(epilog=ends_with(ExitCode.DONE, *_NOT_ALL, ExitCode.STEP_FAILED, *_DISK, *_STOPPED))
@click.argument("name", metavar="NAME|PATH|FLEET")
@target_options
@node_option
@_folder
@identity_option
@click.option("--activate", is_flag=True, help="Serve it, once it is proven; what was served is kept.")
@click.option("--other-node", is_flag=True, help="Take a backup of another node, or of another history of this one.")
@click.option("--replace", is_flag=True, help="Drop whatever the node is preparing already.")
@change_options
@progress_option
@json_option
@click.pass_context
def restore(ctx: click.Context, /, **said: Any) -> None:
    """Restore a backup beside what a node serves; with --activate it is served then.

    First the backup is proven at level 3. Then a generation of its own is filled, and read back. What was forgotten on
    the node since stays forgotten. Whatever goes wrong, what is served stays as it was.

    The backup of a fleet is restored by each host where it lies; with --activate the nodes serve it once all of them
    have filled and proven theirs, in waves.
    """
    from runbook.cli.backup.restore import RestoreWishes, restore_backup
    from runbook.cli.fleet.backup import names_a_fleet

    wishes = RestoreWishes(**said)
    if names_a_fleet([wishes.name]):
        from runbook.cli.fleet.restore import restore_fleet

        ctx.exit(restore_fleet(wishes))
    ctx.exit(restore_backup(wishes))


def _places(name: str, default: int) -> "Callable[[Callable[..., Any]], Callable[..., Any]]":
    what = f"Keep the newest of so many {name} that have one."
    word = {"days": "daily", "weeks": "weekly", "months": "monthly"}[name]
    return click.option(f"--{word}", type=click.IntRange(min=0), default=default, show_default=True, help=what)


@command.command(epilog=ends_with(ExitCode.DONE, ExitCode.LOCKED, *_DISK, *_STOPPED))
@_places("days", 7)
@_places("weeks", 4)
@_places("months", 12)
@_folder
@click.option("--apply", "--yes", "apply", is_flag=True, help="Do it; without this it is only planned.")
@click.option("--wait", is_flag=True, help="Where another run works in the folder, wait until it has ended.")
@json_option
@click.pass_context
def prune(ctx: click.Context, /, **said: Any) -> None:
    """Plan which backups to remove, node by node; with --apply remove them, the oldest first.

    Never removed: the last verified backup of a node, one that is pinned, damaged, not verified, or newer than the
    clock. Before anything goes, the last verified one is read again. A jump of the clock removes nothing more. What
    others share with a removed backup stays with them.
    """
    from runbook.cli.backup.prune import PruneWishes, prune_backups

    ctx.exit(prune_backups(PruneWishes(**said)))


@command.command(epilog=ends_with(ExitCode.DONE, ExitCode.LOCKED, *_DISK))
@click.argument("name")
@click.option("--off", is_flag=True, help="Let go of it again.")
@_folder
@json_option
@click.pass_context
def pin(ctx: click.Context, *, name: str, off: bool, folder: Path | None, as_json: bool) -> None:
    """Have `prune` never remove a backup."""
    from runbook.cli.backup.prune import pin_backup

    ctx.exit(pin_backup(name, folder, on=not off, as_json=as_json))
