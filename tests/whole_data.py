"""A node's data as a whole, as a test reads and converts it."""

import base64
import io
import json
import struct
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from running_node import Reply, RunningNode

from runbook.archive.layout import Header, Summary
from runbook.archive.reader import ArchiveReader
from runbook.archive.writer import ArchiveWriter
from runbook.material import migration
from runbook.model.migration import Concepts, Key, Place, Record, key_of, merged

SPACE = "tenant-a"
EXTREME = base64.b64encode(struct.pack("<3f", -0.0, 1e-45, 3.4028234663852886e38) * 256).decode()
"""An embedding of -0.0, the smallest and the largest float32, over and over."""
TIME = "2026-11-22T17:00:00.000001Z"


def export(node: RunningNode, format_: str = "dual_memory", **more: Any) -> bytes:
    """The archive."""
    options = "".join(f"&{name}={value}" for name, value in more.items())
    reply = node.admin("GET", f"export?format={format_}{options}")
    assert reply.status == 200, reply.body
    return reply.body


def read(archive: bytes) -> tuple[Summary, list[Record]]:
    """What is in it, read strictly."""
    reader = ArchiveReader([archive], "it", tempfile.TemporaryFile)
    records = [record for batch in reader.batches() for record in batch]
    assert reader.summary is not None
    return reader.summary, records


def digest(archive: bytes) -> object:
    """The content digest."""
    return read(archive)[0].digest


def write(kind: str, records: Sequence[Record], since: int | None = None) -> bytes:
    """An archive of these."""
    out = io.BytesIO()
    writer = ArchiveWriter(out.write, Header(kind, TIME, "test", "g1:1", since=since))
    for record in records:
        writer.add(record)
    writer.finish()
    return out.getvalue()


def put(node: RunningNode, archive: bytes, generation: str = "") -> Reply:
    """Import it."""
    return node.admin("POST", "import" + (f"?generation={generation}" if generation else ""), archive)


def staged(node: RunningNode, *archives: bytes) -> str:
    """A generation filled with the first, to which the others are added; its id."""
    reply = put(node, archives[0])
    assert reply.status == 201, reply.body
    generation = str(reply.json["generation"])
    for more in archives[1:]:
        assert put(node, more, generation).status == 201
    return generation


def activate(node: RunningNode, generation: str) -> Reply:
    """Serve it; nothing was written since."""
    return node.admin("POST", f"generations/{generation}/activate", {"if_sequence": node.health()["sequence"]})


def states(node: RunningNode) -> dict[str, str]:
    """Of each generation."""
    return {each["id"]: each["state"] for each in node.admin("GET", "generations").json["generations"]}


@dataclass
class _Listed:
    records: Sequence[Record]
    left: Sequence[Record] = ()
    gone: set[tuple[str, Key]] = field(default_factory=set)

    def data(self, type_: str) -> Iterator[Record]:
        return (record for record in self.records if record["type"] == type_)

    def residue(self, type_: str) -> Iterator[Record]:
        return (record for record in self.left if record["type"] == type_)

    def add(self, type_: str, key: Key) -> None:
        self.gone.add((type_, key))

    def holds(self, type_: str, key: Key) -> bool:
        return (type_, key) in self.gone


def converted(archive: bytes, target: str, residue: bytes | None = None, *, keep: bool = False) -> tuple[bytes, bytes]:
    """The archive of the other kind, and the residue."""
    summary, records = read(archive)
    source = _Listed(records, read(residue)[1] if residue else ())
    data: dict[str, list[Record]] = {}
    left: list[Record] = []
    for phase in migration(target).phases:
        fresh: dict[str, list[Record]] = {}
        for place, record, _ in phase.run(source, Concepts.KEEP if keep else Concepts.DROP, source):
            if place is Place.RESIDUE:
                left.append(record)
            elif place is Place.DATA:
                fresh.setdefault(record["type"], []).append(record)
        for type_, more in fresh.items():
            data[type_] = list(merged(iter(data.get(type_, [])), iter(more)))
    since = summary.header.since
    return write(target, [r for found in data.values() for r in found], since), write("residue", _in_order(left), since)


def _in_order(residue: list[Record]) -> list[Record]:
    """Tombstones come of three phases."""
    records = [each for each in residue if each["type"] != "tombstone"]
    return records + sorted((each for each in residue if each["type"] == "tombstone"), key=key_of)


def episode(id_: str, **other: Any) -> Record:
    """An episode whose every value is odd."""
    numbers = {"encoding_confidence": -0.0, "vividness_confidence": 5e-324, "reliability_confidence": 1 / 3}
    more = {"activation": 1.0, "consolidation_score": -0.0, "last_recall": "1970-01-01T00:00:00.000000Z"}
    text = {"content": "a\0 \U0001f9ea \uffff \U0010fffd", "where": None, "who": ["", "é"], "metadata": {"k\0": "v\n"}}
    made = {"type": "episode", "id": id_, "space": SPACE, "when": "0001-01-01T00:00:00.000000Z", **text}
    made |= {"embedding": EXTREME, "embedding_provenance": {"model": {"n": 2**64 - 1, "x": -0.0}}, **numbers, **more}
    return made | {"recall_count": 2**64 - 1, "decay_rate": -0.0, "created_at": "9999-12-31T23:59:59.999999Z"} | other


def concept(id_: str) -> Record:
    """A concept whose every value is odd."""
    made: Record = {"type": "concept", "id": id_, "space": SPACE, "embedding": EXTREME, "coherence": -0.0}
    made |= {"instance_count": 2**63, "formed_at": TIME, "confidence": 5e-324, "activation": -0.0}
    return made | {"last_access": TIME, "created_at": TIME}


def binding(of: str, to: str) -> Record:
    """A binding whose every value is odd."""
    ends = {"type": "binding", "space": SPACE, "episode_id": of, "concept_id": to}
    return {**ends, "strength": -0.0, "contribution": 1.0, "created_at": TIME, "last_activated": TIME}


def ids(archive: bytes) -> list[str]:
    """Of its episodes or memories."""
    return [record["id"] for record in read(archive)[1] if record["type"] in {"episode", "memory"}]


def exact(archive: bytes) -> str:
    """Its records, to the bit."""
    return json.dumps(read(archive)[1])
