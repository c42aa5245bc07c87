"""The journal as a file: one durable line per entry, under a lock, with a sealed head."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runbook.adapters.files import private_folder, read_document, write_atomic
from runbook.adapters.journal.aside import set_aside
from runbook.adapters.journal.chain import Link, Torn
from runbook.adapters.journal.head import EMPTY
from runbook.adapters.journal.inspection import inspect, items
from runbook.adapters.journal.line import written
from runbook.adapters.journal.place import Place, locked, snapshot
from runbook.adapters.journal.tail import SyncFailedError, Tail, damaged, opened_tail
from runbook.errors import StorageError
from runbook.model.journal import Damage, Entry, Event, JournalState
from runbook.ports import Clock


class FileJournal:
    """`Journal` in a state folder. `who` is the invoking person, `where` this machine."""

    def __init__(self, folder: Path, clock: Clock, who: str, where: str) -> None:
        self._place = Place(folder)
        self._clock = clock
        self._who = who
        self._where = where
        self._lost = False

    def append(self, event: Event, run: str, details: Mapping[str, Any]) -> Entry:
        """Make the entry durable before returning; what looks like a secret is masked.

        A torn last line is set aside first, and journaled.

        Raises:
            StorageError: it could not be written; then nothing may be changed.
            DamagedError: the journal's end is not as it was left.
            LockedError: another process stopped in the middle of an append and holds the lock.
        """
        if self._lost:
            raise StorageError(
                f"{self._place.journal} takes no more entries: the disk failed to keep one",
                hint="look at the kernel's log (dmesg), then start the command again",
            )
        private_folder(self._place.folder)
        with locked(self._place, self._clock), opened_tail(self._place) as tail:
            torn = tail.recover()
            if torn is not None:
                self._write(tail, Event.JOURNAL_TORN, "", self._set_torn_aside(tail, torn))
            return self._write(tail, event, run, details)

    def _write(self, tail: Tail, event: Event, run: str, details: Mapping[str, Any]) -> Entry:
        line = written(self._entry(tail.end.seq + 1, event, run, details), tail.end.hash)
        try:
            tail.write(line)
        except SyncFailedError:
            self._lost = True
            raise
        return line.entry()

    def _entry(self, seq: int, event: Event, run: str, details: Mapping[str, Any]) -> Entry:
        return Entry(seq, self._clock.now(), event, run, self._who, self._where, details)

    def _set_torn_aside(self, tail: Tail, torn: Torn) -> dict[str, Any]:
        digest = hashlib.sha256(torn.raw).hexdigest()
        aside = self._place.folder / f"journal.torn-{torn.line}"
        if read_document(aside) not in {None, torn.raw}:  # torn twice at the same place: keep both
            aside = aside.with_name(f"{aside.name}-{digest[:12]}")
        write_atomic(aside, torn.raw)
        tail.cut()
        return {"file": aside.name, "bytes": len(torn.raw), "sha256": digest}

    def entries(self) -> Iterator[Entry]:
        """Every entry, oldest first; a torn last line is none.

        Raises:
            DamagedError: a line, or after the last line the head, is not as it was left; the place is named.
            NotSupportedError: a newer version of this tool wrote an entry.
            StorageError: the journal cannot be read.
        """
        with snapshot(self._place, self._clock) as taken:
            for item in items(taken) if taken else ():
                if isinstance(item, Damage):
                    damaged(self._place, item)
                if isinstance(item, Link):
                    yield item.line.entry()

    def verify(self) -> JournalState:
        """Check every line, the chain and the sealed head.

        Raises:
            StorageError: the journal cannot be read.
        """
        path = str(self._place.journal)
        with snapshot(self._place, self._clock) as taken:
            return inspect(path, taken) if taken else JournalState(path, 0, EMPTY.hash, ())

    def set_aside(self, reason: str) -> Entry:
        """Put a damaged journal aside, and start a new one whose first entry says so.

        Raises:
            RefusedError: the journal is sound: its history stays where it is.
            StorageError: the disk refused.
        """
        private_folder(self._place.folder)
        with locked(self._place, self._clock):
            return set_aside(self._place, lambda details: self._entry(1, Event.JOURNAL_STARTED, "", details), reason)
