"""Two memories behind one protocol: single type (the control) and dual (the treatment). They share the episodes.

The dual memory recalls along two paths. The episodic one is the cosine of an episode with the cue. The semantic one
goes through concepts: a concept near the cue is activated, and passes its activation on to the episodes that it is
bound to, divided among them (the fan effect, J. R. Anderson, Retrieval of propositional information from long-term
memory, Cognitive Psychology 6, 1974). `semantic_weight` blends the two into the order of the results.

The confidence of a result says how well it fits the cue, and what speaks for it:

- Direct fit counts in full up to the balanced weight. What the semantic path is given beyond is taken from it, and a
  concept attests only what its members have in common, shared among them; so a recall that leans on concepts alone is
  sure of the gist and of nothing in particular.
- Activation that arrives through a concept corroborates in proportion to the fit.
- A concept that does not hold together misleads: a cue that resembles one of its episodes calls up all the others, and
  these rivals make every answer less sure (cue overload, O. C. Watkins and M. J. Watkins, Buildup of proactive
  inhibition as a cue-overload effect, Journal of Experimental Psychology: Human Learning and Memory 1, 1975). Each such
  concept takes a part of the confidence: how near it is to the cue, compared with the best answer, times how far its
  coherence is under what is sound.
"""

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from runbook.sandbox.cache import ConceptCache
from runbook.sandbox.embedding import Vector
from runbook.sandbox.memory import Memory
from runbook.sandbox.records import Episode
from runbook.sandbox.space import EpisodeEntry, Space
from runbook.sandbox.vectors import best

ACTIVE_CONCEPTS = 20
"""At most so many concepts answer to one cue."""
ACTIVATION_FLOOR = 0.1
"""A concept whose episodes are further from the cue than this stays silent."""
BALANCE = 0.3
"""The semantic weight up to which direct fit counts in full: upstream blends 0.7 and 0.3."""
SOUND = 0.65
"""Coherence from which on a concept holds together: what upstream asks of a new one."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What is asked: a direction, how many results at most, and the least confidence of each."""

    vector: Vector
    count: int
    threshold: float = 0.0
    observe: bool = True


@dataclass(frozen=True, slots=True)
class Recollection:
    """One result; `path` is `episodic`, `semantic` or `both`."""

    episode: EpisodeEntry
    confidence: float
    similarity: float
    path: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """The results, best first, and what the concepts did.

    That is: how much of the score came through them, the fan and the name of each active one, and the bindings
    (concept, episode) that led to results.
    """

    results: tuple[Recollection, ...]
    semantic_share: float | None = None
    fans: tuple[int, ...] = ()
    concepts: tuple[str, ...] = ()
    bindings: tuple[tuple[str, str], ...] = ()

    @property
    def confidence(self) -> float | None:
        """The mean confidence of the results; None where there are none."""
        if not self.results:
            return None
        return sum(result.confidence for result in self.results) / len(self.results)


@dataclass(frozen=True, slots=True)
class _Spread:
    """The activation that reaches each row, how far the concepts mislead (0..1), and the fan and name of each."""

    activation: NDArray[np.float32]
    doubt: float
    fans: tuple[int, ...]
    concepts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a space holds, at one sequence number."""

    sequence: int
    episodes: int
    concepts: int
    bindings: int
    pending: int


class Graph(Protocol):
    """A memory of one node, in which spaces are named."""

    def remember(self, episodes: list[Episode]) -> Future[list[bool]]:
        """Store, durably; which of them are new."""
        ...

    def recall(self, space: str, cue: Cue) -> Recalled:
        """What comes to mind."""
        ...

    def forget(self, space: str, ids: list[str]) -> Future[dict[str, int]]:
        """Forget, durably; the tombstone's sequence number of each that was there."""
        ...

    def snapshot(self, space: str) -> Snapshot:
        """How much there is."""
        ...


class MemoryGraph:
    """The single-type memory: its answers are of episodes only, whatever the tuning."""

    def __init__(self, memory: Memory, *, semantic_weight: float, cache_size: int) -> None:
        self._memory = memory
        self._weight = semantic_weight
        self._cache_size = cache_size
        self.remember = memory.remember
        self.forget = memory.forget

    def recall(self, space: str, cue: Cue) -> Recalled:
        """The episodes nearest to the cue."""
        return _along_both_paths(self._memory, space, cue, self._weight, self._cache_size)[0]

    def snapshot(self, space: str) -> Snapshot:
        """Episodes only."""
        with self._memory.lock:
            held = self._memory.spaces[space]
            return Snapshot(self._memory.store.sequence, len(held.episodes), 0, 0, 0)


