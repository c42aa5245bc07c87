"""The rows of a target, as the watcher collected them: one SQLite file in the state folder, for this user only.

It is bounded: once there are too many rows, old ones in fine buckets are added up to hours, and then the oldest leave.
Write-ahead logged: a process that is killed leaves a whole file behind, and one that reads does not wait for one that
writes. What a power cut takes is read again from the nodes.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from runbook.adapters.files import open_regular, private_folder, safe_name, storage
from runbook.errors import DamagedError, NotSupportedError, RunbookError, StorageError
from runbook.model.cells import Cell, NodeCells, Pruned

MOST = 2_000_000
"""Rows; some 200 MB. A thousand spaces in buckets of an hour for twelve weeks."""
_MARK = 0x52424345  # "RBCE", SQLite's application_id: whose file it is
_VERSION = 1
_BUSY_SECONDS = 5.0
"""Of another process; a watch has more to look at than rows, and collects them at its next look."""
_LEAST_BYTES = 24  # of a row
_HOUR = 3600
_FRESH_SECONDS = 2 * _HOUR
"""What is younger than that, by the newest row, stays as fine as it is."""
_HINT = "move it away: the rows that the nodes still have are collected again"
_TABLES = """
CREATE TABLE cell (
    bucket INTEGER, node TEXT, space TEXT, served TEXT, seconds INTEGER, n INTEGER, log_latency_sum REAL,
    log_latency_sum_squares REAL, errors INTEGER, over_slo INTEGER, confidence_n INTEGER, confidence_sum REAL,
    confidence_sum_squares REAL, PRIMARY KEY (bucket, node, space, served, seconds)) WITHOUT ROWID;
