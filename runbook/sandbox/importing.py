"""An archive into a database that is not served: all of it, checked to its last byte, or nothing.

The rows are kept as they are: of a single memory, an episode stands for each memory. Episodes that come in are settled:
what consolidation had made of them came with them.
"""

import re
import sqlite3
import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from runbook.archive.layout import Summary
from runbook.archive.reader import ArchiveReader
from runbook.errors import RefusedError
from runbook.sandbox import schema
from runbook.sandbox.records import moment_of, now
from runbook.sandbox.rows import signed, stored

SPACE_NAME = re.compile(r"[a-z0-9_-]{3,64}")
"""What a memory space of this node may be called."""

_EPISODE = (
    "INSERT INTO episode (space, id, seq, content, happened, place, who, embedding_provenance, encoding_confidence, "
    "vividness_confidence, reliability_confidence, activation, consolidation_score, last_recall, recall_count, "
    "decay_rate, created_at, metadata, consolidated) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,1)"
)
_FORGET: dict[str, tuple[str, ...]] = {
    "episode": (
        "DELETE FROM episode WHERE space = :space AND id = :id",
        "DELETE FROM binding WHERE space = :space AND episode_id = :id",
        "DELETE FROM residue WHERE space = :space AND id = :id",
    ),
    "concept": (
        "DELETE FROM concept WHERE space = :space AND id = :id",
        "DELETE FROM binding WHERE space = :space AND concept_id = :id",
    ),
    "binding": (
        "DELETE FROM binding WHERE space = :space AND episode_id = :id AND concept_id = :concept_id",
        "DELETE FROM residue WHERE type = 'binding' AND space = :space AND id = :id AND concept_id = :concept_id",
    ),
}
_FORGET["memory"] = _FORGET["episode"]
_FORGET_RESIDUE: dict[str, tuple[str, ...]] = {
    "episode": ("DELETE FROM residue WHERE space = :space AND id = :id AND type IN ('episode', 'binding')",),
    "concept": (
        "DELETE FROM residue WHERE space = :space AND id = :id AND type = 'concept'",
        "DELETE FROM residue WHERE space = :space AND concept_id = :id",
    ),
    "binding": _FORGET["binding"][1:],
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What came in, and the kind that the database holds."""

    summary: Summary
    kind: str


def fill(path: Path, chunks: Iterable[bytes]) -> Imported:
    """Fill a fresh database with a whole archive.

    Raises:
        RefusedError: it is residue, or of changes only: there is nothing yet that it could go to.
        DamagedError, NotSupportedError: it is not an archive, or not whole.
    """
    reader = _reader(chunks)
    if reader.header.kind == "residue" or reader.header.since is not None:
        what = "residue" if reader.header.kind == "residue" else "an archive of changes"
        raise RefusedError(f"{what} goes into a staging generation", hint="import the whole archive first")
    with _transaction(path) as connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'kind'", (reader.header.kind,))
        return Imported(_take(reader, connection, fresh=True), reader.header.kind)


def add(path: Path, chunks: Iterable[bytes]) -> Imported:
    """Add residue, or what changed since, to a database that was filled.

    Raises:
        RefusedError: it is a whole archive, or of another kind than the database.
        DamagedError, NotSupportedError: it is not an archive, or not whole; then nothing of it was taken.
    """
    reader = _reader(chunks)
    with _transaction(path) as connection:
        kind = schema.kind_of(connection)
        if reader.header.kind == "residue":
            if kind != schema.SINGLE:
                raise RefusedError(f"residue belongs to single memory, this generation holds {kind}")
        elif reader.header.since is None:
            raise RefusedError("a whole archive fills a generation of its own", hint="leave out generation=")
        elif reader.header.kind != kind:
            raise RefusedError(f"the changes are {reader.header.kind}, this generation holds {kind}")
        return Imported(_take(reader, connection, fresh=False), kind)


def _reader(chunks: Iterable[bytes]) -> ArchiveReader:
    return ArchiveReader(chunks, "the body", tempfile.TemporaryFile)


class _transaction:  # noqa: N801 - it reads as a verb
    """One transaction on a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> sqlite3.Connection:
        self._connection = schema.connect(self._path)
        schema.create(self._connection)  # of a fresh file
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._connection.execute("COMMIT" if kind is None else "ROLLBACK")
        finally:
            self._connection.close()


def _take(reader: ArchiveReader, connection: sqlite3.Connection, *, fresh: bool) -> Summary:
    (sequence,) = connection.execute("SELECT value FROM meta WHERE key = 'sequence'").fetchone()
    into = _Rows(connection, int(sequence), reader.header.kind, fresh=fresh)
    for batch in reader.batches():
        for record in batch:
            into.put(record)
    if reader.summary is None:  # pragma: no cover - batches() ends by setting it or by raising
        raise AssertionError
    schema.number(connection, into.sequence)
    return reader.summary


class _Rows:
    """Records to rows of one database, numbered as they come."""

    def __init__(self, connection: sqlite3.Connection, sequence: int, kind: str, *, fresh: bool) -> None:
        self.sequence = sequence
        self._connection = connection
        self._fresh = fresh
        self._spaces: set[str] = set()
        dual: dict[str, Callable[[dict[str, Any]], None]] = {"concept": self._concept, "binding": self._binding}
        data = {"episode": self._episode, "memory": self._memory, "tombstone": self._tombstone}
        left = {**dict.fromkeys(("episode", "concept", "binding"), self._residue), "tombstone": self._residue_gone}
        self._put = left if kind == "residue" else dual | data

    def put(self, record: dict[str, Any]) -> None:
        """Take the record.

        Raises:
            RefusedError: its space has a name that no space of a node may have.
        """
        space = record["space"]
        if space not in self._spaces:
            if not SPACE_NAME.fullmatch(space):
                raise RefusedError(f"{space!r} is not a name of a space", hint="3 to 64 of a-z, 0-9, - and _")
            self._connection.execute("INSERT OR IGNORE INTO space VALUES (?,?,?)", (space, now(), self._next()))
            self._spaces.add(space)
        self._put[record["type"]](record)

    def _next(self) -> int:
        self.sequence += 1
        return self.sequence

    def _memory(self, r: dict[str, Any]) -> None:
        same = {"when": r["created_at"], "encoding_confidence": r["confidence"], "recall_count": r["access_count"]}
        sure = {"vividness_confidence": r["confidence"], "reliability_confidence": r["confidence"]}
        none: dict[str, Any] = {"where": None, "who": [], "consolidation_score": 0.0, "metadata": {}}
        self._episode({**r, **same, **sure, **none, "last_recall": r["last_access"]})

    def _episode(self, r: dict[str, Any]) -> None:
        embedding = b64decode(r["embedding"])
        if not self._fresh:
            self._replace(r, embedding)
        provenance = r["embedding_provenance"]
        shares = ("encoding_confidence", "vividness_confidence", "reliability_confidence", "activation")
        row = (
            *(r["space"], r["id"], self._next(), r["content"], moment_of(r["when"]), r["where"]),
            orjson.dumps(r["who"]).decode(),
            None if provenance is None else orjson.dumps(provenance).decode(),
            *(stored(r[name]) for name in (*shares, "consolidation_score")),
            *(moment_of(r["last_recall"]), signed(r["recall_count"]), stored(r["decay_rate"])),
            *(moment_of(r["created_at"]), orjson.dumps(r["metadata"]).decode()),
        )
        added = self._connection.execute(_EPISODE, row)
        self._connection.execute("INSERT INTO vector VALUES (?,?)", (added.lastrowid, embedding))

    def _replace(self, r: dict[str, Any], embedding: bytes) -> None:
        """Make room for what changed; where it is another one under the same id, its bindings and residue go."""
        found = self._connection.execute(
            "SELECT content, embedding FROM episode JOIN vector ON vector.episode = number WHERE space = ? AND id = ?",
            (r["space"], r["id"]),
        ).fetchone()
        if found == (r["content"], embedding):
            self._connection.execute("DELETE FROM episode WHERE space = ? AND id = ?", (r["space"], r["id"]))
        elif found is not None:
            self._forget("episode", {"space": r["space"], "id": r["id"], "concept_id": ""})
        gone = ("episode", r["space"], r["id"])
        self._connection.execute("DELETE FROM tombstone WHERE kind = ? AND space = ? AND id = ?", gone)

    def _concept(self, r: dict[str, Any]) -> None:
        other = self._connection.execute("SELECT space FROM concept WHERE id = ?", (r["id"],)).fetchone()
        if other not in {None, (r["space"],)}:
            raise RefusedError(f"the concept {r['id']} is in two spaces, {other[0]} and {r['space']}")
        row = (
            *(r["space"], r["id"], self._next(), b64decode(r["embedding"]), stored(r["coherence"])),
            *(signed(r["instance_count"]), moment_of(r["formed_at"]), stored(r["confidence"])),
            *(stored(r["activation"]), moment_of(r["last_access"]), moment_of(r["created_at"])),
        )
        self._connection.execute("INSERT OR REPLACE INTO concept VALUES (?,?,?,?,?,?,?,?,?,?,?)", row)

    def _binding(self, r: dict[str, Any]) -> None:
        row = (
            *(r["space"], r["episode_id"], r["concept_id"], self._next(), stored(r["strength"])),
            *(stored(r["contribution"]), moment_of(r["created_at"]), moment_of(r["last_activated"])),
        )
        self._connection.execute("INSERT OR REPLACE INTO binding VALUES (?,?,?,?,?,?,?,?)", row)

    def _residue(self, r: dict[str, Any]) -> None:
        ends = (r["episode_id"], r["concept_id"]) if r["type"] == "binding" else (r["id"], "")
        row = (r["type"], r["space"], *ends, self._next(), orjson.dumps(r).decode())
        self._connection.execute("INSERT OR REPLACE INTO residue VALUES (?,?,?,?,?,?)", row)

    def _residue_gone(self, r: dict[str, Any]) -> None:
        for statement in _FORGET_RESIDUE[r["of"]]:
            self._connection.execute(statement, r)

    def _tombstone(self, r: dict[str, Any]) -> None:
        self._forget(r["of"], r)
        kind = "episode" if r["of"] == "memory" else r["of"]
        name = f"{r['id']}\x1f{r['concept_id']}" if r["concept_id"] else r["id"]
        row = (kind, r["space"], name, self._next(), now())
        self._connection.execute("INSERT OR REPLACE INTO tombstone VALUES (?,?,?,?,?)", row)

    def _forget(self, of: str, r: dict[str, Any]) -> None:
        for statement in _FORGET[of]:
            self._connection.execute(statement, {name: r[name] for name in ("space", "id", "concept_id")})


def chunks_from(take: Callable[[], bytes | None]) -> Iterator[bytes]:
    """What `take` gives, until it gives None."""
    while (chunk := take()) is not None:
        if chunk:
            yield chunk
