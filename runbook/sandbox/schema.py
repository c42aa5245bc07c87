"""The database of one node: tables, and how a connection is set up."""

import sqlite3
from pathlib import Path

from runbook.sandbox.records import now

VERSION = 1
DUAL, SINGLE = "dual_memory", "single_memory"
"""The kinds of data that a database holds: of a single memory, episodes only, and the residue of the others."""

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS space (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS episode (
  number INTEGER PRIMARY KEY, space TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, content TEXT NOT NULL,
  happened INTEGER NOT NULL, place TEXT, who TEXT NOT NULL, embedding_provenance TEXT,
  encoding_confidence REAL NOT NULL, vividness_confidence REAL NOT NULL, reliability_confidence REAL NOT NULL,
  activation REAL NOT NULL, consolidation_score REAL NOT NULL, last_recall INTEGER NOT NULL,
  recall_count INTEGER NOT NULL, decay_rate REAL NOT NULL, created_at INTEGER NOT NULL, metadata TEXT NOT NULL,
  consolidated INTEGER NOT NULL DEFAULT 0, UNIQUE (space, id));
-- Apart from the episode, so that counting a recall does not write 3 KiB of vector again.
CREATE TABLE IF NOT EXISTS vector (episode INTEGER PRIMARY KEY, embedding BLOB NOT NULL);
CREATE TRIGGER IF NOT EXISTS forget_vector AFTER DELETE ON episode
  BEGIN DELETE FROM vector WHERE episode = old.number; END;
CREATE TABLE IF NOT EXISTS concept (
  space TEXT NOT NULL, id TEXT NOT NULL PRIMARY KEY, seq INTEGER NOT NULL, embedding BLOB NOT NULL,
  coherence REAL NOT NULL, instance_count INTEGER NOT NULL, formed_at INTEGER NOT NULL, confidence REAL NOT NULL,
  activation REAL NOT NULL, last_access INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS binding (
  space TEXT NOT NULL, episode_id TEXT NOT NULL, concept_id TEXT NOT NULL, seq INTEGER NOT NULL,
  strength REAL NOT NULL, contribution REAL NOT NULL, created_at INTEGER NOT NULL, last_activated INTEGER NOT NULL,
  PRIMARY KEY (concept_id, episode_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstone (
  kind TEXT NOT NULL, space TEXT NOT NULL, id TEXT NOT NULL, seq INTEGER NOT NULL, forgotten_at INTEGER NOT NULL,
  PRIMARY KEY (kind, space, id)) WITHOUT ROWID;
-- What a conversion could not carry, by record; `document` is the archive's record.
CREATE TABLE IF NOT EXISTS residue (
  type TEXT NOT NULL, space TEXT NOT NULL, id TEXT NOT NULL, concept_id TEXT NOT NULL, seq INTEGER NOT NULL,
  document TEXT NOT NULL, PRIMARY KEY (type, space, id, concept_id));
CREATE TABLE IF NOT EXISTS cell (
  bucket INTEGER NOT NULL, space TEXT NOT NULL, grp TEXT NOT NULL, numbers TEXT NOT NULL,
  PRIMARY KEY (bucket, space, grp)) WITHOUT ROWID;
"""


def connect(path: Path, *, new: bool = True) -> sqlite3.Connection:
    """A connection whose commits survive a crash of the machine; its memory is bounded.

    Where there is no such file, it is made; or, unless `new`, that is an sqlite3.OperationalError.
    """
    name = f"{path.absolute().as_uri()}?mode={'rwc' if new else 'rw'}"
    connection = sqlite3.connect(name, isolation_level=None, check_same_thread=False, timeout=10, uri=True)
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -2048", "foreign_keys = OFF"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def create(connection: sqlite3.Connection) -> int:
    """Make the tables where they are missing; the version that the folder was written with."""
    connection.executescript(_TABLES)
    connection.execute(
        "INSERT OR IGNORE INTO meta VALUES ('version', ?), ('sequence', 0), ('kind', ?), ('changed_at', 0)",
        (VERSION, DUAL),
    )
    (version,) = connection.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
    return int(version)


def number(connection: sqlite3.Connection, sequence: int) -> None:
    """Note the sequence number of the last change of the data, and when it was made."""
    connection.execute("UPDATE meta SET value = ? WHERE key = 'sequence'", (sequence,))
    connection.execute("UPDATE meta SET value = ? WHERE key = 'changed_at'", (now(),))


def kind_of(connection: sqlite3.Connection) -> str:
    """The kind of data that the database holds."""
    (kind,) = connection.execute("SELECT value FROM meta WHERE key = 'kind'").fetchone()
    return str(kind)
