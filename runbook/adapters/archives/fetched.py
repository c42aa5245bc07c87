"""Backups that come from other hosts: they have their name here once every byte of them was proven and is durable."""

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from runbook.adapters.archives.backups import DRAFT
from runbook.adapters.archives.known import Known
from runbook.adapters.archives.verify import verify_backup
from runbook.adapters.files import private_folder, safe_name, storage, sync_folder
from runbook.errors import DamagedError, RunbookError, StorageError

_LEVEL = 2


class FetchedBackups:
    """The port `Fetched`, in a folder of backups; whoever fetches holds the folder's lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, name: str, seal: str) -> bool:
        """Is this very backup here, whole?"""
        try:
            return verify_backup(self.folder / safe_name(name, "backup"), _LEVEL).manifest.sha256 == seal
        except RunbookError:
            return False

    def draft(self, needed: int) -> Path:
        """An empty hidden folder for one that needs so many bytes; a later run of any kind clears it up.

        Raises:
            StorageError: there is no room for it.
        """
        path = private_folder(self.folder) / f".{secrets.token_hex(6)}{DRAFT}"
        with storage(self.folder, "write into"):
            free = shutil.disk_usage(self.folder).free
            if free < needed:
                hint = "leave out --fetch: the backups are good where they are"
                raise StorageError(f"{self.folder} has {free} bytes left, and {needed} are to be fetched", hint=hint)
            path.mkdir(mode=0o700)
        return path

    def take(self, draft: Path, name: str, seal: str) -> int:
        """Prove what came, and give it its name; the level that was proven.

        Raises:
            DamagedError: it did not come whole, or is another one, or another has that name here.
        """
        found = verify_backup(draft, _LEVEL)
        if found.manifest.sha256 != seal:
            raise DamagedError(f"{name} came as another backup than the one that was asked for", hint="verify it there")
        final = self.folder / safe_name(name, "backup")
        with storage(final, "write"):
            for place in (*draft.rglob("*"), draft):
                _sync(place)
            if final.exists():
                raise DamagedError(f"{final} is there already, and is damaged or another one", hint="look at it")
            draft.rename(final)
            sync_folder(self.folder)
        Known(self.folder / ".known").proven(name, seal, found.level)
        return found.level

    def drop(self, draft: Path) -> None:
        """What did not come is removed."""
        with suppress(OSError):
            shutil.rmtree(draft)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
