"""Where a journal lies, its lock, and what is found there."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from runbook.adapters.files import PRIVATE_FILE, open_regular, read_document, storage
from runbook.adapters.journal.head import EMPTY, KEY_LENGTH, RECORD_LENGTH, Head, claimed, opened
from runbook.errors import LockedError
from runbook.ports import Clock

PATIENCE_SECONDS = 10.0
"""How long an append waits for another process that is in the middle of one; one takes a millisecond."""


@dataclass(frozen=True, slots=True)
class Place:
    """The files of one journal."""

    folder: Path

    @property
    def journal(self) -> Path:
        """One entry per line."""
        return self.folder / "journal.jsonl"

    @property
    def head(self) -> Path:
        """The sealed head."""
        return self.folder / "journal.head"

    @property
    def key(self) -> Path:
        """The key of the seal: made once."""
        return self.folder / "journal.key"

    @property
    def lock(self) -> Path:
        """Whoever appends holds it; it is never renamed, as the journal may be."""
        return self.folder / "journal.lock"

    def load_key(self) -> bytes | None:
        """The key of the seal, or None where there is none."""
        return read_document(self.key, KEY_LENGTH * 2)

    def load_head(self, key: bytes | None) -> Head | str | None:
        """The head; or what is wrong; or None where no journal was ever begun.

        A journal is begun by its head, its file and its key, in this order.
        """
        record = read_document(self.head, RECORD_LENGTH * 2)
        if key is None:
            return None if self._never_begun(record) else "its key journal.key is missing"
        if not os.path.lexists(self.journal):
            return "the file is gone, its key is still there"
        if record is None:
            return "the sealed head journal.head is missing"
        return opened(record, key)

    def _never_begun(self, record: bytes | None) -> bool:
        with suppress(FileNotFoundError):
            if self.journal.lstat().st_size:
                return False
        try:
            return record is None or claimed(record) == EMPTY
        except ValueError:
            return False


@contextmanager
def locked(place: Place, clock: Clock, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Hold the journal's lock, to change it; wait for it at most `patience` seconds.

    Raises:
        LockedError: another process holds it for longer than any append takes.
        StorageError: the lock file cannot be opened.
    """
    with storage(place.lock, "open"):
        descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
    with _held(descriptor, fcntl.LOCK_EX, place, clock, patience):
        yield


@contextmanager
def _held(descriptor: int, kind: int, place: Place, clock: Clock, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Unlocked by name: closing would leave the lock to a child that was forked meanwhile."""
    try:
        _wait(descriptor, kind, place, (clock, patience))
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _wait(descriptor: int, kind: int, place: Place, limit: tuple[Clock, float]) -> None:
    clock, patience = limit
    deadline, pause = clock.monotonic() + patience, 0.0005
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if clock.monotonic() >= deadline:
                raise LockedError(
                    f"another process has held {place.lock} for {patience:g} s",
                    hint=f"find it with: fuser -v {place.lock}",
                ) from None
            clock.sleep(pause)
            pause = min(pause * 2, 0.02)
        else:
            return


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The journal as it was at one moment: what is appended later lies behind `size`."""

    stream: BinaryIO
    size: int
    head: Head | str


def look(place: Place) -> Snapshot | None:
    """What is there now; None where no journal was ever begun. The caller holds the lock and closes the stream.

    Raises:
        OSError: a file cannot be read.
    """
    head = place.load_head(place.load_key())
    if head is None:
        return None
    try:
        descriptor = open_regular(place.journal)
    except FileNotFoundError:  # the head's words say so; a journal that is gone has no lines
        descriptor = os.open(os.devnull, os.O_RDONLY)
    return Snapshot(os.fdopen(descriptor, "rb"), os.fstat(descriptor).st_size, head)


@contextmanager
def snapshot(place: Place, clock: Clock, patience: float = PATIENCE_SECONDS) -> Iterator[Snapshot | None]:
    """What is there now, for a reader who need not be allowed to write; None where no journal was ever begun.

    Raises:
        LockedError: another process holds the lock for longer than any append takes.
        StorageError: a file cannot be read.
    """
    with storage(place.journal, "read"):
        with _shared(place, clock, patience):
            taken = look(place)
        if taken is None:
            yield None
            return
        with taken.stream:
            yield taken


@contextmanager
def _shared(place: Place, clock: Clock, patience: float) -> Iterator[None]:
    try:
        descriptor = os.open(place.lock, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:  # nobody ever appended, so nobody does now
        yield
        return
    with _held(descriptor, fcntl.LOCK_SH, place, clock, patience):
        yield
