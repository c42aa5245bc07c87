"""One command at a time starts or ends the fleet of a state folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from runbook.errors import LockedError
from runbook.sandbox.fleet.folder import FleetFolder, storage


@contextmanager
def locked(folder: FleetFolder, purpose: str) -> Iterator[None]:
    """Hold the fleet's lock while the context lasts; it falls with the process.

    Args:
        folder: whose fleet.
        purpose: the command, told to whoever finds the lock taken.

    Raises:
        LockedError: another process holds it; the message names it.
        StorageError: the state folder cannot be written.
    """
    with storage(folder.lock):
        folder.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode("utf-8", "replace").strip() or "another process"
            raise LockedError(f"the sandbox is being worked on by {holder}", hint="wait until it is done") from None
        with storage(folder.lock):
            os.truncate(descriptor, 0)
            os.write(descriptor, f"`runbook sandbox {purpose}`, pid {os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
