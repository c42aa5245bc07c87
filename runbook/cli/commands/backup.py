"""Back up the data of nodes, and bring it back: every backup is proven, level by level."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runbook.cli.options import OWN_CODES, ends_with, json_option, progress_option, target_options
from runbook.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable

_STOPPED = (ExitCode.INTERRUPTED, ExitCode.TERMINATED)
_DISK = (ExitCode.DAMAGED, ExitCode.REFUSED, ExitCode.STORAGE, ExitCode.NOT_SUPPORTED)


def _folder(function: "Callable[..., Any]") -> "Callable[..., Any]":
    kind = click.Path(path_type=Path, file_okay=False)
    what = "Where the backups are.  [default: backups below the state folder]"
    return click.option("--folder", type=kind, metavar="FOLDER", help=what)(function)


def _identity(function: "Callable[..., Any]") -> "Callable[..., Any]":
    kind = click.Path(path_type=Path, dir_okay=False)
    what = "What opens an encrypted backup, as age-keygen wrote it (chmod 600)."
    return click.option("--identity", "identities", type=kind, multiple=True, metavar="FILE", help=what)(function)


@click.group("backup", epilog=OWN_CODES)
def command() -> None:
    """Back up the data of nodes, and bring it back: every backup is proven, level by level.

    A backup is a folder that is there whole or not at all. Nothing is ever restored over data that is served.
    """


@command.command(epilog=ends_with(ExitCode.DONE, ExitCode.UNREACHABLE, ExitCode.LOCKED, *_DISK, *_STOPPED))
@target_options
@click.option("--node", metavar="NAME", help="Whose data; needed where the target has several.")
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
    """
    from runbook.cli.backups import CreateWishes, create_backup

    ctx.exit(create_backup(CreateWishes(**said)))


@command.command("list", epilog=ends_with(ExitCode.DONE, ExitCode.BAD_NEWS, ExitCode.REFUSED, ExitCode.STORAGE))
@_folder
@json_option
@click.pass_context
def list_(ctx: click.Context, *, folder: Path | None, as_json: bool) -> None:
    """List the backups, the newest first, each looked at: is every file there, with its size?

    They are ordered by their number, never by a clock. Bad news where one is damaged.
    """
    from runbook.cli.backups import list_backups

    ctx.exit(list_backups(folder, as_json=as_json))


@command.command(epilog=ends_with(ExitCode.DONE, ExitCode.COULD_NOT_TELL, ExitCode.LOCKED, *_DISK, *_STOPPED))
@click.argument("names", nargs=-1, metavar="[NAME|PATH]...")
@click.option("--all", "everything", is_flag=True, help="Every backup of the folder.")
@click.option("--level", type=click.IntRange(0, 4), default=3, show_default=True, help="How much is to be proven.")
@_folder
@_identity
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
    """
    from runbook.cli.backups_verify import VerifyWishes, verify_backups

    ctx.exit(verify_backups(VerifyWishes(**said)))
