"""What is known of backups beside them: pins, and what was proven last. A file each, so that nobody needs a lock."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson

from runbook.adapters.files import private_folder, read_document, storage, write_atomic
from runbook.errors import StorageError

_PINNED, _PROVEN = ".pinned", ".proven"
_LIMIT_BYTES = 4096
_SHOWN = 500


class Known:
    """A folder of such files. What does not read is not known."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, name: str, seal: str) -> tuple[int | None, str]:
        """The level that was proven of the backup whose manifest has that hash, and its damage; None where unknown."""
        with suppress(StorageError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            found = orjson.loads(read_document(self._folder / (name + _PROVEN), _LIMIT_BYTES) or b"{}")
            if found["seal"] == seal:
                return None if found["damage"] else int(found["level"]), str(found["damage"])
        return None, ""

    def proven(self, name: str, seal: str, level: int) -> None:
        """That level was proven; a higher one that was, stays. Damage that level 2 does not find is none any more."""
        known, damage = self.of(name, seal)
        if damage and level <= 1:
            return
        if known is None or known < level or damage:
            self._write(name, {"seal": seal, "level": level, "damage": ""})

    def damaged(self, name: str, seal: str, why: str) -> None:
        """It was found damaged."""
        self._write(name, {"seal": seal, "level": None, "damage": why[:_SHOWN]})

    def is_pinned(self, name: str) -> bool:
        """Was it pinned? What cannot be told counts as pinned."""
        try:
            (self._folder / (name + _PINNED)).lstat()
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def pin(self, name: str, *, on: bool) -> None:
        """Pin it, or let go of it; raises StorageError."""
        path = self._folder / (name + _PINNED)
        if on:
            with self._held(fcntl.LOCK_SH):
                write_atomic(path, b"")
            return
        with storage(path, "remove"):
            path.unlink(missing_ok=True)

    def forget(self, name: str) -> None:
        """The backup is gone; raises StorageError."""
        with storage(self._folder, "clear up"):
            for ending in (_PINNED, _PROVEN):
                (self._folder / (name + ending)).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what killed writers left, unless one is at work; raises StorageError."""
        with storage(self._folder, "clear up"), suppress(BlockingIOError):
            if self._folder.is_dir():
                with self._held(fcntl.LOCK_EX | fcntl.LOCK_NB):
                    for path in self._folder.glob(".*.draft"):
                        path.unlink()

    def _write(self, name: str, document: dict[str, object]) -> None:
        with self._held(fcntl.LOCK_SH):
            write_atomic(self._folder / (name + _PROVEN), orjson.dumps(document))

    @contextmanager
    def _held(self, how: int) -> Iterator[None]:
        """Writers beside each other; who sweeps, alone."""
        with storage(private_folder(self._folder), "lock"):
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)
