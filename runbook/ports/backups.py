"""Ports of the folder in which backups lie, and of whoever is told how far a long work is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from runbook.archive.digest import ContentDigest
    from runbook.archive.forgetting import Forgotten
    from runbook.archive.kinds import Record
    from runbook.archive.layout import Header
    from runbook.model.backup import Backup, Order, Proof
    from runbook.model.fleet_backup import FleetBackup, KeptFleetBackup
    from runbook.model.play import WorkRequest, WorkResult
    from runbook.ports.data import Bench
    from runbook.ports.fleet import Clock, Journal, Locks

Passed = Callable[[int], None]
"""Told how many bytes more have passed."""


class Vault(Protocol):
    """One folder of backups. Whoever writes, pins or removes holds the folder's lock.

    Every method may raise StorageError: the disk refused; what was there before is still there.
    """

    folder: Path

    def shelf(self) -> tuple[Backup, ...]:
        """Every backup, the newest first; each was looked at, at level 1. A damaged one says so, and is there too."""
        ...

    def sweep(self) -> int:
        """Remove what killed runs left unfinished; how many there were."""
        ...

    def write(self, order: Order, records: Iterator[bytes], residue: Iterator[bytes] | None) -> Proof:
        """Write one from these archives, read strictly as they come, and read it back.

        Raises:
            DamagedError: an archive is damaged or cut off, or what was read back is not what was written.
            TwoMomentsError: records and residue are not of one moment; nothing was read of them but their headers.
            UsageError: a recipient is none.
        """
        ...

    def verify(self, name: str, level: int, identities: Sequence[Path], passed: Passed) -> Proof:
        """Verify the backup of that name, or at that path, at a level up to 3. What came of it is remembered.

        Raises:
            DamagedError: it is damaged; the message names the place.
            NotSupportedError: it is of a newer version.
            UsageError: there is none, or an identity is none.
            RefusedError: others may read an identity's file, or it does not fit.
        """
        ...

    def remember(self, proof: Proof) -> None:
        """Keep what was proven of it elsewhere."""
        ...

    def opened(self, name: str, identities: Sequence[Path]) -> Bundle:
        """The backup of that name, or at that path, to be read; level 1 of it is proven here.

        Raises:
            DamagedError, NotSupportedError, UsageError, RefusedError: as `verify`.
        """
        ...

    def forgotten(self) -> Forgotten:
        """Nothing yet, and room on the disk for more."""
        ...

    def pin(self, name: str, *, on: bool) -> None:
        """Have `prune` never remove it, or let go of that.

        Raises:
            UsageError: there is no backup of that name.
        """
        ...

    def remove(self, name: str) -> None:
        """Remove it; killed anywhere, it is there whole or it is gone."""
        ...


class Bundle(Protocol):
    """What is in one backup. `parts` are records, and perhaps residue."""

    backup: Backup
    parts: tuple[str, ...]

    def header(self, part: str) -> Header:
        """That of the part as an archive."""
        ...

    def digest(self, part: str) -> ContentDigest:
        """That of its content."""
        ...

    def batches(self, part: str) -> Iterator[list[Record]]:
        """Its records, checked as at level 3 whenever they are read; nothing of them counts before they have ended.

        Raises:
            DamagedError: it is damaged.
        """
        ...


class Telling(Protocol):
    """Who is told what goes on, and how far it is."""

    def say(self, text: str) -> None:
        """One line."""
        ...

    def counted(self, label: str, chunks: Iterable[bytes], total: int | None = None) -> Iterator[bytes]:
        """The chunks themselves; their bytes are told as they pass."""
        ...

    def passing(self, label: str, total: int) -> Passed:
        """The same for bytes that others count."""
        ...


class FleetVault(Protocol):
    """One folder of the backups of fleets: documents that name the backups of the nodes, which lie on their hosts.

    Every method may raise StorageError: the disk refused; what was there before is still there.
    """

    folder: Path

    def shelf(self) -> tuple[KeptFleetBackup, ...]:
        """Every one, the newest first; a damaged one says so, and is there too."""
        ...

    def read(self, name: str) -> FleetBackup:
        """The one of that name.

        Raises:
            UsageError: there is none.
            DamagedError, NotSupportedError: it does not read.
        """
        ...

    def write(self, backup: FleetBackup) -> KeptFleetBackup:
        """Give it its number, seal it and put it there; whoever writes holds the lock."""
        ...


class Fetched(Protocol):
    """One folder of backups, into which those of other hosts come."""

    def has(self, name: str, seal: str) -> bool:
        """Is this very backup here, whole?"""
        ...

    def draft(self, needed: int) -> Path:
        """An empty hidden folder for one, where so many bytes are needed.

        Raises:
            StorageError: there is no room.
        """
        ...

    def take(self, draft: Path, name: str, seal: str) -> int:
        """Prove what came and give it its name; the level that was proven.

        Raises:
            DamagedError: it did not come whole, or is another one.
        """
        ...

    def drop(self, draft: Path) -> None:
        """What did not come is removed."""
        ...


class Hosts(Protocol):
    """The hosts of a fleet, each with a `runbook` of its own."""

    def work(self, request: WorkRequest, progress: Callable[[str], None]) -> tuple[WorkResult, ...]:
        """Have them work, each on the data of its own node; every requested host is in the answer.

        Raises:
            UsageError: the inventory cannot be read, or does not have one of the hosts.
            NotSupportedError: Ansible or the playbook is missing or broken.
            InterruptedRunError: cancelled.
        """
        ...

    def stop_orphans(self, mark: str) -> int:
        """End every process of the play with that mark on this machine; how many there were."""
        ...


@dataclass(frozen=True, slots=True)
class FleetPorts:
    """What the use cases of a fleet's backups are given. `locks` are those of the vault's folder."""

    vault: FleetVault
    hosts: Hosts
    journal: Journal
    locks: Locks
    clock: Clock
    talk: Telling


@dataclass(frozen=True, slots=True)
class BackupPorts:
    """What the use cases of backups are given. `locks` are those of the vault's folder."""

    vault: Vault
    bench: Bench
    journal: Journal
    locks: Locks
    clock: Clock
    talk: Telling
