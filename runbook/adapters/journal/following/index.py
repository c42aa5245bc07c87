"""Where each entry of a journal lies: some thirty bytes for each, however long its line is."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runbook.model.journal import Event

_CHUNK = 4096


class Index:
    """Places of lines by their order in the file; by what they say; and by their run."""

    def __init__(self) -> None:
        self.offsets = array("Q")
        self.lengths = array("Q")
        self.seqs = array("Q")
        self._by_event: dict[Event, array[int]] = {}
        self._by_run: dict[str, array[int]] = {}

    def __len__(self) -> int:
        return len(self.seqs)

    def add(self, seq: int, offset: int, length: int) -> int:
        """Know one more line; its place in the order."""
        self.offsets.append(offset)
        self.lengths.append(length)
        self.seqs.append(seq)
        return len(self.seqs) - 1

    def mark(self, place: int, event: Event, run: str) -> None:
        """Find it by its event, and by its run where it has one."""
        self._mark(self._by_event, event, place)
        if run:
            self._mark(self._by_run, run, place)

    @staticmethod
    def _mark(known: "dict[Any, array[int]]", key: Any, place: int) -> None:
        places = known.get(key)
        if places is None:
            known[key] = places = array("I")
        if not places or places[-1] != place:
            places.append(place)

    def place_of(self, seq: int) -> int | None:
        """The place of the entry of that number, or None."""
        place = bisect_left(self.seqs, seq)
        return place if place < len(self.seqs) and self.seqs[place] == seq else None

    def of_event(self, event: Event) -> Sequence[int]:
        """Places of the entries of that event, oldest first."""
        return self._by_event.get(event, ())

    def of_run(self, run: str) -> Sequence[int]:
        """Places of the entries of that run, oldest first."""
        return self._by_run.get(run, ())

    def of_both(self, run: str, events: Iterable[Event]) -> list[int]:
        """Places of the entries of that run with one of those events, oldest first."""
        return sorted({place for event in events for place in self.newest(event, run)})

    def newest(self, event: Event | None = None, run: str | None = None, *, below: int | None = None) -> Iterator[int]:
        """Places, newest first, of the entries with that event and of that run whose number is below `below`."""
        chosen: list[Sequence[int]] = []
        if event is not None:
            chosen.append(self.of_event(event))
        if run is not None:
            chosen.append(self.of_run(run))
        chosen.sort(key=len)
        first: Sequence[int] = chosen[0] if chosen else range(len(self.seqs))
        end = len(first) if below is None else bisect_left(first, bisect_left(self.seqs, below))
        if len(chosen) > 1:
            return _of_both(chosen[0], chosen[1], end)
        return (first[at] for at in range(end - 1, -1, -1))


def _of_both(fewer: Sequence[int], more: Sequence[int], end: int) -> Iterator[int]:
    """The places below `end` of the one that are in the other, too, last first; both are in rising order."""
    if not fewer:
        return
    import numpy as np  # noqa: PLC0415 - only who asks for both needs it

    some, every = np.array(fewer, dtype=np.uint32), np.array(more, dtype=np.uint32)
    for stop in range(end, 0, -_CHUNK):
        part = some[max(0, stop - _CHUNK) : stop]
        at = np.minimum(np.searchsorted(every, part), len(every) - 1)
        yield from reversed(part[every[at] == part].tolist())
