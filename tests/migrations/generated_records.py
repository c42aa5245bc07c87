"""Data sets that hypothesis makes: every plane of Unicode, -0.0, subnormals, counts up to 2**64-1, empty ones too."""

import base64
import struct
from typing import Any

from hypothesis import strategies as st
from records_in_memory import in_order

from runbook.model.migration import Record

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ids = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
spaces = st.sampled_from(["default", "tenant-a", "tenant-b"])
shares = st.sampled_from([0.0, -0.0, 5e-324, 0.1, 1 / 3, 0.7, 1.0])
counts = st.sampled_from([0, 1, 2**53 + 1, 2**63, 2**64 - 1])
times = st.sampled_from(["1970-01-01T00:00:00.000000Z", "2026-11-22T17:00:00.000001Z", "9999-12-31T23:59:59.999999Z"])
embeddings = st.sampled_from([struct.pack("<f", each) * 768 for each in (0.0, -0.0, 1e-45, -3.4028235e38)]).map(
    lambda raw: base64.b64encode(raw).decode()
)
provenances: st.SearchStrategy[Any] = st.none() | st.dictionaries(text, text | counts | shares, max_size=2)


def of_type(type_: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Record]:
    """A record of that type."""
    made = st.fixed_dictionaries({"type": st.just(type_), **fields})
    return made.map(lambda found: {name: found[name] for name in ("type", *fields)})


episodes = of_type(
    "episode",
    id=ids,
    space=spaces,
    content=text,
    when=times,
    where=st.none() | text,
    who=st.lists(text, max_size=2),
    embedding=embeddings,
    embedding_provenance=provenances,
    encoding_confidence=shares,
    vividness_confidence=shares,
    reliability_confidence=shares,
    activation=shares,
    consolidation_score=shares,
    last_recall=times,
    recall_count=counts,
    decay_rate=shares,
    created_at=times,
    metadata=st.dictionaries(text, text, max_size=2),
)
concepts = of_type(
    "concept",
    id=st.uuids(version=5).map(str),
    space=spaces,
    embedding=embeddings,
    coherence=shares,
    instance_count=counts,
    formed_at=times,
    confidence=shares,
    activation=shares,
    last_access=times,
    created_at=times,
)
memories = of_type(
    "memory",
    id=ids,
    space=spaces,
    content=text,
    embedding=embeddings,
    embedding_provenance=provenances,
    activation=shares,
    confidence=shares,
    last_access=times,
    access_count=counts,
    created_at=times,
    decay_rate=shares,
)
edges = of_type("binding", strength=shares, contribution=shares, created_at=times, last_activated=times)


def key(record: Record) -> tuple[str, str]:
    """Space and id."""
    return record["space"], record["id"]


@st.composite
def dual(draw: st.DrawFn) -> list[Record]:
    """A whole dual data set in the archive's order: bindings lead from its episodes to its concepts."""
    made = [
        *draw(st.lists(episodes, max_size=4, unique_by=key)),
        *draw(st.lists(concepts, max_size=2, unique_by=key)),
    ]
    bindings: list[Record] = []
    for episode in (each for each in made if each["type"] == "episode"):
        for concept in (each for each in made if each["type"] == "concept" and each["space"] == episode["space"]):
            if draw(st.booleans()):
                edge = draw(edges)
                order = ("strength", "contribution", "created_at", "last_activated")
                ends = {"space": episode["space"], "episode_id": episode["id"], "concept_id": concept["id"]}
                bindings.append({"type": "binding", **ends, **{name: edge[name] for name in order}})
    return in_order([*made, *bindings])