class DualMemoryGraph:
    """The dual memory: episodes, concepts and bindings. Built per request, with the tuning of that moment."""

    def __init__(self, memory: Memory, *, blended: bool, semantic_weight: float, cache_size: int) -> None:
        self._memory = memory
        self._blended = blended
        self._weight = semantic_weight
        self._cache_size = cache_size
        self.remember = memory.remember
        self.forget = memory.forget

    def recall(self, space: str, cue: Cue) -> Recalled:
        """The episodes nearest to the cue, and those that its concepts lead to."""
        plain, blended = _along_both_paths(self._memory, space, cue, self._weight, self._cache_size)
        return blended if self._blended else plain

    def snapshot(self, space: str) -> Snapshot:
        """Episodes, concepts and bindings."""
        with self._memory.lock:
            held = self._memory.spaces[space]
            return Snapshot(
                self._memory.store.sequence,
                len(held.episodes),
                len(held.concepts),
                held.binding_count,
                len(held.pending),
            )


def _along_both_paths(
    memory: Memory, space: str, cue: Cue, weight: float, cache_size: int
) -> tuple[Recalled, Recalled]:
    """What the single memory answers, and what the dual one does; both are worked out for every recall.

    So the group decides what is answered, never how long it takes: a comparison of groups that do the same finds no
    difference, and one that is found was made.
    """
    with memory.lock:
        held = memory.spaces[space]
        similar = held.vectors.cosines(cue.vector)
        nearest = best(similar, cue.count)
        plain = [_plain(held.by_row[row], float(similar[row])) for row in map(int, nearest)]
        led = _spread(memory.cache, held, cue, similar, cache_size)
        spread = led.activation
        near = np.where(np.isfinite(similar), np.clip(similar, 0.0, 1.0), similar)
        # A free row stays -inf: times a weight of 0 it would be NaN, which sorts before every number.
        score = np.where(np.isfinite(near), (1.0 - weight) * np.maximum(near, 0.0) + weight * spread, near)
        direct = set(nearest.tolist())
        rows = best(score, cue.count)
        found = [_blend(held, row, float(similar[row]), led, weight, direct=row in direct) for row in map(int, rows)]
        total = float(score[rows].sum())
        share = float(weight * spread[rows].sum()) / total if total > 0 else 0.0
        answered = set(led.concepts)
        bindings = [(c, r.episode.id) for r in found for c in held.bound.get(r.episode.id, ()) if c in answered]
    blended = Recalled(_sure(found, cue), share, led.fans, led.concepts, tuple(bindings))
    return Recalled(_sure(plain, cue)), blended


def _sure(found: list[Recollection], cue: Cue) -> tuple[Recollection, ...]:
    return tuple(result for result in found if result.confidence >= cue.threshold)


def _spread(cache: ConceptCache, held: Space, cue: Cue, similar: NDArray[np.float32], size: int) -> _Spread:
    spread, sure = np.zeros(len(similar), dtype=np.float32), 1.0
    nearest = max(float(similar.max(initial=0.0)), ACTIVATION_FLOOR)
    activation = held.centroids.cosines(cue.vector)
    fans: list[int] = []
    concepts: list[str] = []
    for row in best(activation, ACTIVE_CONCEPTS):
        if activation[row] < ACTIVATION_FLOOR:
            break
        concept = held.concept_by_row[int(row)]
        edges = cache.get(held, concept.id, size) if cue.observe else cache.peek(held, concept.id)
        strength = edges.fit(cue.vector)
        if strength >= ACTIVATION_FLOOR:
            spread[edges.rows] += strength * edges.strengths / edges.fan
            sure *= 1.0 - min(strength / nearest, 1.0) * max(1.0 - concept.coherence / SOUND, 0.0)
            fans.append(edges.fan)
            concepts.append(concept.id)
    np.minimum(spread, 1.0, out=spread)
    return _Spread(spread, 1.0 - sure, tuple(fans), tuple(concepts))


def _blend(held: Space, row: int, similarity: float, led: _Spread, weight: float, *, direct: bool) -> Recollection:
    spread = float(led.activation[row])
    path = ("both" if direct else "semantic") if spread > 0 else "episodic"
    confidence = confidence_of(similarity, spread, led.doubt, weight)
    return Recollection(held.by_row[row], confidence, similarity, path)


def _plain(entry: EpisodeEntry, similarity: float) -> Recollection:
    return Recollection(entry, min(max(similarity, 0.0), 1.0), similarity, "episodic")


def confidence_of(similarity: float, spread: float, doubt: float, weight: float) -> float:
    """How sure a recall is of one result, 0..1; see the head of this module.

    Args:
        similarity: its cosine with the cue.
        spread: the activation that reaches it through concepts, 0..1.
        doubt: how far the concepts that were called up mislead, 0..1.
        weight: the semantic weight, 0..1.
    """
    near = min(max(similarity, 0.0), 1.0)
    direct = min((1.0 - weight) / (1.0 - BALANCE), 1.0)
    corroborated = direct * near * (1.0 + spread * (1.0 - near)) + (1.0 - direct) * spread
    return corroborated * (1.0 - doubt * min(weight / BALANCE, 1.0))
