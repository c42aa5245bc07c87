"""Locks as files that say who holds them; the kernel lets go of them with the process, however it ends.

A file is removed by its holder, while it holds it. Whoever opened it before, and got the lock after that, holds a lock
that nobody else would meet: the file under the name is another one, or none, and they begin again.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from runbook.adapters.files import PRIVATE_FILE, private_folder, safe_name, storage, write_all
from runbook.errors import LockedError
from runbook.ports import Clock

_LIMIT = 4096  # bytes of a holder's description


class FileLocks:
    """`Locks` as files of a folder, which is made when needed.

    `who` is the invoking person, `where` this machine.
    """

    def __init__(self, folder: Path, clock: Clock, who: str, where: str) -> None:
        self._folder = folder
        self._clock = clock
        self._who = who
        self._where = where

    @contextmanager
    def hold(self, name: str, run: str) -> Iterator[None]:
        """Hold the lock while the context lasts; it falls with the process.

        Raises:
            LockedError: another process holds it; the message names it.
            StorageError: the state folder cannot be written.
            UsageError: the name cannot be a file's.
        """
        path = private_folder(self._folder) / f"{safe_name(name, 'lock')}.lock"
        descriptor = _held(path, name)
        try:
            try:
                with storage(path, "lock"):
                    _describe(descriptor, self._description(run))
                yield
            finally:
                _let_go(descriptor, path)
        finally:
            os.close(descriptor)

    def _description(self, run: str) -> bytes:
        since = self._clock.now().isoformat(timespec="seconds").replace("+00:00", "Z")
        return orjson.dumps(
            {"who": self._who, "where": self._where, "pid": os.getpid(), "run": run, "since": since},
            option=orjson.OPT_APPEND_NEWLINE,
        )


def _held(path: Path, name: str) -> int:
    """The open file under that path, locked."""
    while True:
        with storage(path, "lock"):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            with storage(path, "lock"):
                _take(descriptor, name)
                if _is_under(path, descriptor):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its last holder removed it just now


def _is_under(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _take(descriptor: int, name: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockedError(
            f"{name} is locked by {_holder(os.pread(descriptor, _LIMIT, 0))}", hint="wait until it has ended"
        ) from None


def _describe(descriptor: int, description: bytes) -> None:
    os.ftruncate(descriptor, 0)
    write_all(descriptor, description, 0)


def _let_go(descriptor: int, path: Path) -> None:
    """Unlock by name: closing would leave the lock to a child that was forked meanwhile and has not yet closed it."""
    with suppress(OSError):  # who held it is of no use to anyone now
        os.ftruncate(descriptor, 0)
    with suppress(OSError):
        path.unlink()
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def _holder(description: bytes) -> str:
    try:
        found: dict[str, Any] = orjson.loads(description)
        run = f"run {found['run']} of " if found["run"] else ""
        return f"{run}{found['who']} on {found['where']} (pid {found['pid']}, since {found['since']})"
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "another process, which has not said yet who it is"
