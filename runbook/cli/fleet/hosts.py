"""What the commands on a whole fleet share: its hosts, the document's folder, and who is asked."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from runbook.adapters.archives.fleets import FleetShelf
from runbook.adapters.locks import FileLocks
from runbook.cli import compose
from runbook.cli.backup.create import folder_of
from runbook.cli.compose import Session
from runbook.cli.progress import ProgressTalk
from runbook.cli.screen import show, show_json
from runbook.engine.fleet.work import FleetWorked
from runbook.errors import ExitCode, RefusedError, UsageError
from runbook.model.target import Target
from runbook.ports.backups import FleetPorts
from runbook.report.document import envelope
from runbook.report.fleet_work import worked_data, worked_lines


def ports_on(current: Session, target: Target, folder: Path | None, talk: ProgressTalk) -> FleetPorts:
    """Hosts by Ansible, and the folder on this machine where the documents of fleets lie.

    Raises:
        NotSupportedError: Ansible is missing.
        RefusedError: the folder is a symbolic link.
    """
    place = folder_of(current, folder)
    plays = compose.hosts_of(target)
    plays.ready()
    locks = FileLocks(place, current.clock, current.who, current.where)
    return FleetPorts(FleetShelf(place), plays, current.journal, locks, current.clock, talk)


def place_of(current: Session, name: str, folder: Path | None) -> tuple[Path, str]:
    """The folder of the backup of a fleet that is named, or given by a path, and its name there."""
    place, _, own = name.rpartition("/")
    return folder_of(current, Path(place) if place else folder), own


@contextmanager
def changing(current: Session, target: Target, run: str) -> Iterator[None]:
    """The lock of the target on this machine; each host takes the lease of its own node.

    Raises:
        LockedError: another run changes it.
        DamagedError: the journal is damaged.
    """
    with current.locks.hold(f"target-{target.name}", run):
        current.journal.adopt()
        yield


def hosts_named(target: Target, names: Iterable[str]) -> tuple[str, ...]:
    """Those hosts, or all.

    Raises:
        UsageError: there is none of that name.
    """
    known = tuple(node.name for node in target.nodes)
    chosen = tuple(dict.fromkeys(names)) or known
    if unknown := [name for name in chosen if name not in known]:
        raise UsageError(f"{target.name} has no node {unknown[0]!r}", hint=f"its nodes: {', '.join(known[:12])}")
    return chosen


def state_here(current: Session) -> str:
    """Below it hosts that are this very machine have their state folders."""
    return str(current.state.absolute())


def can_ask(*, as_json: bool) -> None:
    """Before anything is done.

    Raises:
        RefusedError: nobody can be asked.
    """
    if as_json or not sys.stdin.isatty():
        raise RefusedError("nobody can be asked; nothing was changed", hint="add --yes")


def confirm(question: str) -> None:
    """Ask.

    Raises:
        RefusedError: the answer is no.
    """
    if not click.confirm(question, default=False, err=True):
        raise RefusedError("not agreed to", hint="what is served is as it was")


def tell(worked: FleetWorked, command: str, next_steps: tuple[str, ...] = (), *, as_json: bool) -> ExitCode:
    """How it went on each host."""
    if as_json:
        show_json(envelope("fleet_work", command, worked.code, worked_data(worked)))
    else:
        show(worked_lines(worked, next_steps))
    return worked.code
