"""What must come to mind: the nearest texts of an archive by cosine, exactly, without any index."""

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pybase64
from numpy.typing import NDArray

from runbook.archive.forgetting import TEXTS
from runbook.archive.kinds import Record

SAMPLE = 20
COUNT = 10
_SAME = 1e-5
"""Two cosines this near are one: a node counts in 32 bits."""


@dataclass(frozen=True, slots=True, order=True)
class Cue:
    """One text, asked for by its own embedding; `place` is by which it was drawn."""

    place: bytes
    space: str
    id: str
    embedding: tuple[float, ...]


class Sample:
    """Some texts of an archive, the same ones whenever it is read: those whose keys have the smallest hashes."""

    def __init__(self) -> None:
        self.cues: list[Cue] = []

    def see(self, records: Iterable[Record]) -> None:
        """These are in it, too."""
        drawn = (_cue(each) for each in records if each["type"] in TEXTS and self._is_drawn(each))
        self.cues = heapq.nsmallest(SAMPLE, [*self.cues, *drawn])

    def _is_drawn(self, record: Record) -> bool:
        return len(self.cues) < SAMPLE or _place(record) < self.cues[-1].place


class Nearest:
    """How near the nearest texts of the cue's space are, and those that came to mind.

    Args:
        cues: what was asked.
        minds: for each cue the ids that came to mind.
    """

    def __init__(self, cues: Sequence[Cue], minds: Sequence[Sequence[str]]) -> None:
        self._cues = cues
        self._minds = [dict.fromkeys(ids, -np.inf) for ids in minds]
        self._best: list[list[float]] = [[] for _ in cues]
        self._vectors = _units([cue.embedding for cue in cues])

    def see(self, records: Iterable[Record]) -> None:
        """These are in the archive, too."""
        texts = [each for each in records if each["type"] in TEXTS]
        if not texts:
            return
        raw = b"".join(pybase64.b64decode(each["embedding"]) for each in texts)
        cosines = _units(np.frombuffer(raw, "<f4").reshape(len(texts), -1)) @ self._vectors.T
        for number, cue in enumerate(self._cues):
            mind, near = self._minds[number], self._best[number]
            for row, each in enumerate(texts):
                if each["space"] != cue.space:
                    continue
                cosine = float(cosines[row, number])
                (heapq.heappush if len(near) < COUNT else heapq.heappushpop)(near, cosine)
                if each["id"] in mind:
                    mind[each["id"]] = cosine

    def share(self) -> float:
        """Of what must have come to mind, how much did, 0..1; what is as near as the last of it counts as well."""
        shares = []
        for near, mind in zip(self._best, self._minds, strict=True):
            hits = sum(cosine >= near[0] - _SAME for cosine in mind.values()) if near else 0
            shares.append(min(hits, len(near)) / len(near) if near else 1.0)
        return sum(shares) / len(shares) if shares else 1.0


def _place(record: Record) -> bytes:
    return sha256(f"{record['space']}\0{record['id']}".encode()).digest()


def _cue(record: Record) -> Cue:
    embedding = np.frombuffer(pybase64.b64decode(record["embedding"]), "<f4")
    return Cue(_place(record), record["space"], record["id"], tuple(map(float, embedding)))


def _units(vectors: Sequence[Sequence[float]] | NDArray[np.float32]) -> NDArray[np.float64]:
    found = np.asarray(vectors, np.float64).reshape(len(vectors), -1)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    units: NDArray[np.float64] = np.divide(found, lengths, out=np.zeros_like(found), where=lengths > 0)
    return units
