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

    def append(self, event: Event, run: str, details: Mapping[str, Any]) -> Entry:
        """Keep the entry; what looks like a secret is masked."""
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
        return JournalState("memory", len(links), head, tuple(item for item in items if isinstance(item, Damage)))

    def _walk(self) -> Iterator[object]:
        raw = b"".join(line.raw for line in self.lines)
        return walk(io.BytesIO(raw), len(raw))
