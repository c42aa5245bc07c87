"""Consolidation: clusters of recent episodes become concepts, or strengthen the concepts that they resemble.

One cycle looks at the oldest episodes of each space that are not settled yet, `WINDOW` at most. A cluster that is
large and coherent enough either merges into the nearest concept, or is sampled to become one; each concept is
durable with all its bindings or not at all. An episode that ends up in no concept stays a candidate for a few cycles
and is then given up, so that a node without new episodes settles.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from runbook.model.assignment import within
from runbook.sandbox import rows
from runbook.sandbox.clustering import Cluster, cluster
from runbook.sandbox.embedding import Vector, vector
from runbook.sandbox.memory import Memory
from runbook.sandbox.records import Binding, Concept, now
from runbook.sandbox.space import EpisodeEntry, Space
from runbook.sandbox.store import Transaction
from runbook.sandbox.tuning import Tuning
from runbook.sandbox.vectors import best

WINDOW = 640
"""Episodes that one cycle looks at, per space."""
PATIENCE = 5
"""Cycles that an episode waits for others like it."""
LINK_MARGIN = 0.10
"""Clusters are joined down to this far under the coherence threshold (upstream: 0.55 and 0.65)."""
MERGE = 0.80
"""A centroid this close to a concept's belongs to that concept."""


@dataclass(frozen=True, slots=True)
class Formed:
    """A concept that was formed now."""

    space: str
    concept: Concept
    members: tuple[EpisodeEntry, ...]


@dataclass(frozen=True, slots=True)
class Cycle:
    """What one cycle did, and how long it took."""

    seconds: float
    formed: tuple[Formed, ...] = ()
    merged: int = 0
    collected: int = 0
    examined: int = 0


@dataclass(frozen=True, slots=True)
class _Candidates:
    entries: list[EpisodeEntry]
    points: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    backlog: bool


