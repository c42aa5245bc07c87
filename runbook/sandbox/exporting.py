"""One snapshot of a node's data as an archive: rows to records, in the archive's order, in constant memory."""

import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from runbook.archive.layout import Header
from runbook.archive.writer import ArchiveWriter
from runbook.errors import UsageError
from runbook.sandbox import schema
from runbook.sandbox.records import timestamp
from runbook.sandbox.rows import real, unsigned

FORMATS = ("dual_memory", "single_memory", "residue")

_EPISODES = (
    "SELECT space, id, content, happened, place, who, embedding_provenance, encoding_confidence, vividness_confidence, "
    "reliability_confidence, activation, consolidation_score, last_recall, recall_count, decay_rate, created_at, "
    "metadata, embedding FROM episode JOIN vector ON vector.episode = number WHERE seq > ? ORDER BY space, id"
)
_CONCEPTS = (
    "SELECT space, id, embedding, coherence, instance_count, formed_at, confidence, activation, last_access, "
    "created_at FROM concept WHERE seq > ? ORDER BY space, id"
)
# Those of forgotten episodes, which wait to be collected, bind nothing.
_BINDINGS = (
    "SELECT b.space, b.episode_id, b.concept_id, b.strength, b.contribution, b.created_at, b.last_activated "
    "FROM binding b JOIN episode e ON e.space = b.space AND e.id = b.episode_id "
    "JOIN concept c ON c.id = b.concept_id WHERE b.seq > ? ORDER BY b.space, b.episode_id, b.concept_id"
)
_RESIDUE = "SELECT document FROM residue WHERE type = ? AND seq > ? ORDER BY space, id, concept_id"
_TOMBSTONES = "SELECT space, kind, id, seq FROM tombstone WHERE seq > ?"


class FormatError(UsageError):
    """The generation does not hold that kind of data."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Which generation of which node is exported."""

    node: str
    generation: str
    path: Path


class Export:
    """An archive of one snapshot; the snapshot is taken here, and held until the last byte, or `close`.

    Args:
        origin: whose data.
        kind: dual_memory, single_memory or residue.
        since: only what changed after this sequence number, with tombstones; None for everything.

    Raises:
        FormatError: the generation holds another kind.
    """

    def __init__(self, origin: Origin, kind: str, since: int | None = None) -> None:
        self._connection = schema.connect(origin.path, new=False)
        self._since = since
        try:
            self._connection.execute("BEGIN")
            meta = dict(self._connection.execute("SELECT key, value FROM meta"))
            self._check(kind, str(meta["kind"]))
        except BaseException:
            self.close()
            raise
        self.sequence = int(meta["sequence"])
        snapshot = f"{origin.generation}:{self.sequence}"
        self.header = Header(kind, timestamp(int(meta["changed_at"])), origin.node, snapshot, since=since)

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, about 1 MiB at a time."""
        waiting: list[bytes] = []
        try:
            writer = ArchiveWriter(waiting.append, self.header)
            for record in self.records():
                writer.add(record)
                if waiting:
                    yield b"".join(waiting)
                    waiting.clear()
            writer.finish()
            yield b"".join(waiting)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the snapshot."""
        self._connection.close()

    def records(self) -> Iterator[dict[str, Any]]:
        """Every record, in the archive's order."""
        match self.header.kind:
            case "dual_memory":
                yield from map(_episode, self._rows(_EPISODES))
                yield from map(_concept, self._rows(_CONCEPTS))
                yield from map(_binding, self._rows(_BINDINGS))
                yield from self._tombstones({"episode": "episode", "concept": "concept", "binding": "binding"})
            case "single_memory":
                yield from map(_memory, self._rows(_EPISODES))
                yield from self._tombstones({"episode": "memory"})
            case _:
                for type_ in ("episode", "concept", "binding"):
                    found = self._connection.execute(_RESIDUE, (type_, self._after))
                    yield from (orjson.loads(document) for (document,) in found)

    @property
    def _after(self) -> int:
        return -1 if self._since is None else self._since

    def _check(self, wanted: str, held: str) -> None:
        if wanted == held or (wanted == "residue" and held == schema.SINGLE):
            return
        told = f"this generation holds {held}" + ("; it has no residue" if wanted == "residue" else "")
        raise FormatError(told, hint=f"format={held}")

    def _rows(self, statement: str) -> sqlite3.Cursor:
        return self._connection.execute(statement, (self._after,))

    def _tombstones(self, names: dict[str, str]) -> Iterator[dict[str, Any]]:
        if self._since is None:
            return
        found: list[dict[str, Any]] = []
        for space, kind, name, sequence in self._rows(_TOMBSTONES):
            id_, _, concept = name.partition("\x1f")
            if kind in names:
                of = {"type": "tombstone", "space": space, "of": names[kind], "id": id_}
                found.append({**of, "concept_id": concept, "sequence": sequence})
        yield from sorted(found, key=lambda each: (each["space"], each["of"], each["id"], each["concept_id"]))


def _embedding(raw: bytes) -> str:
    return b64encode(raw).decode("ascii")


def _episode(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "type": "episode",
        "id": row[1],
        "space": row[0],
        "content": row[2],
        "when": timestamp(row[3]),
        "where": row[4],
        "who": orjson.loads(row[5]),
        "embedding": _embedding(row[17]),
        "embedding_provenance": None if row[6] is None else orjson.loads(row[6]),
        "encoding_confidence": real(row[7]),
        "vividness_confidence": real(row[8]),
        "reliability_confidence": real(row[9]),
        "activation": real(row[10]),
        "consolidation_score": real(row[11]),
        "last_recall": timestamp(row[12]),
        "recall_count": unsigned(row[13]),
        "decay_rate": real(row[14]),
        "created_at": timestamp(row[15]),
        "metadata": orjson.loads(row[16]),
    }


def _memory(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "type": "memory",
        "id": row[1],
        "space": row[0],
        "content": row[2],
        "embedding": _embedding(row[17]),
        "embedding_provenance": None if row[6] is None else orjson.loads(row[6]),
        "activation": real(row[10]),
        "confidence": real(row[7]),
        "last_access": timestamp(row[12]),
        "access_count": unsigned(row[13]),
        "created_at": timestamp(row[3]),
        "decay_rate": real(row[14]),
    }


def _concept(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "type": "concept",
        "id": row[1],
        "space": row[0],
        "embedding": _embedding(row[2]),
        "coherence": real(row[3]),
        "instance_count": unsigned(row[4]),
        "formed_at": timestamp(row[5]),
        "confidence": real(row[6]),
        "activation": real(row[7]),
        "last_access": timestamp(row[8]),
        "created_at": timestamp(row[9]),
    }


def _binding(row: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "type": "binding",
        "space": row[0],
        "episode_id": row[1],
        "concept_id": row[2],
        "strength": real(row[3]),
        "contribution": real(row[4]),
        "created_at": timestamp(row[5]),
        "last_activated": timestamp(row[6]),
    }
