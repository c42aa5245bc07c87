"""An index of keys on the disk, for lookups in constant memory. Every try makes its own, so it is not synced."""

import errno
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from runbook.adapters.files import refusal, storage
from runbook.model.migration import Key

_SEPARATOR = "\x1f"  # no space and no id has a control character


class KeyFile:
    """The index in that file, to be asked."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)

    def holds(self, type_: str, key: Key) -> bool:
        """Is the key of that type there?"""
        found = self._database.execute("SELECT 1 FROM found WHERE name = ?", (_name(type_, key),))
        return found.fetchone() is not None

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()


def write_keys(path: Path, keys: Iterable[tuple[str, Key]]) -> None:
    """Write the index, in place of one that is there.

    Raises:
        StorageError: the disk refused.
    """
    with storage(path, "write"):
        path.unlink(missing_ok=True)
    try:
        database = sqlite3.connect(path, isolation_level=None)
        try:
            database.execute("PRAGMA synchronous = OFF")
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("CREATE TABLE found (name TEXT PRIMARY KEY) WITHOUT ROWID")
            database.execute("BEGIN")
            database.executemany("INSERT OR IGNORE INTO found VALUES (?)", ((_name(*each),) for each in keys))
            database.execute("COMMIT")
        finally:
            database.close()
    except sqlite3.OperationalError as error:
        number = errno.ENOSPC if error.sqlite_errorcode == sqlite3.SQLITE_FULL else errno.EIO
        raise refusal(OSError(number, str(error)), path, "write") from error


def _name(type_: str, key: Key) -> str:
    return _SEPARATOR.join((type_, *key))
