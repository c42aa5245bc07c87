"""The journal's end, opened for appending: checked against the sealed head, in constant time."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from runbook.adapters.files import open_regular, storage, write_all, write_atomic
from runbook.adapters.journal.chain import Torn, walk
from runbook.adapters.journal.head import EMPTY, KEY_LENGTH, Head, sealed
from runbook.adapters.journal.line import Line
from runbook.adapters.journal.place import Place
from runbook.errors import DamagedError
from runbook.model.journal import Damage

HINT = "see: runbook audit verify; to start a new journal beside it: runbook audit set-aside --reason TEXT"


class SyncFailedError(OSError):
    """The disk took the bytes and then failed to keep them; asking it again would only seem to help."""


class Tail:
    """An open journal under its lock. `end` is where the next line goes."""

    def __init__(self, place: Place, end: Head, key: bytes, journal: int, head: int) -> None:
        self._place = place
        self._key = key
        self._journal = journal
        self._head = head
        self.end = end

    def write(self, line: Line) -> None:
        """Make the line durable, then the head; on failure the line is taken back and the `OSError` is raised."""
        try:
            write_all(self._journal, line.raw, self.end.size)
            try:
                os.fdatasync(self._journal)
            except OSError as error:
                raise SyncFailedError(error.errno, error.strerror) from error
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._journal, self.end.size)
            raise
        self._seal(Head(line.seq, self.end.size + len(line.raw), line.hash))

    def _seal(self, end: Head) -> None:
        self.end = end
        write_all(self._head, sealed(end, self._key), 0)

    def recover(self) -> Torn | None:
        """Adopt whole lines behind the head (a crash came between); what is torn behind them, if anything.

        Raises:
            DamagedError: the end is not as the head knows it, or what follows does not fit.
        """
        size = os.fstat(self._journal).st_size
        self._check_end(size)
        if size == self.end.size:
            return None
        end, torn = self.end, None
        with os.fdopen(os.dup(self._journal), "rb") as stream:
            for item in walk(stream, size, self.end):
                if isinstance(item, Damage):
                    damaged(self._place, item)
                if isinstance(item, Torn):
                    torn = item
                else:
                    end = item.end
        os.fdatasync(self._journal)
        self._seal(end)
        return torn

    def _check_end(self, size: int) -> None:
        last = b"" if self.end == EMPTY else b',"hash":"%s"}\n' % self.end.hash.encode()
        if size < self.end.size or os.pread(self._journal, len(last), self.end.size - len(last)) != last:
            what = "the file does not end where and as the sealed head knows it: it was changed or cut"
            damaged(self._place, Damage(self.end.seq, self.end.size, what))

    def cut(self) -> None:
        """Cut off what lies behind the end; the line that is written next makes that durable."""
        os.ftruncate(self._journal, self.end.size)


def damaged(place: Place, damage: Damage) -> NoReturn:
    """Raise the `DamagedError` that names the file, the line and the byte."""
    where = f"line {damage.line}, byte {damage.byte}" if damage.line else "sealed head"
    raise DamagedError(f"the journal {place.journal} is damaged ({where}): {damage.what}", hint=HINT)


@contextmanager
def opened_tail(place: Place) -> Iterator[Tail]:
    """The journal's end, begun where there is none. The caller holds the lock; every `OSError` is translated.

    Raises:
        DamagedError: the head does not open, or the journal is gone.
        StorageError: the disk refused.
    """
    with storage(place.journal, "append to"):
        key = place.load_key()
        head = place.load_head(key)
        if isinstance(head, str):
            damaged(place, Damage(0, 0, head))
        if head is None or key is None:
            head, key = EMPTY, begin(place)
        journal = open_regular(place.journal, os.O_RDWR)
        try:
            head_file = open_regular(place.head, os.O_RDWR)
            try:
                yield Tail(place, head, key, journal, head_file)
            finally:
                os.close(head_file)
        finally:
            os.close(journal)


def begin(place: Place) -> bytes:
    """Make an empty journal; its key. The key comes last: with it there, a file that is missing was taken away."""
    key = secrets.token_bytes(KEY_LENGTH)
    write_atomic(place.head, sealed(EMPTY, key))
    write_atomic(place.journal, b"")
    write_atomic(place.key, key)
    return key
