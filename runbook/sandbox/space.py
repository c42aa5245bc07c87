"""One memory space as it is held in memory: vectors, and who is bound to what. The store is the truth behind it.

Not safe for threads: the node's lock guards it.
"""

import sys
from dataclasses import dataclass

from runbook.sandbox.embedding import vector
from runbook.sandbox.records import Binding, Concept, Episode
from runbook.sandbox.vectors import ROW_BYTES, Vectors


@dataclass(frozen=True, slots=True)
class EpisodeEntry:
    """What recall and consolidation need of an episode; the rest is read from the store when asked for."""

    id: str
    row: int
    content: str
    when: int
    confidence: float

    @property
    def resident_bytes(self) -> int:
        """What it takes in memory besides its vector."""
        return sys.getsizeof(self) + sys.getsizeof(self.id) + sys.getsizeof(self.content) + 128


@dataclass(frozen=True, slots=True)
class ConceptEntry:
    """What recall and consolidation need of a concept."""

    id: str
    row: int
    coherence: float
    instance_count: int
    formed_at: int

    @property
    def resident_bytes(self) -> int:
        """What it takes in memory besides its vector."""
        return sys.getsizeof(self) + sys.getsizeof(self.id) + 128


class Space:
    """Episodes, concepts and bindings of one space."""

    def __init__(self, name: str, created_at: int) -> None:
        self.name = name
        self.created_at = created_at
        self.vectors = Vectors()
        self.episodes: dict[str, EpisodeEntry] = {}
        self.by_row: dict[int, EpisodeEntry] = {}
        self.pending: dict[str, int] = {}  # episodes that consolidation has not settled -> cycles they were looked at
        self.centroids = Vectors()
        self.concepts: dict[str, ConceptEntry] = {}
        self.concept_by_row: dict[int, ConceptEntry] = {}
        self.bindings: dict[str, dict[str, Binding]] = {}  # concept -> episode -> binding
        self.bound: dict[str, set[str]] = {}  # episode -> concepts
        self.orphans: set[tuple[str, str]] = set()  # (concept, episode) whose episode was forgotten
        self.held: dict[str, EpisodeEntry] = {}  # forgotten episodes that a binding still holds on to
        self.held_bytes = 0
        self.text_bytes = 0
        self.binding_count = 0

    def add_episode(self, episode: Episode, *, consolidated: bool = False) -> None:
        """Take it in; until it is consolidated it is pending. Bindings of an older one of this id do not pass on."""
        for concept in list(self.bound.get(episode.id, ())):
            self.remove_binding(concept, episode.id)
        row = self.vectors.add(vector(episode.embedding))
        entry = EpisodeEntry(episode.id, row, episode.content, episode.when, episode.encoding_confidence)
        self.episodes[entry.id] = self.by_row[row] = entry
        self.text_bytes += entry.resident_bytes
        if not consolidated:
            self.pending[entry.id] = 0

    def remove_episode(self, id_: str) -> None:
        """Find it no more. Its bindings become orphans, and hold its entry and its row until they are collected."""
        entry = self.episodes.pop(id_)
        del self.by_row[entry.row]
        self.vectors.retire(entry.row)
        self.text_bytes -= entry.resident_bytes
        self.pending.pop(id_, None)
        if concepts := self.bound.get(id_):
            self.orphans.update((concept, id_) for concept in concepts)
            self.held[id_] = entry
            self.held_bytes += entry.resident_bytes + ROW_BYTES
        else:
            self.vectors.release(entry.row)

    def put_concept(self, concept: Concept) -> None:
        """Take it in, or replace it."""
        known = self.concepts.get(concept.id)
        centroid = vector(concept.embedding)
        if known is None:
            row = self.centroids.add(centroid)
        else:
            row = known.row
            self.centroids.replace(row, centroid)
        entry = ConceptEntry(concept.id, row, concept.coherence, concept.instance_count, concept.formed_at)
        self.concepts[concept.id] = self.concept_by_row[row] = entry

    def put_binding(self, binding: Binding) -> None:
        """Take it in, or replace it."""
        edges = self.bindings.setdefault(binding.concept_id, {})
        self.binding_count += binding.episode_id not in edges
        edges[binding.episode_id] = binding
        self.bound.setdefault(binding.episode_id, set()).add(binding.concept_id)
        if binding.episode_id not in self.episodes:
            self.orphans.add((binding.concept_id, binding.episode_id))

    def remove_binding(self, concept: str, episode: str) -> None:
        """Let it go, and with the last one what it held of a forgotten episode."""
        self.orphans.discard((concept, episode))
        if self.bindings.get(concept, {}).pop(episode, None) is None:
            return
        self.binding_count -= 1
        concepts = self.bound[episode]
        concepts.discard(concept)
        if concepts:
            return
        del self.bound[episode]
        if entry := self.held.pop(episode, None):
            self.held_bytes -= entry.resident_bytes + ROW_BYTES
            self.vectors.release(entry.row)

    def resident_bytes(self) -> dict[str, int]:
        """Measured bytes by component; what orphans hold on to is the bindings'."""
        edge = sys.getsizeof(next(iter(next(iter(self.bindings.values()), {}).values()), None))
        tables = (self.episodes, self.by_row, self.pending)
        return {
            "vectors": self.vectors.resident_bytes - len(self.held) * ROW_BYTES,
            "episodes": self.text_bytes + sum(map(sys.getsizeof, tables)),
            "concepts": self.centroids.resident_bytes
            + sum(entry.resident_bytes for entry in self.concepts.values())
            + sys.getsizeof(self.concepts)
            + sys.getsizeof(self.concept_by_row),
            "bindings": self.held_bytes
            + self.binding_count * (edge + 96)
            + sum(map(sys.getsizeof, self.bindings.values()))
            + sum(map(sys.getsizeof, self.bound.values()))
            + sys.getsizeof(self.orphans)
            + sys.getsizeof(self.held),
        }
