"""The journal as a file: one durable line per entry, under a lock, with a sealed head."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from runbook.adapters.files import private_folder, read_document, write_atomic
from runbook.adapters.journal.adoption import not_yet_adopted
from runbook.adapters.journal.aside import set_aside
from runbook.adapters.journal.chain import Link, Torn, walk
from runbook.adapters.journal.head import EMPTY
from runbook.adapters.journal.inspection import inspect, items
from runbook.adapters.journal.line import written
from runbook.adapters.journal.place import PATIENCE_SECONDS, Place, locked, snapshot
from runbook.adapters.journal.reading_on import behind, is_place
from runbook.adapters.journal.second import SecondPlace
from runbook.adapters.journal.tail import SyncFailedError, Tail, damaged, opened_tail
from runbook.errors import StorageError
from runbook.model.journal import Damage, Entry, Event, JournalState
from runbook.model.notification import Position
from runbook.ports import Clock


class FileJournal:
    """`Journal` in a state folder. `who` is the invoking person, `where` this machine.

    `patience` is for how many seconds whoever appends or reads waits for a process that is in the middle of an append.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        who: str,
        where: str,
        *,
        patience: float = PATIENCE_SECONDS,
        second: SecondPlace | None = None,
    ) -> None:
        self._place = Place(folder)
        self._patience = patience
        self._second = second or SecondPlace(folder)
        self._handed_out = EMPTY
        self._clock = clock
        self._who = who
        self._where = where
        self._lost = False

    def append(self, event: Event, run: str, details: Mapping[str, Any]) -> Entry:
        """Make the entry durable before returning; what looks like a secret is masked.

        A torn last line is set aside first, and journaled; then what waits in the second place is adopted.

        Raises:
            StorageError: it could not be written; then nothing may be changed.
            DamagedError: the journal's end is not as it was left.
            LockedError: another process stopped in the middle of an append and holds the lock.
        """
        with self._ready() as tail:
            return self._write(tail, event, run, details)

    def adopt(self) -> int:
        """Write what waits in the second place into the journal; how many entries that was.

        Raises:
            StorageError, DamagedError, LockedError: as for `append`; what was not adopted still waits.
        """
        waiting = len(self._second.waiting())
        if waiting:
            with self._ready():
                pass
        return waiting

    @contextmanager
    def _ready(self) -> Iterator[Tail]:
        """The end of the journal under its lock, in order, with nothing left to adopt."""
        if self._lost:
            raise StorageError(
                f"{self._place.journal} takes no more entries: the disk failed to keep one",
                hint="look at the kernel's log (dmesg), then start the command again",
            )
        private_folder(self._place.folder)
        with locked(self._place, self._clock, self._patience), opened_tail(self._place) as tail:
            torn = tail.recover()
            if torn is not None:
                self._write(tail, Event.JOURNAL_TORN, "", self._set_torn_aside(tail, torn))
            self._adopt(tail)
            yield tail

    def _adopt(self, tail: Tail) -> None:
        waiting = self._second.waiting()
        new = not_yet_adopted(self._place, tail.end.size, waiting)
        for each in waiting:
            if each in new:
                run = "" if each.entry is None else each.entry.run
                self._write(tail, Event.JOURNAL_ADOPTED, run, each.details)
            self._second.drop(each)

    def rescue(self, event: Event, run: str, details: Mapping[str, Any], why: str) -> str:
        """Keep an entry that the journal refused, for `why`, in its second place; where that is.

        Raises:
            StorageError: no second place takes it either.
        """
        return str(self._second.keep(self._entry(0, event, run, details), why))

    def waiting(self) -> Iterator[Entry]:
        """What waits in the second place, oldest first; the numbers are no numbers of the journal."""
        return (each.entry for each in self._second.waiting() if each.entry is not None)

    def fresh(self) -> Iterator[Entry]:
        """Entries that this object has not handed out here before, oldest first; then what waits, every time.

        Raises:
            DamagedError, NotSupportedError, StorageError: as for `entries`.
        """
        with snapshot(self._place, self._clock, self._patience) as taken:
            start = self._handed_out if taken and taken.size >= self._handed_out.size else EMPTY
            for item in walk(taken.stream, taken.size, start) if taken else ():
                if isinstance(item, Damage):
                    damaged(self._place, item)
                if isinstance(item, Link):
                    self._handed_out = item.end
                    yield item.line.entry()
        yield from self.waiting()

    def follow(self, start: Position) -> Iterator[tuple[Entry, Position]] | None:
        """The entries behind that place, each with the place behind it; None where the journal has no such place.

        Lines that do not read, and entries of a newer version, are passed over: `verify` is who says so.

        Raises:
            StorageError: the journal cannot be read.
            LockedError: another process holds its lock.
        """
        with snapshot(self._place, self._clock, self._patience) as taken:
            fits = is_place(taken, start)
        return self._behind(start) if fits else None

    def _behind(self, start: Position) -> Iterator[tuple[Entry, Position]]:
        with snapshot(self._place, self._clock, self._patience) as taken:
            yield from behind(taken, start) if taken else ()

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
        with snapshot(self._place, self._clock, self._patience) as taken:
            for item in items(taken) if taken else ():
                if isinstance(item, Damage):
                    damaged(self._place, item)
                if isinstance(item, Link):
                    yield item.line.entry()

    def lines(self, first: int) -> Iterator[bytes]:
        """The lines as they are on the disk, from the entry of that number on; a torn last line is none.

        Raises:
            DamagedError, StorageError: as for `entries`.
        """
        with snapshot(self._place, self._clock, self._patience) as taken:
            for item in items(taken) if taken else ():
                if isinstance(item, Damage):
                    damaged(self._place, item)
                if isinstance(item, Link) and item.line.seq >= first:
                    yield item.line.raw

    def verify(self) -> JournalState:
        """Check every line, the chain and the sealed head.

        Raises:
            StorageError: the journal cannot be read.
        """
        path = str(self._place.journal)
        with snapshot(self._place, self._clock, self._patience) as taken:
            state = inspect(path, taken) if taken else JournalState(path, 0, EMPTY.hash, ())
        return replace(state, waiting=len(self._second.waiting()))

    def set_aside(self, reason: str) -> Entry:
        """Put a damaged journal aside, and start a new one whose first entry says so.

        Raises:
            RefusedError: the journal is sound: its history stays where it is.
            StorageError: the disk refused.
        """
        private_folder(self._place.folder)
        with locked(self._place, self._clock):
            return set_aside(self._place, lambda details: self._entry(1, Event.JOURNAL_STARTED, "", details), reason)