class Consolidation:
    """The cycles of one node. One thread at a time runs them; recall goes on meanwhile."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def pending(self) -> int:
        """Episodes that are not settled."""
        with self._memory.lock:
            return sum(len(space.pending) for space in self._memory.spaces.values())

    def backlog(self) -> bool:
        """Is there more than one cycle can look at?"""
        with self._memory.lock:
            return any(len(space.pending) > WINDOW for space in self._memory.spaces.values())

    def cycle(self, tuning: Tuning) -> Cycle:
        """One cycle over all spaces.

        Raises:
            StorageError: the disk refused; what was not stored stays a candidate.
        """
        started = perf_counter()
        formed: list[Formed] = []
        merged = examined = collected = 0
        with self._memory.lock:
            busy = [space for space in self._memory.spaces.values() if space.pending]
        for space in busy if tuning.forms_concepts else []:
            step = self._settle(space, tuning)
            formed += step.formed
            merged += step.merged
            examined += step.examined
        if tuning.binding_cleanup:
            collected = self.collect()
        return Cycle(perf_counter() - started, tuple(formed), merged, collected, examined)

    def collect(self) -> int:
        """Drop the bindings of forgotten episodes, durably; how many there were."""
        if not self._orphans():
            return 0

        def write(transaction: Transaction) -> list[tuple[Space, list[tuple[str, str]]]]:
            self._memory.gate.check()
            dead = self._orphans()  # asked here, where nothing else is written: an id may have been remembered again
            for space, pairs in dead:
                rows.forget_bindings(transaction, space.name, pairs)
            return dead

        def apply(dead: list[tuple[Space, list[tuple[str, str]]]]) -> None:
            with self._memory.lock:
                for space, pairs in dead:
                    for concept, episode in pairs:
                        space.remove_binding(concept, episode)
                        self._memory.cache.outdate(concept)

        return sum(len(pairs) for _, pairs in self._memory.store.write(write, apply).result())

    def _orphans(self) -> list[tuple[Space, list[tuple[str, str]]]]:
        with self._memory.lock:
            return [(space, sorted(space.orphans)) for space in self._memory.spaces.values() if space.orphans]

    def _settle(self, space: Space, tuning: Tuning) -> Cycle:
        candidates = self._candidates(space)
        found = cluster(candidates.points, tuning.coherence_threshold - LINK_MARGIN)
        formed: list[Formed] = []
        merged = 0
        for group in found:
            if len(group.members) < tuning.min_cluster_size or group.coherence < tuning.coherence_threshold:
                continue
            members = [candidates.entries[at] for at in group.members]
            points = candidates.points[list(group.members)]
            result = self._absorb(space, group, members, points, tuning)
            if isinstance(result, Formed):
                formed.append(result)
            else:
                merged += result
        self._give_up(space, candidates)
        return Cycle(0.0, tuple(formed), merged, examined=len(candidates.entries))

    def _candidates(self, space: Space) -> _Candidates:
        with self._memory.lock:
            backlog = len(space.pending) > WINDOW
            entries = [space.episodes[id_] for id_, _ in zip(space.pending, range(WINDOW), strict=False)]
            return _Candidates(entries, space.vectors.unit([entry.row for entry in entries]), backlog)

    def _absorb(
        self, space: Space, group: Cluster, members: list[EpisodeEntry], points: Vector, tuning: Tuning
    ) -> Formed | int:
        """Merge the cluster into the nearest concept (1), form a new one, or leave it unsampled (0)."""
        centre = points.sum(axis=0)
        centre /= max(float(np.linalg.norm(centre)), 1e-12)
        near = self._nearest(space, centre)
        if near is not None:
            self._store_concept(space, _merged(near, centre, group), members, points @ centre)
            return 1
        if not within(min(entry.id for entry in members), tuning.concept_sample_rate):
            return 0
        moment = now()
        concept = Concept(
            space=space.name,
            id=str(uuid5(NAMESPACE_OID, "\x1f".join((space.name, *sorted(entry.id for entry in members))))),
            embedding=centre.astype("<f4").tobytes(),
            coherence=min(max(group.coherence, 0.0), 1.0),
            instance_count=len(members),
            formed_at=moment,
            confidence=min(max(group.coherence, 0.0), 1.0) * (1.0 - 1.0 / (len(members) + 1)),
            created_at=moment,
        )
        self._store_concept(space, concept, members, points @ centre)
        return Formed(space.name, concept, tuple(members))

    def _nearest(self, space: Space, centre: Vector) -> Concept | None:
        with self._memory.lock:
            cosines = space.centroids.cosines(centre)
            found = best(cosines, 1)
            if not len(found) or cosines[found[0]] < MERGE:
                return None
            entry = space.concept_by_row[int(found[0])]
            return Concept(
                space=space.name,
                id=entry.id,
                embedding=space.centroids.get(entry.row).astype("<f4").tobytes(),
                coherence=entry.coherence,
                instance_count=entry.instance_count,
                formed_at=entry.formed_at,
                confidence=entry.coherence,
                created_at=entry.formed_at,
            )

    def _store_concept(self, space: Space, concept: Concept, members: list[EpisodeEntry], cosines: Vector) -> None:
        strengths = np.clip(cosines, 0.0, 1.0)
        total = max(float(strengths.sum()), 1e-12)
        moment = now()
        found = [
            (entry, Binding(space.name, entry.id, concept.id, float(strength), float(strength) / total, moment))
            for entry, strength in zip(members, strengths, strict=True)
        ]

        def write(transaction: Transaction) -> list[Binding]:
            with self._memory.lock:  # one that was forgotten meanwhile, and maybe remembered anew, is not meant
                bindings = [binding for entry, binding in found if space.episodes.get(entry.id) is entry]
            rows.put_concept(transaction, concept)
            rows.put_bindings(transaction, bindings)
            transaction.executemany(
                "UPDATE episode SET consolidated = 1, consolidation_score = ?, seq = ? WHERE space = ? AND id = ?",
                [(b.strength, transaction.next(), b.space, b.episode_id) for b in bindings],
            )
            return bindings

        def apply(bindings: list[Binding]) -> None:
            with self._memory.lock:
                space.put_concept(concept)
                for binding in bindings:
                    space.put_binding(binding)
                    space.pending.pop(binding.episode_id, None)
                self._memory.cache.outdate(concept.id)

        self._memory.store.write(write, apply).result()

    def _give_up(self, space: Space, candidates: _Candidates) -> None:
        """Settle the candidates that waited long enough; with a backlog, the older half of the window."""
        gone: list[str] = []
        with self._memory.lock:
            for at, entry in enumerate(candidates.entries):
                if entry.id not in space.pending:
                    continue
                waited = space.pending[entry.id] = space.pending[entry.id] + 1
                if waited >= PATIENCE or (candidates.backlog and at < WINDOW // 2):
                    gone.append(entry.id)
                    del space.pending[entry.id]
        if gone:
            self._memory.store.write(_mark(space.name, gone))  # nobody needs to wait: a restart would only look again


def _mark(space: str, ids: list[str]) -> Callable[[Transaction], None]:
    def write(transaction: Transaction) -> None:
        transaction.executemany(
            "UPDATE episode SET consolidated = 1 WHERE space = ? AND id = ?", [(space, id_) for id_ in ids]
        )

    return write


def _merged(concept: Concept, centre: Vector, group: Cluster) -> Concept:
    """The concept with the cluster in it: everything weighted by the number of episodes."""
    size = len(group.members)
    count = concept.instance_count + size
    centroid = vector(concept.embedding) * concept.instance_count + centre * size
    centroid /= max(float(np.linalg.norm(centroid)), 1e-12)
    coherence = (concept.coherence * concept.instance_count + group.coherence * size) / count
    return replace(
        concept,
        embedding=centroid.astype("<f4").tobytes(),
        coherence=min(max(coherence, 0.0), 1.0),
        instance_count=count,
        confidence=min(max(coherence, 0.0), 1.0) * (1.0 - 1.0 / (count + 1)),
    )
