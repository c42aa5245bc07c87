"""Single memory to dual memory: each memory becomes an episode; with m0001's residue, what it could not hold returns.

A memory whose content and embedding are those that the residue knows gets its episode's fields back, bit for bit; what
recall changes (activation, last access, count) is the memory's. One that was written since becomes a fresh episode. Of
one that was forgotten since, nothing returns: its residue and its bindings are dropped, and each is reported.
"""

from collections.abc import Iterator
from hashlib import sha256

from runbook.model.migration import (
    Concepts,
    Field,
    Filled,
    Index,
    Migration,
    Moved,
    Phase,
    Place,
    Record,
    Sources,
    UnknownMappingError,
    joined,
    key_of,
    sorted_by_key,
)

NAME = "m0002_single_to_dual"
OF = "m0001_dual_to_single"
"""Whose residue is understood."""

MEMORY = {
    "id": "id",
    "space": "space",
    "content": "content",
    "embedding": "embedding",
    "embedding_provenance": "embedding_provenance",
    "activation": "activation",
    "confidence": "encoding_confidence",
    "last_access": "last_recall",
    "access_count": "recall_count",
    "created_at": "when",
    "decay_rate": "decay_rate",
}
"""Field of a memory -> field of its episode."""
CONCEPT = {
    "id": "id",
    "space": "space",
    "embedding": "embedding",
    "activation": "activation",
    "confidence": "confidence",
    "last_access": "last_access",
    "created_at": "created_at",
}
"""Field of a memory that was a concept -> field of that concept."""
CONCEPT_LOST = ("content", "embedding_provenance", "access_count", "decay_rate")
"""Fields that such a memory has and a concept has not."""
EPISODE_ORDER = (
    "id",
    "space",
    "content",
    "when",
    "where",
    "who",
    "embedding",
    "embedding_provenance",
    "encoding_confidence",
    "vividness_confidence",
    "reliability_confidence",
    "activation",
    "consolidation_score",
    "last_recall",
    "recall_count",
    "decay_rate",
    "created_at",
    "metadata",
)
CONCEPT_ORDER = (
    "id",
    "space",
    "embedding",
    "coherence",
    "instance_count",
    "formed_at",
    "confidence",
    "activation",
    "last_access",
    "created_at",
)
BINDING_ORDER = ("space", "episode_id", "concept_id", "strength", "contribution", "created_at", "last_activated")

FORGOTTEN = "its memory was forgotten since"
REWRITTEN = "its memory was written anew since"
LOOSE = "what it binds was forgotten or written anew since"


def episode(memory: Record, left: Record | None) -> Record:
    """The episode that a memory becomes; `left` is the residue of the very same one, None for a fresh one."""
    found = {there: memory[here] for here, there in MEMORY.items()}
    if left is None:
        confidence = memory["confidence"]
        fresh: Record = {"where": None, "who": [], "consolidation_score": 0.0, "metadata": {}}
        since = {"created_at": memory["created_at"]}
        found |= {"vividness_confidence": confidence, "reliability_confidence": confidence, **fresh, **since}
    else:
        found |= left["fields"]
    return {"type": "episode", **{name: found[name] for name in EPISODE_ORDER}}


def concept(left: Record, memory: Record | None) -> Record:
    """The concept that returns: from its residue, and from the memory that it was meanwhile, where it was one."""
    carried = {"id": left["id"], "space": left["space"]}
    if memory is not None:
        carried = {there: memory[here] for here, there in CONCEPT.items()}
    found = {**carried, **left["fields"]}
    return {"type": "concept", **{name: found[name] for name in CONCEPT_ORDER}}


def _same(memory: Record, left: Record) -> bool:
    known = f"{memory['content']}\0{memory['embedding']}".encode("utf-8", "surrogatepass")
    return bool(left["fingerprint"] == sha256(known).hexdigest())


def _residue(sources: Sources, type_: str) -> Iterator[Record]:
    for record in sources.residue(type_):
        if record["mapping"] != OF:
            raise UnknownMappingError(
                f"the residue of the {type_} {'/'.join(key_of(record))} is of {record['mapping']}, not of {OF}",
                hint="give the residue of this very conversion",
            )
        yield record


