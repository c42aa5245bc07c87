"""Dual memory to single memory: each episode becomes a memory with its id; what a memory cannot hold is residue.

The residue of a record holds every field that was not carried, and a fingerprint of the content and the embedding, by
which the way back (m0002) tells a memory that is still the same. With `keep`, each concept becomes a memory too: its
UUID, its centroid, no words.
"""

from collections.abc import Iterator
from hashlib import sha256

from runbook.model.migration import Concepts, Field, Filled, Index, Migration, Moved, Phase, Place, Record, Sources

NAME = "m0001_dual_to_single"

EPISODE = {
    "id": "id",
    "space": "space",
    "content": "content",
    "embedding": "embedding",
    "embedding_provenance": "embedding_provenance",
    "activation": "activation",
    "encoding_confidence": "confidence",
    "last_recall": "last_access",
    "recall_count": "access_count",
    "when": "created_at",
    "decay_rate": "decay_rate",
}
"""Field of an episode -> field of its memory."""
EPISODE_LEFT = (
    "where",
    "who",
    "vividness_confidence",
    "reliability_confidence",
    "consolidation_score",
    "created_at",
    "metadata",
)
"""Fields of an episode that a memory does not have."""
CONCEPT = {
    "id": "id",
    "space": "space",
    "embedding": "embedding",
    "activation": "activation",
    "confidence": "confidence",
    "last_access": "last_access",
    "created_at": "created_at",
}
"""Field of a concept -> field of the memory that it becomes with `keep`."""
CONCEPT_LEFT = ("coherence", "instance_count", "formed_at")
"""Fields of a concept that such a memory does not have."""
CONCEPT_FILLED: Record = {"content": "", "embedding_provenance": None, "access_count": 0, "decay_rate": 0.1}
"""What such a memory has instead: no words, and upstream's default rate of decay of a memory."""
BINDING = ("space", "episode_id", "concept_id", "strength", "contribution", "created_at", "last_activated")
"""Fields of a binding: all of them are residue."""
MEMORY = (
    "id",
    "space",
    "content",
    "embedding",
    "embedding_provenance",
    "activation",
    "confidence",
    "last_access",
    "access_count",
    "created_at",
    "decay_rate",
)
"""The order in which a memory is written."""


def fingerprint(content: str, embedding: str) -> str:
    """By which the way back tells whether a memory is still what it was made of."""
    return sha256(f"{content}\0{embedding}".encode("utf-8", "surrogatepass")).hexdigest()


def episode(record: Record) -> tuple[Record, Record]:
    """The memory that an episode becomes, and its residue."""
    found = {there: record[here] for here, there in EPISODE.items()}
    memory = {"type": "memory", **{name: found[name] for name in MEMORY}}
    return memory, _left(record, EPISODE_LEFT, fingerprint(record["content"], record["embedding"]))


def concept(record: Record) -> tuple[Record, Record]:
    """The memory that a concept becomes with `keep`, and its residue."""
    found = {**{there: record[here] for here, there in CONCEPT.items()}, **CONCEPT_FILLED}
    memory = {"type": "memory", **{name: found[name] for name in MEMORY}}
    return memory, _left(record, CONCEPT_LEFT, fingerprint(memory["content"], record["embedding"]))


def _left(record: Record, fields: tuple[str, ...], proof: str | None) -> Record:
    head = {"type": record["type"], "mapping": NAME, "space": record["space"], "id": record["id"]}
    return {**head, "fingerprint": proof, "fields": {name: record[name] for name in fields}}


def _episodes(sources: Sources, _: Concepts, __: Index) -> Iterator[Moved]:
    for record in sources.data("episode"):
        memory, left = episode(record)
        yield Moved(Place.DATA, memory)
        yield Moved(Place.RESIDUE, left)


def _concepts(sources: Sources, concepts: Concepts, _: Index) -> Iterator[Moved]:
    whole = tuple(name for name in (*CONCEPT, *CONCEPT_LEFT) if name not in {"space", "id"})
    for record in sources.data("concept"):
        if concepts is Concepts.KEEP:
            memory, left = concept(record)
            yield Moved(Place.DATA, memory)
            yield Moved(Place.RESIDUE, left)
        else:
            yield Moved(Place.RESIDUE, _left(record, whole, None))


def _bindings(sources: Sources, _: Concepts, __: Index) -> Iterator[Moved]:
    for record in sources.data("binding"):
        ends = {name: record[name] for name in BINDING[:3]}
        fields = {name: record[name] for name in BINDING[3:]}
        yield Moved(Place.RESIDUE, {"type": "binding", "mapping": NAME, **ends, "fields": fields})


def _forgotten(of: str, record: Record, concepts: Concepts) -> Iterator[Moved]:
    if of == "episode" or (of == "concept" and concepts is Concepts.KEEP):
        yield Moved(Place.DATA, {**record, "of": "memory"})
    yield Moved(Place.RESIDUE, record)


def _tombstones(of: str) -> Phase:
    """Of a delta: what was forgotten is forgotten in the memories, and in the residue."""

    def run(sources: Sources, concepts: Concepts, _: Index) -> Iterator[Moved]:
        for record in sources.data("tombstone"):
            if record["of"] == of:
                yield from _forgotten(of, record, concepts)

    return Phase("tombstone", run)


MIGRATION = Migration(
    name=NAME,
    source="dual_memory",
    target="single_memory",
    phases=(
        Phase("episode", _episodes),
        Phase("concept", _concepts),
        Phase("binding", _bindings),
        *(_tombstones(of) for of in ("binding", "concept", "episode")),
    ),
    fields=(
        *(Field("episode", here, f"memory.{there}") for here, there in EPISODE.items()),
        *(Field("episode", name, kept="residue") for name in EPISODE_LEFT),
        *(Field("concept", here, f"memory.{there}", only=Concepts.KEEP) for here, there in CONCEPT.items()),
        *(Field("concept", name, kept="residue", only=Concepts.KEEP) for name in CONCEPT_LEFT),
        *(Field("concept", name, kept="residue", only=Concepts.DROP) for name in (*CONCEPT, *CONCEPT_LEFT)),
        *(Field("binding", name, kept="residue") for name in BINDING),
    ),
    filled=tuple(Filled("concept memory", name, str(value)) for name, value in CONCEPT_FILLED.items()),
)
