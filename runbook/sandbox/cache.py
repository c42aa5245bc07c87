"""The concept cache: what spreading activation needs of a concept, prepared, the least recently used leave first.

An entry is never changed: a recall may be reading it. When a concept changes, its next recall prepares a new entry, and
the old one, which nobody asks for any more, leaves as the least recently used. So the size is what bounds the cache.
"""

import sys
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runbook.sandbox.embedding import Vector
from runbook.sandbox.space import Space

EXEMPLARS = 8
"""Episodes of a concept whose vectors are kept ready: the most typical ones stand for all."""


@dataclass(frozen=True, slots=True)
class Associations:
    """The episodes that a concept leads to, by row, and how strongly; `fan` is how many there are.

    `exemplars` are the unit vectors of the most typical ones, in one piece.
    """

    rows: NDArray[np.intp]
    strengths: NDArray[np.float32]
    exemplars: NDArray[np.float32]

    @property
    def fan(self) -> int:
        """How many episodes share the concept's activation."""
        return len(self.rows)

    @property
    def resident_bytes(self) -> int:
        """What it takes in memory."""
        return sys.getsizeof(self) + sum(map(sys.getsizeof, (self.rows, self.strengths, self.exemplars)))

    def fit(self, cue: Vector) -> float:
        """The cosine of the nearest exemplar with the cue, a unit vector; 0 where there are none.

        A cue calls up a concept by the instances that it resembles (D. L. Medin and M. M. Schaffer, Context theory of
        classification learning, Psychological Review 85, 1978), not by their average, which resembles everything.
        """
        return min(float((self.exemplars @ cue).max()), 1.0) if len(self.exemplars) else 0.0


def associations(space: Space, concept: str) -> Associations:
    """Walk the bindings of the concept; those of forgotten episodes lead nowhere."""
    bindings = space.bindings.get(concept, {})  # none are left of a concept whose every episode was forgotten
    edges = [(space.episodes[id_].row, b.strength) for id_, b in bindings.items() if id_ in space.episodes]
    typical = sorted(edges, key=lambda edge: -edge[1])[:EXEMPLARS]
    return Associations(
        np.array([row for row, _ in edges], dtype=np.intp),
        np.array([weight for _, weight in edges], dtype=np.float32),
        space.vectors.unit([row for row, _ in typical]),
    )


class ConceptCache:
    """At most `size` entries, of the concepts of all spaces together. The node's lock guards it."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, int], Associations] = OrderedDict()
        self._changes: dict[str, int] = {}  # how often a concept has changed
        self.resident_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, space: Space, concept: str, size: int) -> Associations:
        """The associations of the concept, from the cache where it has them; the cache keeps them."""
        self.shrink(size)
        key = self._key(concept)
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
            return found
        found = associations(space, concept)
        if size > 0:
            self.shrink(size - 1)
            self._entries[key] = found
            self.resident_bytes += found.resident_bytes
        return found

    def peek(self, space: Space, concept: str) -> Associations:
        """The same, without leaving a trace in the cache."""
        return self._entries.get(self._key(concept)) or associations(space, concept)

    def outdate(self, concept: str) -> None:
        """Its bindings, or their episodes, changed: what is kept of it is not used any more."""
        if (key := self._key(concept)) in self._entries:
            self._changes[concept] = key[1] + 1

    def shrink(self, size: int) -> None:
        """Keep at most that many."""
        while len(self._entries) > size:
            self.resident_bytes -= self._entries.popitem(last=False)[1].resident_bytes

    def _key(self, concept: str) -> tuple[str, int]:
        return concept, self._changes.get(concept, 0)
