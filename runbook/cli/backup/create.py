"""Carry out `runbook backup create` and `list`."""

import stat
from dataclasses import dataclass
from pathlib import Path

import runbook
from runbook.adapters.archives.bench import FileBench
from runbook.adapters.archives.fleets import FleetShelf
from runbook.adapters.archives.vault import FolderVault
from runbook.adapters.locks import FileLocks
from runbook.cli import compose, signals
from runbook.cli.archive.data_nodes import one_node
from runbook.cli.compose import Session
from runbook.cli.progress import ProgressTalk
from runbook.cli.screen import show, show_json
from runbook.engine.backup.create import Wanted, create, writing
from runbook.errors import ExitCode, RefusedError
from runbook.ports.backups import BackupPorts
from runbook.report.backup import created_lines, shelf_lines, vault_data
from runbook.report.document import envelope
from runbook.report.fleet_backup import fleet_shelf_lines, fleets_data

AGAIN = "give the same command again: it clears up, and shares what has not changed"
FOLDER = "backups"
"""Below the state folder."""


@dataclass(frozen=True, slots=True)
class CreateWishes:
    """What was said on the command line."""

    target: str | None
    config: Path | None
    node: str | None
    all_nodes: bool
    fetch: bool
    folder: Path | None
    parent: str
    recipients: tuple[str, ...]
    wait: bool
    progress: str
    as_json: bool


def folder_of(current: Session, folder: Path | None) -> Path:
    """Where the backups are.

    Raises:
        RefusedError: the folder is a symbolic link, or everybody may write there.
    """
    place = (folder or current.state / FOLDER).absolute()
    if place.is_symlink():
        raise RefusedError(f"{place} is a symbolic link, which is not followed here", hint="name the folder itself")
    if place.is_dir() and place.stat().st_mode & stat.S_IWOTH:
        raise RefusedError(f"everybody may write to {place}: what lies there proves nothing", hint=f"chmod o-w {place}")
    return place


def ports_of(current: Session, folder: Path | None, talk: ProgressTalk) -> BackupPorts:
    """The folder of the backups, with its locks and the journal.

    Raises:
        RefusedError: as `folder_of`.
    """
    place = folder_of(current, folder)
    locks = FileLocks(place, current.clock, current.who, current.where)
    return BackupPorts(FolderVault(place), FileBench(), current.journal, locks, current.clock, talk)


def create_backup(wishes: CreateWishes) -> ExitCode:
    """The whole of `backup create`."""
    current = compose.session()
    target = compose.target_of(current, wishes.target, wishes.config)
    node = one_node(target, wishes.node)
    with ProgressTalk(wishes.progress) as talk:
        ports = ports_of(current, wishes.folder, talk)
        run = current.new_run_id()
        by = f"engram-runbook {runbook.__version__}"
        wanted = Wanted(run, target.name, by, wishes.parent, wishes.recipients)
        with (
            signals.way_on("no backup was made, earlier ones are untouched", AGAIN),
            writing(ports, run, wait=wishes.wait),
        ):
            created = create(ports, compose.data_node(target, node, talk), wanted)
    if wishes.as_json:
        data = vault_data(ports.vault.folder, answers=[created.proof]) | {"fresh": created.fresh}
        show_json(envelope("backup", "runbook backup create", ExitCode.DONE, data))
    else:
        show(created_lines(created, ports.vault.folder))
    return ExitCode.DONE


def list_backups(folder: Path | None, *, as_json: bool) -> ExitCode:
    """The whole of `backup list`; bad news where one is damaged."""
    current = compose.session()
    with ProgressTalk() as talk:
        vault = ports_of(current, folder, talk).vault
        shelf = vault.shelf()
    fleets = FleetShelf(vault.folder).shelf()
    damaged = any(each.damage for each in shelf) or any(each.damage for each in fleets)
    code = ExitCode.BAD_NEWS if damaged else ExitCode.DONE
    if as_json:
        data = vault_data(vault.folder, shelf) | fleets_data(vault.folder, fleets)
        show_json(envelope("backup", "runbook backup list", code, data))
    else:
        show(fleet_shelf_lines(fleets))
        if shelf or not fleets:
            show(shelf_lines(shelf, vault.folder))
    return code
