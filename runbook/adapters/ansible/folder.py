"""The folder in which one play keeps its things: fresh, private, in memory where possible, and gone afterwards."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runbook.errors import StorageError

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder made in it is private and has an unguessable name
ENOUGH_BYTES = 32 << 20


@contextmanager
def private_folder(mark: str) -> Iterator[Path]:
    """A folder that only this user can enter; removed whatever happens.

    Its name is short, since sockets of ssh lie in it, and tells the mark, since `remove_leftovers` looks for it.

    Raises:
        StorageError: there is no place for it.
    """
    try:
        path = Path(tempfile.mkdtemp(prefix=_prefix(mark), dir=_place()))
    except OSError as problem:
        hint = "free some space, or set TMPDIR to a folder that can be written"
        raise StorageError(f"no folder for Ansible to work in: {problem.strerror}", hint=hint) from None
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def remove_leftovers(mark: str) -> None:
    """Remove the folder of a play that was killed together with this tool."""
    for place in {SHARED_MEMORY, Path(tempfile.gettempdir())}:
        for path in place.glob(f"{_prefix(mark)}*"):
            with suppress(FileNotFoundError):
                if path.is_dir() and not path.is_symlink() and path.stat().st_uid == os.getuid():
                    shutil.rmtree(path, ignore_errors=True)


def _prefix(mark: str) -> str:
    return f"runbook-{hashlib.sha256(mark.encode()).hexdigest()[:12]}-"


def _place() -> Path:
    try:
        usable = os.access(SHARED_MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(SHARED_MEMORY).free > ENOUGH_BYTES
    except OSError:
        usable = False
    return SHARED_MEMORY if usable else Path(tempfile.gettempdir())