CREATE TABLE newest (node TEXT PRIMARY KEY, bucket INTEGER) WITHOUT ROWID;
CREATE TABLE summed (until INTEGER);
INSERT INTO summed VALUES (0);
"""
_FINE = f"FROM cell WHERE bucket < ? AND seconds < {_HOUR} AND {_HOUR} % seconds = 0"
_SUM_UP = f"""INSERT INTO cell SELECT bucket / {_HOUR} * {_HOUR}, node, space, served, {_HOUR}, sum(n),
sum(log_latency_sum), sum(log_latency_sum_squares), sum(errors), sum(over_slo), sum(confidence_n), sum(confidence_sum),
sum(confidence_sum_squares) {_FINE} GROUP BY 1, 2, 3, 4
ON CONFLICT DO UPDATE SET n = n + excluded.n, log_latency_sum = log_latency_sum + excluded.log_latency_sum,
log_latency_sum_squares = log_latency_sum_squares + excluded.log_latency_sum_squares,
errors = errors + excluded.errors, over_slo = over_slo + excluded.over_slo,
confidence_n = confidence_n + excluded.confidence_n, confidence_sum = confidence_sum + excluded.confidence_sum,
confidence_sum_squares = confidence_sum_squares + excluded.confidence_sum_squares"""
_KEEP = """INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET n = excluded.n, log_latency_sum = excluded.log_latency_sum,
log_latency_sum_squares = excluded.log_latency_sum_squares, errors = excluded.errors, over_slo = excluded.over_slo,
confidence_n = excluded.confidence_n, confidence_sum = excluded.confidence_sum,
confidence_sum_squares = excluded.confidence_sum_squares WHERE excluded.n + excluded.errors >= n + errors"""
_NEWEST = """INSERT INTO newest VALUES (?, ?)
ON CONFLICT (node) DO UPDATE SET bucket = max(bucket, excluded.bucket)"""
_ROWS = """SELECT node, bucket, seconds, space, served, n, log_latency_sum, log_latency_sum_squares, errors, over_slo,
confidence_n, confidence_sum, confidence_sum_squares FROM cell WHERE bucket >= ? AND bucket < ?
ORDER BY bucket, node, space, served, seconds"""


class FileCellStore:
    """`CellStore` as `cells/<target>.sqlite` of a state folder; the file is made when rows are first kept.

    Args:
        state: the state folder.
        target: whose rows.
        most: how many rows are kept.

    Raises:
        UsageError: the target's name cannot be a file's.
    """

    def __init__(self, state: Path, target: str, most: int = MOST) -> None:
        self.path = state / "cells" / f"{safe_name(target, 'target')}.sqlite"
        self._most = most

    def add(self, found: Sequence[NodeCells]) -> Pruned:
        """Keep the rows; one that is known already is replaced by a longer one. What was let go of for them."""
        rows = [_row(cell) for node in found for cell in node.cells]
        if not rows:
            return Pruned()
        with self._open(write=True) as file:
            file.execute("BEGIN IMMEDIATE")
            (until,) = file.execute("SELECT until FROM summed").fetchone()
            file.executemany(_KEEP, [row for row in rows if row[0] >= until])  # older ones are in the hours already
            file.executemany(_NEWEST, [(row[1], row[0]) for row in rows])
            pruned = self._prune(file)
            file.execute("COMMIT")
        return pruned

    def newest(self) -> Mapping[str, float]:
        """By node, the beginning of the newest bucket that is kept."""
        if not self._is_there():
            return {}
        with self._open() as file:
            return {node: float(bucket) for node, bucket in file.execute("SELECT node, bucket FROM newest")}

    def rows(self, begin: float, end: float) -> Iterator[Cell]:
        """Every row whose bucket begins in [begin, end), ordered by bucket, node and space."""
        if not self._is_there():
            return
        with self._open() as file:
            for row in file.execute(_ROWS, (begin, end)):
                yield Cell(*row)

    def _is_there(self) -> bool:
        with storage(self.path, "read"):
            try:
                os.close(open_regular(self.path))
            except FileNotFoundError:
                return False
        return True

    @contextmanager
    def _open(self, *, write: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection to a file that is ours."""
        if write:
            private_folder(self.path.parent)
            with storage(self.path, "write"):
                os.close(open_regular(self.path, os.O_RDWR | os.O_CREAT))
        file: sqlite3.Connection | None = None
        try:
            file = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
            self._check(file)
            yield file
        except sqlite3.Error as error:
            raise self._refusal(error, "write" if write else "read") from error
        finally:
            if file is not None:
                file.close()  # what was not committed is gone

    def _check(self, file: sqlite3.Connection) -> None:
        """Whose file is it? One that has nothing in it yet becomes ours."""
        if _number(file, "application_id") != _MARK:
            file.execute("BEGIN IMMEDIATE")
            if _number(file, "application_id") != _MARK:  # another process may have been first
                if file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise DamagedError(f"{self.path} is a database of another program", hint=_HINT)
                for table in _TABLES.split(";"):
                    file.execute(table)
                file.execute(f"PRAGMA user_version = {_VERSION}")
                file.execute(f"PRAGMA application_id = {_MARK}")
            file.execute("COMMIT")
        with suppress(sqlite3.OperationalError):  # another process reads just now: the next one changes it
            file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")
        if (version := _number(file, "user_version")) != _VERSION:
            raise NotSupportedError(f"{self.path} is of version {version}; this tool reads {_VERSION}", hint=_HINT)

    def _prune(self, file: sqlite3.Connection) -> Pruned:
        """Fine rows become hours; if that is not enough the oldest leave, whole buckets at a time."""
        if self._beyond(file) is None:
            return Pruned()
        (newest,) = file.execute("SELECT max(bucket) FROM newest").fetchone()
        until = (newest - _FRESH_SECONDS) // _HOUR * _HOUR
        file.execute(_SUM_UP, (until,))
        summed = file.execute(f"DELETE {_FINE}", (until,)).rowcount
        file.execute("UPDATE summed SET until = max(until, ?)", (until,))
        beyond = self._beyond(file)
        if beyond is None:
            return Pruned(summed=summed)
        return Pruned(file.execute("DELETE FROM cell WHERE bucket <= ?", (beyond,)).rowcount, beyond, summed)

    def _beyond(self, file: sqlite3.Connection) -> int | None:
        """The newest bucket that has to leave. A file that is too small for so many rows is not counted."""
        if _number(file, "page_count") * _number(file, "page_size") < self._most * _LEAST_BYTES:
            return None
        query = "SELECT bucket FROM cell ORDER BY bucket DESC LIMIT 1 OFFSET ?"
        found: tuple[int] | None = file.execute(query, (self._most,)).fetchone()
        return None if found is None else found[0]

    def _refusal(self, error: sqlite3.Error, doing: str) -> RunbookError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without SQLite's extension of it
        match code:
            case sqlite3.SQLITE_FULL:
                reason, hint = "no space is left on the disk", "free some space, then run the command again"
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                reason, hint = "another process keeps it busy", "see runbook runs, and try again"
            case sqlite3.SQLITE_IOERR:
                reason, hint = "the disk reports an input/output error", "look at the kernel's log (dmesg)"
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                reason, hint = str(error), "who owns the state folder? see runbook doctor"
            case _:
                return DamagedError(f"{self.path}: {error}", hint=_HINT)
        return StorageError(f"cannot {doing} {self.path}: {reason}", hint=hint)


def _number(file: sqlite3.Connection, pragma: str) -> int:
    return int(file.execute(f"PRAGMA {pragma}").fetchone()[0])


def _row(cell: Cell) -> tuple[int | float | str, ...]:
    return (
        *(cell.bucket, cell.node, cell.space, cell.group, cell.seconds, cell.n, cell.log_latency_sum),
        *(cell.log_latency_sum_squares, cell.errors, cell.over_slo, cell.confidence_n, cell.confidence_sum),
        cell.confidence_sum_squares,
    )
