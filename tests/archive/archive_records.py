"""Records of archives for tests: small fixed ones, and strategies that make every one that the format can hold."""

import io
import struct
import tempfile
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from runbook.archive import limits
from runbook.archive.kinds import archive_kind
from runbook.archive.layout import Header, Summary
from runbook.archive.manifest import About
from runbook.archive.packed import PackedWriter
from runbook.archive.reader import ArchiveReader, chunks_of
from runbook.archive.writer import ArchiveWriter

Record = dict[str, Any]
NOW = "2026-11-22T17:00:00.000000Z"
ABOUT = About("prod", NOW, "node-1", "g1:5", "runbook 0.1.0")
CONCEPTS = tuple(str(UUID(int=number * 7919, version=4)) for number in range(1, 4))
FINGERPRINT = "0123456789abcdef" * 4


def header(kind: str, since: int | None = None) -> Header:
    """A header of that kind."""
    return Header(kind, NOW, "node-1", "g1:5", since=since)


def embedding(*values: float) -> str:
    """These values, then 0.25 as often as it takes."""
    return b64encode(struct.pack("<768f", *(*values, *[0.25] * (768 - len(values))))).decode()


def episode(name: str = "ep_1", **changes: Any) -> Record:
    """An episode."""
    confidences = {"encoding_confidence": 0.7, "vividness_confidence": 0.5, "reliability_confidence": 1.0}
    return {
        "type": "episode",
        "id": name,
        "space": "default",
        "content": "Met Ada at the ferry",
        "when": NOW,
        "where": None,
        "who": ["Ada"],
        "embedding": embedding(),
        "embedding_provenance": {"model": "hash", "version": 1},
        **confidences,
        "activation": 0.5,
        "consolidation_score": 0.0,
        "last_recall": NOW,
        "recall_count": 2,
        "decay_rate": 0.05,
        "created_at": NOW,
        "metadata": {"mood": "calm"},
        **changes,
    }


def concept(name: str = CONCEPTS[0], **changes: Any) -> Record:
    """A concept."""
    times = {"last_access": NOW, "created_at": NOW}
    return {
        "type": "concept",
        "id": name,
        "space": "default",
        "embedding": embedding(),
        "coherence": 0.5,
        "instance_count": 3,
        "formed_at": NOW,
        "confidence": 0.5,
        "activation": 0.5,
        **times,
        **changes,
    }


def binding(episode_id: str = "ep_1", concept_id: str = CONCEPTS[0], **changes: Any) -> Record:
    """A binding."""
    ends = {"space": "default", "episode_id": episode_id, "concept_id": concept_id}
    rest = {"strength": 0.5, "contribution": 0.25, "created_at": NOW, "last_activated": NOW}
    return {"type": "binding", **ends, **rest, **changes}


def memory(name: str = "ep_1", **changes: Any) -> Record:
    """A memory."""
    carried = {"content": "Met Ada", "embedding": embedding(), "embedding_provenance": None, "activation": 0.5}
    rest = {"confidence": 0.7, "last_access": NOW, "access_count": 2, "created_at": NOW, "decay_rate": 0.05}
    return {"type": "memory", "id": name, "space": "default", **carried, **rest, **changes}


def dual() -> list[Record]:
    """A small store: two episodes, a concept, two bindings."""
    return [episode("ep_1"), episode("ep_2"), concept(), binding("ep_1"), binding("ep_2")]


def residue() -> list[Record]:
    """What dual() leaves where its concept became a memory."""
    left = {"mapping": "m0001_dual_to_single", "space": "default"}
    whole, formed, bound = episode(), concept(), binding()
    fields = (
        "where",
        "who",
        "vividness_confidence",
        "reliability_confidence",
        "consolidation_score",
        "created_at",
        "metadata",
    )
    kept = {name: whole[name] for name in fields}
    formed_fields = {name: formed[name] for name in ("coherence", "instance_count", "formed_at")}
    ends = {"episode_id": "ep_1", "concept_id": CONCEPTS[0]}
    strengths = {name: bound[name] for name in ("strength", "contribution", "created_at", "last_activated")}
    return [
        {"type": "episode", **left, "id": "ep_1", "fingerprint": FINGERPRINT, "fields": kept},
        {"type": "concept", **left, "id": CONCEPTS[0], "fingerprint": FINGERPRINT, "fields": formed_fields},
        {"type": "binding", **left, **ends, "fields": strengths},
    ]


