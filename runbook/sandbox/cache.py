"""The concept cache: what spreading activation needs of a concept, prepared, the least recently used leave first."""

import sys
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runbook.sandbox.space import Space


@dataclass(frozen=True, slots=True)
class Associations:
    """The episodes that a concept leads to, by row, and how strongly; `fan` is how many there are."""

    rows: NDArray[np.intp]
    strengths: NDArray[np.float32]

    @property
    def fan(self) -> int:
        """How many episodes share the concept's activation."""
        return len(self.rows)

    @property
    def resident_bytes(self) -> int:
        """What it takes in memory."""
        return sys.getsizeof(self) + sys.getsizeof(self.rows) + sys.getsizeof(self.strengths)


def associations(space: Space, concept: str) -> Associations:
    """Walk the bindings of the concept; those of forgotten episodes lead nowhere."""
    bindings = space.bindings.get(concept, {})  # none are left of a concept whose every episode was forgotten
    edges = [(space.episodes[id_].row, b.strength) for id_, b in bindings.items() if id_ in space.episodes]
    return Associations(
        np.array([row for row, _ in edges], dtype=np.intp), np.array([weight for _, weight in edges], dtype=np.float32)
    )


class ConceptCache:
    """At most `size` concepts, of all spaces together. The node's lock guards it."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, Associations] = OrderedDict()
        self.resident_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, space: Space, concept: str, size: int) -> Associations:
        """The associations of the concept, from the cache where it has them; the cache keeps them."""
        self.shrink(size)
        found = self._entries.get(concept)
        if found is not None:
            self._entries.move_to_end(concept)
            return found
        found = associations(space, concept)
        if size > 0:
            self.shrink(size - 1)
            self._entries[concept] = found
            self.resident_bytes += found.resident_bytes
        return found

    def peek(self, space: Space, concept: str) -> Associations:
        """The same, without leaving a trace in the cache."""
        return self._entries.get(concept) or associations(space, concept)

    def drop(self, concept: str) -> None:
        """Its bindings, or their episodes, changed."""
        gone = self._entries.pop(concept, None)
        if gone is not None:
            self.resident_bytes -= gone.resident_bytes

    def shrink(self, size: int) -> None:
        """Keep at most that many."""
        while len(self._entries) > size:
            self.resident_bytes -= self._entries.popitem(last=False)[1].resident_bytes
