"""The backups of fleets, as documents of a folder: each is there whole or not at all."""

import re
from dataclasses import replace
from pathlib import Path

from runbook.adapters.files import private_folder, read_document, safe_name, storage, write_atomic
from runbook.archive import fleet_manifest, limits
from runbook.errors import DamagedError, NotSupportedError, StorageError, UsageError
from runbook.model.fleet_backup import FleetBackup, KeptFleetBackup

_NAME = re.compile(r"fleet-[A-Za-z0-9_.-]{1,150}\.json")
_DRAFT = re.compile(r"\.fleet-[A-Za-z0-9_.-]{1,150}\.json\.[0-9a-f]+\.draft")
_SHORT_DIGEST = 12


class FleetShelf:
    """The port `FleetVault`, as a folder; it is made when the first one is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def shelf(self) -> tuple[KeptFleetBackup, ...]:
        """Every one, the newest first by its number; damaged ones say so, and come last."""
        with storage(self.folder, "read"):
            try:
                names = sorted(path.name for path in self.folder.iterdir() if _NAME.fullmatch(path.name))
            except FileNotFoundError:
                return ()
        found = [self._seen(name) for name in names]
        return tuple(sorted(found, key=lambda each: each.backup.number if each.backup else 0, reverse=True))

    def read(self, name: str) -> FleetBackup:
        """The one of that name, with or without its ending.

        Raises:
            UsageError: there is none.
            DamagedError, NotSupportedError, StorageError: it does not read.
        """
        name = name if name.endswith(".json") else f"{name}.json"
        data = read_document(self.folder / name, limits.MANIFEST_BYTES + 1) if _NAME.fullmatch(name) else None
        if data is None:
            raise UsageError(f"there is no backup {name} in {self.folder}", hint="runbook backup list")
        return fleet_manifest.parse(data, name)

    def write(self, backup: FleetBackup) -> KeptFleetBackup:
        """Give it its number, seal it, and put it there; once it has its name, it is durable.

        Raises:
            StorageError: the disk refused; nothing is there.
        """
        safe_name(backup.target, "target")
        number = 1 + max((each.backup.number for each in self.shelf() if each.backup), default=0)
        found = fleet_manifest.sealed(replace(backup, number=number))
        stamp = found.created_at[:19].replace("-", "").replace(":", "") + "Z"
        name = f"fleet-{stamp}-{found.target}-{found.sha256[:_SHORT_DIGEST]}.json"
        self._sweep()
        write_atomic(private_folder(self.folder) / name, fleet_manifest.render(found))
        return KeptFleetBackup(name, self.read(name))

    def _sweep(self) -> None:
        """Remove drafts of killed runs; whoever writes holds the lock."""
        with storage(self.folder, "clear up"):
            for path in self.folder.iterdir() if self.folder.is_dir() else ():
                if _DRAFT.fullmatch(path.name):
                    path.unlink()

    def _seen(self, name: str) -> KeptFleetBackup:
        try:
            return KeptFleetBackup(name, self.read(name))
        except (DamagedError, NotSupportedError, StorageError) as error:
            return KeptFleetBackup(name, None, error.message)