def dropped_concept() -> Record:
    """The residue of a concept that did not become a memory: all of it."""
    whole = concept()
    names = (
        "embedding",
        "activation",
        "confidence",
        "last_access",
        "created_at",
        "coherence",
        "instance_count",
        "formed_at",
    )
    head = {"type": "concept", "mapping": "m0001_dual_to_single", "space": "default", "id": CONCEPTS[0]}
    return {**head, "fingerprint": None, "fields": {name: whole[name] for name in names}}


def written(kind: str, records: Iterable[Record], *, packed: bool = False, since: int | None = None) -> bytes:
    """The archive of these records."""
    out = io.BytesIO()
    stream = PackedWriter(out.write) if packed else None
    writer = ArchiveWriter(stream.write if stream else out.write, header(kind, since))
    for record in records:
        writer.add(record)
    writer.finish()
    if stream:
        stream.finish()
    return out.getvalue()


def opened(data: bytes) -> ArchiveReader:
    """A reader of these bytes."""
    return ArchiveReader(chunks_of(io.BytesIO(data)), "test.json", tempfile.TemporaryFile)


def read(data: bytes) -> tuple[list[Record], Summary]:
    """The records of the archive and what it was found to hold."""
    reader = opened(data)
    records = [record for batch in reader.batches() for record in batch]
    assert reader.summary is not None
    return records, reader.summary


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_SHARE = st.floats(0, 1) | st.sampled_from([-0.0, 5e-324, 2.2250738585072014e-308, 1.0])
_COUNT = st.integers(0, limits.LARGEST_COUNT) | st.sampled_from([2**63 - 1, 2**63, 2**64 - 1, 2**53 + 1])
_TIME = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(  # noqa: DTZ001 - the Z is written
    lambda moment: moment.isoformat(timespec="microseconds") + "Z"
)
_ID = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)
_ODD = st.sampled_from([-0.0, 1e-45, 1.1754942e-38, 3.4028235e38, -3.4028235e38])
_EMBEDDING = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False) | _ODD, max_size=6).map(
    lambda values: embedding(*values)
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | _COUNT | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_BY_REFERENCE = {
    "id": _ID,
    "uuid": st.uuids().map(str),
    "time": _TIME,
    "share": _SHARE,
    "rate": _SHARE | st.floats(0, allow_infinity=False),
    "count": _COUNT,
    "embedding": _EMBEDDING,
    "provenance": st.none() | st.dictionaries(_TEXT, _JSON, max_size=3),
}
_BY_NAME = {
    "content": _TEXT,
    "where": st.none() | _TEXT,
    "who": st.lists(_TEXT, max_size=3),
    "metadata": st.dictionaries(_TEXT, _TEXT, max_size=3),
}


def of_type(type_: str) -> st.SearchStrategy[Record]:
    """Any episode, concept or memory."""
    from runbook import material  # noqa: PLC0415 - named for what it is used for

    schema = material.schema("single_memory.v1" if type_ == "memory" else "dual_memory.v1")["$defs"][type_]
    members = {
        name: _BY_NAME[name] if name in _BY_NAME else _BY_REFERENCE[member["$ref"].rpartition("/")[2]]
        for name, member in schema["properties"].items()
        if name != "type"
    }
    return st.fixed_dictionaries({"type": st.just(type_), **members})


def in_order(records: Iterable[Record], kind: str) -> list[Record]:
    """Sorted as an archive is, each key once."""
    kinds = archive_kind(kind).records
    by_key = {(kinds[record["type"]].rank, kinds[record["type"]].key_of(record)): record for record in records}
    return [by_key[key] for key in sorted(by_key)]


@st.composite
def stores(draw: st.DrawFn) -> list[Record]:
    """A whole dual memory, with bindings between what is in it."""
    episodes = draw(st.lists(of_type("episode"), max_size=3))
    concepts = draw(st.lists(of_type("concept"), max_size=2))
    pairs = [(one, other) for one in episodes for other in concepts]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=3)) if pairs else []
    shared = [{**other, "space": one["space"]} for one, other in chosen]
    bindings = [
        binding(one["id"], other["id"], space=one["space"], strength=draw(_SHARE), created_at=draw(_TIME))
        for one, other in chosen
    ]
    return in_order([*episodes, *concepts, *shared, *bindings], "dual_memory")
