"""The journal as a list of the very lines that the file would hold."""

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runbook.adapters.journal.chain import Link, walk
from runbook.adapters.journal.line import NOTHING, written
from runbook.errors import DamagedError
from runbook.model.journal import Damage, Entry, Event, JournalState
from runbook.ports import Clock

if TYPE_CHECKING:
    from runbook.adapters.journal.line import Line


class MemoryJournal:
    """`Journal` without a disk; `lines` may be looked at, and tampered with."""

    def __init__(self, clock: Clock, who: str = "nobody", where: str = "nowhere") -> None:
        self._clock = clock
        self._who = who
        self._where = where
        self.lines: list[Line] = []
        self.rescued: list[Entry] = []
        self._handed_out = 0

    def append(self, event: Event, run: str, details: Mapping[str, Any]) -> Entry:
        """Keep the entry; what looks like a secret is masked."""
        while self.rescued:
            kept = self.rescued.pop(0)
            body = {"event": kept.event.value, "run": kept.run, "who": kept.who, "where": kept.where}
            told = {**body, "at": kept.at.isoformat(), "details": kept.details}
            self._write(Event.JOURNAL_ADOPTED, kept.run, {"entry": told})
        return self._write(event, run, details)

    def rescue(self, event: Event, run: str, details: Mapping[str, Any], why: str) -> str:
        """Keep an entry that the journal refused until the next one is appended; where that is."""
        self.rescued.append(Entry(0, self._clock.now(), event, run, self._who, self._where, details))
        return f"memory ({why})"

    def waiting(self) -> Iterator[Entry]:
        """What was rescued and is not adopted yet."""
        return iter(self.rescued)

    def fresh(self) -> Iterator[Entry]:
        """Entries that were not handed out here before; then what waits, every time."""
        for line in self.lines[self._handed_out :]:
            self._handed_out += 1
            yield line.entry()
        yield from self.waiting()

    def _write(self, event: Event, run: str, details: Mapping[str, Any]) -> Entry:
        prev = self.lines[-1].hash if self.lines else NOTHING
        entry = Entry(len(self.lines) + 1, self._clock.now(), event, run, self._who, self._where, details)
        self.lines.append(written(entry, prev))
        return self.lines[-1].entry()

    def entries(self) -> Iterator[Entry]:
        """Every entry, oldest first.

        Raises:
            DamagedError: a line is not as it was left.
        """
        for item in self._walk():
            if not isinstance(item, Link):
                raise DamagedError(f"the journal in memory is damaged: {item}")
            yield item.line.entry()

    def verify(self) -> JournalState:
        """Check every line and the chain."""
        items = list(self._walk())
        links = [item for item in items if isinstance(item, Link)]
        head = links[-1].end.hash if links else NOTHING
        damage = tuple(item for item in items if isinstance(item, Damage))
        return JournalState("memory", len(links), head, damage, waiting=len(self.rescued))

    def _walk(self) -> Iterator[object]:
        raw = b"".join(line.raw for line in self.lines)
        return walk(io.BytesIO(raw), len(raw))
