"""Golden queries over the records of archives: which texts to ask for, and what must come to mind, by exact cosine."""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pybase64
from numpy.typing import NDArray

from runbook.archive.forgetting import TEXTS
from runbook.archive.kinds import TOMBSTONE, Record

SAME = 1e-5
"""Two cosines this near are one: a node counts in 32 bits."""
_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True, order=True)
class Drawn:
    """One text that was drawn; `place` is by which."""

    place: bytes
    space: str
    id: str
    text: str
    embedding: tuple[float, ...]


class Draw:
    """Some texts of each group, the same ones whenever the archive is read: those whose keys have the smallest hashes.

    Args:
        most: of each group.
        group_of: the group of a space.
    """

    def __init__(self, most: int, group_of: Callable[[str], str]) -> None:
        self._most = most
        self._group_of = group_of
        self.drawn: dict[str, list[Drawn]] = {}

    def see(self, records: Iterable[Record]) -> None:
        """These are in it, too."""
        for record in records:
            if record["type"] not in TEXTS:
                continue
            kept = self.drawn.setdefault(self._group_of(record["space"]), [])
            place = place_of(record["space"], record["id"])
            if len(kept) < self._most or place < kept[-1].place:
                kept[:] = heapq.nsmallest(self._most, [*kept, _drawn(place, record)])


class Neighbours:
    """The nearest texts of each cue's space.

    Args:
        cues: space and embedding of each.
        known: for each cue what is known already, by id; what is seen replaces it.
        most: so many are kept of each.
    """

    def __init__(
        self, cues: Sequence[tuple[str, Sequence[float]]], known: Sequence[Mapping[str, float]], most: int
    ) -> None:
        self._most = most
        self._near = [dict(each) for each in known]
        self._vectors = _units(np.asarray([embedding for _, embedding in cues], np.float64))
        self._by_space: dict[str, list[int]] = {}
        for number, (space, _) in enumerate(cues):
            self._by_space.setdefault(space, []).append(number)

    def see(self, records: Iterable[Record]) -> None:
        """These are in the archive, or were forgotten since."""
        by_space: dict[str, list[Record]] = {}
        for record in records:
            if record["space"] not in self._by_space:
                continue
            if record["type"] in TEXTS:
                by_space.setdefault(record["space"], []).append(record)
            elif record["type"] == TOMBSTONE and record["of"] in TEXTS:
                self._forget(record["space"], record["id"])
        for space, texts in by_space.items():
            self._measure(space, texts)

    def nearest(self, number: int) -> tuple[tuple[str, float], ...]:
        """The ids of the nearest with their cosines, nearest first."""
        near = self._near[number]
        return tuple(heapq.nsmallest(self._most, near.items(), key=lambda each: (-each[1], each[0])))

    def _forget(self, space: str, id_: str) -> None:
        for number in self._by_space[space]:
            self._near[number].pop(id_, None)

    def _measure(self, space: str, texts: Sequence[Record]) -> None:
        raw = b"".join(pybase64.b64decode(each["embedding"]) for each in texts)
        numbers = self._by_space[space]
        embeddings = np.frombuffer(raw, "<f4").reshape(len(texts), -1).astype(np.float64)
        cosines = _units(embeddings) @ self._vectors[numbers].T
        for column, number in enumerate(numbers):
            near = self._near[number]
            near.update((each["id"], float(cosines[row, column])) for row, each in enumerate(texts))
            if len(near) > 4 * self._most:
                self._near[number] = dict(self.nearest(number))


def share_of(answered: Iterable[str], nearest: Sequence[tuple[str, float]], count: int) -> float:
    """Of the `count` nearest, how much came to mind (0..1); what is as near as the last of them counts as well."""
    wanted = nearest[:count]
    if not wanted:
        return 1.0
    cosines, least = dict(nearest), wanted[-1][1] - SAME
    hits = sum(cosines.get(id_, -np.inf) >= least for id_ in dict.fromkeys(answered))
    return min(hits, len(wanted)) / len(wanted)


def place_of(*words: str) -> bytes:
    """Where the hash of the words puts them: as good as by chance, and the same every time."""
    return sha256("\0".join(words).encode()).digest()


def _drawn(place: bytes, record: Record) -> Drawn:
    embedding = tuple(map(float, np.frombuffer(pybase64.b64decode(record["embedding"]), "<f4")))
    return Drawn(place, record["space"], record["id"], str(record.get("content", ""))[:_LONGEST_TEXT], embedding)


def _units(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    units: NDArray[np.float64] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units
