"""Follow a journal while others write it: every line is read once, however often somebody asks."""

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

from runbook.adapters.journal.chain import Link, Position, Torn, walk_on
from runbook.adapters.journal.following.folds import Folds
from runbook.adapters.journal.following.found import Found, Seen
from runbook.adapters.journal.following.index import Index
from runbook.adapters.journal.head import EMPTY, Head
from runbook.adapters.journal.inspection import not_reached
from runbook.adapters.journal.line import read
from runbook.adapters.journal.place import Place, Snapshot, snapshot
from runbook.adapters.journal.second import SecondPlace
from runbook.engine import history
from runbook.engine.rollout import state
from runbook.errors import NotSupportedError, RunbookError
from runbook.model.journal import Damage, Entry, Event, original
from runbook.model.rollout import Rollout
from runbook.model.run import Run, RunStatus
from runbook.ports import Clock

SLICE_LINES = 1000
"""So many lines are read before somebody else may ask."""
NAMED = 20
_BREATH_SECONDS = 0.001
"""Between two slices, so that whoever waits for the lock gets it."""
_PATIENCE = 0.5  # seconds: a page does not wait long for a process that is in the middle of an append
_ENTRY_FAULTS = (RunbookError, KeyError, TypeError, ValueError, IndexError, AttributeError)