def _kept(sources: Sources) -> Iterator[Record]:
    """The residue of the concepts that were memories meanwhile."""
    return (record for record in _residue(sources, "concept") if record["fingerprint"] is not None)


def _episodes(sources: Sources, _: Concepts, gone: Index) -> Iterator[Moved]:
    meanwhile = sorted_by_key(_kept(sources))
    next_concept = next(meanwhile, None)
    for memory, left in joined(sources.data("memory"), _residue(sources, "episode")):
        if memory is not None:
            key = key_of(memory)
            while next_concept is not None and next_concept[0] < key:
                next_concept = next(meanwhile, None)
            if next_concept is None or next_concept[0] != key or not _same(memory, next_concept[1]):
                same = left is not None and _same(memory, left)
                yield Moved(Place.DATA, episode(memory, left if same else None))
                if left is None or same:
                    continue
        if left is not None:
            gone.add("episode", key_of(left))
            yield Moved(Place.DROPPED, left, FORGOTTEN if memory is None else REWRITTEN)


def _concepts(sources: Sources, _: Concepts, gone: Index) -> Iterator[Moved]:
    memories = sorted_by_key(sources.data("memory") if next(_kept(sources), None) else iter(()))
    memory = next(memories, None)
    for key, left in sorted_by_key(_residue(sources, "concept")):
        if left["fingerprint"] is None:
            yield Moved(Place.DATA, concept(left, None))
            continue
        while memory is not None and memory[0] < key:
            memory = next(memories, None)
        there = memory[1] if memory is not None and memory[0] == key else None
        if there is not None and _same(there, left):
            yield Moved(Place.DATA, concept(left, there))
        else:
            gone.add("concept", key)
            yield Moved(Place.DROPPED, left, FORGOTTEN if there is None else REWRITTEN)


def _bindings(sources: Sources, _: Concepts, gone: Index) -> Iterator[Moved]:
    for (space, episode_id, concept_id), left in sorted_by_key(_residue(sources, "binding")):
        if gone.holds("episode", (space, episode_id)) or gone.holds("concept", (space, concept_id)):
            yield Moved(Place.DROPPED, left, LOOSE)
        else:
            found = {**left, **left["fields"]}
            yield Moved(Place.DATA, {"type": "binding", **{name: found[name] for name in BINDING_ORDER}})


def _tombstones(of: str) -> Phase:
    """Of a delta: what was forgotten as a memory, as what the residue says that it was."""

    def run(sources: Sources, _: Concepts, __: Index) -> Iterator[Moved]:
        forgotten = ({**record, "type": "memory"} for record in sources.data("tombstone"))
        for tombstone, was_concept in joined(forgotten, _kept(sources)):
            if tombstone is not None and (of == "concept") == (was_concept is not None):
                yield Moved(Place.DATA, {**tombstone, "type": "tombstone", "of": of})

    return Phase("tombstone", run)


MIGRATION = Migration(
    name=NAME,
    source="single_memory",
    target="dual_memory",
    phases=(
        Phase("memory", _episodes),
        Phase("memory", _concepts),
        Phase("", _bindings),
        *(_tombstones(of) for of in ("concept", "episode")),
    ),
    fields=(
        *(Field("memory", here, f"episode.{there}") for here, there in MEMORY.items()),
        *(Field("concept memory", here, f"concept.{there}") for here, there in CONCEPT.items()),
        *(Field("concept memory", name, kept="backup") for name in CONCEPT_LOST),
    ),
    filled=(
        Filled("fresh episode", "where", "null"),
        Filled("fresh episode", "who", "nobody"),
        Filled("fresh episode", "vividness_confidence", "the memory's confidence"),
        Filled("fresh episode", "reliability_confidence", "the memory's confidence"),
        Filled("fresh episode", "consolidation_score", "0"),
        Filled("fresh episode", "created_at", "the memory's created_at"),
        Filled("fresh episode", "metadata", "none"),
    ),
)
