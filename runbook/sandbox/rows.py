"""Records to rows and back: the only place that knows the columns."""

import sqlite3
from collections.abc import Iterable

import orjson

from runbook.sandbox.records import Binding, Concept, Episode, now
from runbook.sandbox.store import Transaction

_EPISODE = (
    "space, id, content, happened, place, who, embedding_provenance, encoding_confidence, "
    "vividness_confidence, reliability_confidence, activation, consolidation_score, last_recall, recall_count, "
    "decay_rate, created_at, metadata"
)
_SELECT = f"SELECT {_EPISODE}, embedding FROM episode JOIN vector ON vector.episode = number"  # noqa: S608 - a constant


def insert_episode(transaction: Transaction, episode: Episode) -> None:
    """Add it; a tombstone of the same id goes."""
    provenance = episode.embedding_provenance
    added = transaction.execute(
        f"INSERT INTO episode ({_EPISODE}, seq) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608 - a constant
        (
            episode.space,
            episode.id,
            episode.content,
            episode.when,
            episode.where,
            orjson.dumps(episode.who).decode(),
            None if provenance is None else orjson.dumps(provenance).decode(),
            episode.encoding_confidence,
            episode.vividness_confidence,
            episode.reliability_confidence,
            episode.activation,
            episode.consolidation_score,
            episode.last_recall,
            episode.recall_count,
            episode.decay_rate,
            episode.created_at,
            orjson.dumps(dict(episode.metadata)).decode(),
            transaction.next(),
        ),
    )
    transaction.execute("INSERT INTO vector VALUES (?, ?)", (added.lastrowid, episode.embedding))
    transaction.execute(
        "DELETE FROM tombstone WHERE kind = 'episode' AND space = ? AND id = ?", (episode.space, episode.id)
    )


def _episode(row: tuple[object, ...]) -> Episode:
    (space, id_, content, when, where, who, provenance, *numbers, created_at, metadata, embedding) = row
    encoding, vividness, reliability, activation, score, last_recall, recall_count, decay = numbers
    return Episode(
        space=str(space),
        id=str(id_),
        content=str(content),
        when=int(str(when)),
        where=None if where is None else str(where),
        who=tuple(orjson.loads(str(who))),
        embedding=embedding if isinstance(embedding, bytes) else b"",
        embedding_provenance=None if provenance is None else orjson.loads(str(provenance)),
        encoding_confidence=real(encoding),
        vividness_confidence=real(vividness),
        reliability_confidence=real(reliability),
        activation=real(activation),
        consolidation_score=real(score),
        last_recall=int(str(last_recall)),
        recall_count=unsigned(recall_count),
        decay_rate=real(decay),
        created_at=int(str(created_at)),
        metadata=orjson.loads(str(metadata)),
    )


def find_episode(connection: sqlite3.Connection, space: str, id_: str) -> Episode | None:
    """The episode as it is stored, or None."""
    row = connection.execute(f"{_SELECT} WHERE space = ? AND id = ?", (space, id_)).fetchone()
    return None if row is None else _episode(row)


def list_episodes(connection: sqlite3.Connection, space: str, offset: int, limit: int) -> list[Episode]:
    """One page of the space, by id, so that paging is stable while others write."""
    found = connection.execute(f"{_SELECT} WHERE space = ? ORDER BY id LIMIT ? OFFSET ?", (space, limit, offset))
    return [_episode(row) for row in found]


def forget(transaction: Transaction, kind: str, space: str, id_: str) -> int:
    """Leave a tombstone; its sequence number."""
    sequence = transaction.next()
    transaction.execute("INSERT OR REPLACE INTO tombstone VALUES (?,?,?,?,?)", (kind, space, id_, sequence, now()))
    return sequence


def put_concept(transaction: Transaction, concept: Concept) -> None:
    """Add the concept; one that is there keeps its times and its activation, and takes the rest."""
    transaction.execute(
        "INSERT INTO concept (space, id, embedding, coherence, instance_count, formed_at, confidence, "
        "activation, last_access, created_at, seq) VALUES (?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET "
        "embedding = excluded.embedding, coherence = excluded.coherence, instance_count = excluded.instance_count, "
        "confidence = excluded.confidence, seq = excluded.seq",
        (
            concept.space,
            concept.id,
            concept.embedding,
            concept.coherence,
            concept.instance_count,
            concept.formed_at,
            concept.confidence,
            concept.activation,
            concept.last_access,
            concept.created_at,
            transaction.next(),
        ),
    )


def put_bindings(transaction: Transaction, bindings: Iterable[Binding]) -> None:
    """Add the bindings, or replace them; their tombstones go."""
    bindings = list(bindings)
    transaction.executemany(
        "DELETE FROM tombstone WHERE kind = 'binding' AND space = ? AND id = ?",
        [(b.space, _edge(b.concept_id, b.episode_id)) for b in bindings],
    )
    transaction.executemany(
        "INSERT OR REPLACE INTO binding (space, episode_id, concept_id, strength, contribution, created_at, "
        "last_activated, seq) VALUES (?,?,?,?,?,?,?,?)",
        [
            (b.space, b.episode_id, b.concept_id, b.strength, b.contribution, b.created_at, b.last_activated, n)
            for b, n in ((binding, transaction.next()) for binding in bindings)
        ],
    )


def forget_bindings(transaction: Transaction, space: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Drop the bindings (concept, episode), and leave a tombstone for each."""
    for concept, episode in pairs:
        transaction.execute("DELETE FROM binding WHERE concept_id = ? AND episode_id = ?", (concept, episode))
        forget(transaction, "binding", space, _edge(concept, episode))


def _edge(concept: str, episode: str) -> str:
    return f"{episode}\x1f{concept}"


_NEGATIVE_ZERO = b"-0"  # SQLite keeps -0.0 as 0
_WORD = 1 << 64


def real(value: object) -> float:
    """A number as it was stored by `stored`."""
    return -0.0 if value == _NEGATIVE_ZERO else float(str(value))


def stored(value: float) -> float | bytes:
    """A number as a row keeps it, to the bit; in arithmetic the odd one counts as 0."""
    return _NEGATIVE_ZERO if value == 0.0 and str(value)[0] == "-" else value


def unsigned(value: object) -> int:
    """A count of 64 bits, which a row keeps with a sign."""
    return int(str(value)) % _WORD


def signed(value: int) -> int:
    """The same, to be stored."""
    return value - _WORD if value >= _WORD // 2 else value