class Follower:
    """The journal in a state folder, as far as it is read. Several threads may ask at once.

    Nothing is raised for what is wrong with the journal: `seen` says it, and what was known before stays known.
    """

    def __init__(self, folder: Path, clock: Clock, *, second: SecondPlace | None = None) -> None:
        self._place = Place(folder)
        self._clock = clock
        self._second = second or SecondPlace(folder)
        self._lock = threading.RLock()
        self._generation = -1
        self._descriptor = -1
        self._file: tuple[int, int] | None = None
        self._begin()

    def _begin(self) -> None:
        self._at = Position()
        self._checked = EMPTY
        self._head_damage: Damage | None = None
        self._index = index = Index()
        self._damage: list[Damage] = []
        self._damages = self._newer = 0
        self._unfolded: deque[str] = deque(maxlen=NAMED)
        self._generation += 1
        self._folds = Folds(index.of_both, self._again)
        self._seen = Seen(generation=self._generation)

    @property
    def path(self) -> Path:
        """The journal's file."""
        return self._place.journal

    @property
    def seen(self) -> Seen:
        """How far it is read, as of the last `catch_up`."""
        return self._seen

    def catch_up(self, seconds: float = float("inf")) -> Seen:
        """Read what is new, for about so long at most."""
        deadline = self._clock.monotonic() + seconds
        while not self._slice().complete and not self._seen.trouble and self._clock.monotonic() < deadline:
            self._clock.sleep(_BREATH_SECONDS)
        return self._seen

    @contextmanager
    def steady(self) -> Iterator[Seen]:
        """Nothing new is read within: what is asked here fits together, and waits for nobody in between."""
        with self._lock:
            yield self._seen

    def _slice(self) -> Seen:
        with self._lock:
            try:
                with snapshot(self._place, self._clock, _PATIENCE) as taken:
                    self._seen = Seen(generation=self._generation) if taken is None else self._read_on(taken)
                    if taken is None and len(self._index):
                        self._begin()
            except RunbookError as error:
                self._seen = replace(self._seen, trouble=error.message, hint=error.hint)
            with suppress(RunbookError, OSError):
                waiting = tuple(each.entry for each in self._second.waiting() if each.entry is not None)
                self._seen = replace(self._seen, waiting=waiting)
            return self._seen

    def _read_on(self, taken: Snapshot) -> Seen:
        self._recognise(taken)
        torn, stopped = "", False
        for item, behind in islice(walk_on(taken.stream, taken.size, self._at), SLICE_LINES):
            if isinstance(item, Torn):
                torn, stopped = self._torn(item, taken), True
                break
            if isinstance(item, Link):
                self._take(item, self._at.offset)
            else:
                self._note(item)
            self._at = behind
        at_end = stopped or self._at.offset >= taken.size
        if at_end:
            self._check_head(taken.head)
        found = self._damage if self._head_damage is None else [*self._damage, self._head_damage]
        return Seen(
            begun=True,
            entries=len(self._index),
            bytes_read=taken.size if at_end else self._at.offset,
            bytes_there=taken.size,
            damages=self._damages + (self._head_damage is not None),
            damage=tuple(found),
            torn=torn,
            newer=self._newer,
            unfolded=tuple(self._unfolded),
            generation=self._generation,
        )

    def _torn(self, torn: Torn, taken: Snapshot) -> str:
        return "" if isinstance(taken.head, Head) and torn.byte < taken.head.size else str(torn)

    def _recognise(self, taken: Snapshot) -> None:
        """Is it the file that was read before, with what was read before in it? Another one is begun anew."""
        descriptor = taken.stream.fileno()
        found = os.fstat(descriptor)
        last = b"" if self._at.end == EMPTY else b',"hash":"%s"}\n' % self._at.end.hash.encode()
        same = self._file == (found.st_dev, found.st_ino) and taken.size >= self._at.offset
        if same and os.pread(descriptor, len(last), self._at.end.size - len(last)) == last:
            return
        if self._file is not None:
            self._begin()
            os.close(self._descriptor)
        self._descriptor = os.dup(descriptor)
        self._file = (found.st_dev, found.st_ino)

    def _note(self, damage: Damage) -> None:
        self._damages += 1
        if len(self._damage) < NAMED:
            self._damage.append(damage)

    def _check_head(self, head: Head | str) -> None:
        """Where the sealed head stands, an entry has to end. It may lag behind the file."""
        if isinstance(head, str):
            self._head_damage = Damage(0, 0, head)
        elif head != self._checked:
            self._head_damage = None if self._ends_there(head) else self._unreached(head)
            self._checked = head if self._head_damage is None else EMPTY

    def _ends_there(self, head: Head) -> bool:
        place = self._index.place_of(head.seq)
        if head in {EMPTY, self._at.end}:
            return True
        if place is None or self._index.offsets[place] + self._index.lengths[place] != head.size:
            return False
        return self._raw(place).endswith(b',"hash":"%s"}\n' % head.hash.encode())

    def _unreached(self, head: Head) -> Damage | None:
        last = self._at.end.seq
        if self._damages and last >= head.seq:
            return None
        return Damage(0, min(self._at.offset, head.size), not_reached(head, last))

    def _take(self, link: Link, offset: int) -> None:
        line = link.line
        place = self._index.add(line.seq, offset, len(line.raw))
        try:
            entry = line.entry()
        except NotSupportedError:
            self._newer += 1
            return
        self._index.mark(place, entry.event, entry.run)
        try:
            meant = original(entry)
            if meant is not entry:
                self._index.mark(place, meant.event, "")
            self._folds.take(place, meant)
        except _ENTRY_FAULTS as error:
            self._unfolded.append(f"entry {line.seq}, {entry.event.value}: {error!s}")

    def _raw(self, place: int) -> bytes:
        return os.pread(self._descriptor, self._index.lengths[place], self._index.offsets[place])

    def _again(self, places: Iterable[int]) -> Iterable[Entry]:
        for place in places:
            found = self._found(place)
            if found.entry is not None:
                yield found.entry

    def _found(self, place: int) -> Found:
        seq, raw = self._index.seqs[place], self._raw(place)
        line = read(raw)
        if isinstance(line, str):
            return Found(seq, raw, None, f"{line}, since it was first read")
        try:
            return Found(seq, raw, line.entry())
        except NotSupportedError as error:
            return Found(seq, raw, None, error.message)

    def entry(self, seq: int) -> Found | None:
        """The entry of that number, or None."""
        with self._lock:
            place = self._index.place_of(seq)
            return None if place is None else self._found(place)

    def newest(
        self, most: int, *, event: Event | None = None, run: str | None = None, below: int | None = None
    ) -> list[Found]:
        """At most so many entries, newest first: of that event and that run, with a number below `below`."""
        with self._lock:
            places = self._index.newest(event, run, below=below)
            return [self._found(place) for place, _ in zip(places, range(most), strict=False)]

    def numbers(self, event: Event, most: int) -> list[int]:
        """The numbers of at most so many entries of that event, newest first; none of them is read."""
        with self._lock:
            places = zip(self._index.newest(event), range(most), strict=False)
            return [self._index.seqs[place] for place, _ in places]

    def count(self, event: Event) -> int:
        """How many entries of that event there are, adopted ones included."""
        with self._lock:
            return len(self._index.of_event(event))

    def last(self, event: Event, target: str) -> Found | None:
        """The newest `validated` or `baseline.captured` of that target, or None."""
        with self._lock:
            place = self._folds.last.get((event, target))
            return None if place is None else self._found(place)

    def targets(self) -> list[str]:
        """Those that rollouts or validations name, by name."""
        with self._lock:
            return sorted({*self._folds.rollouts, *(target for _, target in self._folds.last)})

    def rollouts(self, target: str | None = None) -> Sequence[str]:
        """The ids of the rollouts of that target (or of all, target by target), oldest first."""
        with self._lock:
            by_target = self._folds.rollouts
            chosen = by_target.values() if target is None else [by_target.get(target, [])]
            return [each for known in chosen for each in known]

    def rollout(self, rollout: str) -> Rollout | None:
        """Where that rollout stands, by the journal and what waits for it; None where it knows none of that id."""
        with self._lock:
            found = self._folds.rollout(rollout)
            known = {} if found is None else {rollout: found}
            for entry in self._seen.waiting:
                with suppress(RunbookError):
                    state.fold(known, entry)
            return known.get(rollout)

    def runs(self) -> Sequence[str]:
        """The ids of the runs, oldest first."""
        with self._lock:
            return tuple(self._folds.order)

    def run(self, run: str) -> Run | None:
        """How that run stands, by the journal and what waits for it; None where it knows none of that id."""
        with self._lock:
            found = self._folds.run(run)
            known = {} if found is None else {run: found}
            for entry in self._seen.waiting:
                with suppress(*_ENTRY_FAULTS):
                    history.fold(known, entry)
            return known.get(run)

    def unsettled(self) -> dict[str, RunStatus]:
        """The runs that are open, partial, waiting or need a person, and are not undone."""
        with self._lock:
            return dict(self._folds.unsettled)
