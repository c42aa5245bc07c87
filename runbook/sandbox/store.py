"""One writer, in its own thread, with group commit: what is acknowledged is on the disk.

A change is a function of a `Transaction`; all that wait are done in one SQLite transaction, each under its own
savepoint, so that one which fails does not take the others with it. Its future is resolved after the commit, and
what it does to the memory (`then`) is done after the commit too, in the order of the sequence numbers.
"""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from runbook.errors import NotSupportedError, StorageError
from runbook.sandbox import schema

T = TypeVar("T")
_LARGEST_GROUP = 256
_SYNC_FAILED = {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}


class Transaction:
    """What a change may do: run statements, and number what it changed."""

    def __init__(self, connection: sqlite3.Connection, sequence: int) -> None:
        self.execute = connection.execute
        self.executemany = connection.executemany
        self.sequence = sequence

    def next(self) -> int:
        """The next sequence number of the node."""
        self.sequence += 1
        return self.sequence


@dataclass(frozen=True, slots=True)
class _Job(Generic[T]):
    change: Callable[[Transaction], T]
    then: Callable[[T], None] | None
    future: "Future[T]"


@dataclass(frozen=True, slots=True)
class _Alone(Generic[T]):
    """Something that is done between two transactions, while nothing is written."""

    work: Callable[[], T]
    future: "Future[T]"


class Store:
    """The database of one node.

    Raises:
        NotSupportedError: the folder was written by a newer version.
        StorageError: the database cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._connection, self.reader = _opened(path)
        self._retired: list[sqlite3.Connection] = []
        self.sequence: int
        (self.sequence,) = self.reader.execute("SELECT value FROM meta WHERE key = 'sequence'").fetchone()
        self._broken: StorageError | None = None
        self._jobs: SimpleQueue[_Job[Any] | _Alone[Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, change: Callable[[Transaction], T], then: Callable[[T], None] | None = None) -> "Future[T]":
        """Do the change durably; the future holds its result, or what it raised (StorageError from the disk)."""
        future: Future[T] = Future()
        if self._broken is not None:
            future.set_exception(self._broken)
        else:
            self._jobs.put(_Job(change, then, future))
        return future

    def alone(self, work: Callable[[], T]) -> "Future[T]":
        """Do this after every change that came before it and before every one that comes after it."""
        future: Future[T] = Future()
        if self._broken is not None:
            future.set_exception(self._broken)
        else:
            self._jobs.put(_Alone(work, future))
        return future

    def switch(self, path: Path, name: Callable[[], None]) -> None:
        """Go on in another database; only from work that is done `alone`. `name` is called once it is open.

        Raises:
            NotSupportedError: it was written by a newer version.
            StorageError: it cannot be opened; then the old one goes on.
            Whatever `name` raises; then the old one goes on, too.
        """
        fresh = _opened(path)
        try:
            name()
        except BaseException:
            for connection in fresh:
                connection.close()
            raise
        for connection in self._retired:
            connection.close()
        self._retired = [self._connection, self.reader]  # somebody may be reading there just now
        self._connection, self.reader = fresh
        (self.sequence,) = self._connection.execute("SELECT value FROM meta WHERE key = 'sequence'").fetchone()

    def stop(self, error: StorageError) -> None:
        """Take no change any more until the node is started again; only from work that is done `alone`."""
        self._broken = error

    def close(self) -> None:
        """Do what waits, then end; whoever comes later is refused, and does not wait for ever."""
        self._jobs.put(None)
        self._thread.join()
        self._broken = StorageError("the node is being ended", hint="nothing was stored; ask again once it serves")
        while not self._jobs.empty():  # put in behind the end: the node may end while a change is on its way
            late = self._jobs.get()
            if late is not None and late.future.set_running_or_notify_cancel():
                late.future.set_exception(self._broken)
        for connection in (*self._retired, self.reader, self._connection):
            connection.close()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            group: list[_Job[Any]] = []
            more: _Job[Any] | _Alone[Any] | None = job
            while isinstance(more, _Job):
                group.append(more)
                if len(group) == _LARGEST_GROUP:
                    break
                try:
                    more = self._jobs.get_nowait()
                except Empty:
                    break
            if group:
                self._commit(group)
            if isinstance(more, _Alone):
                _do_alone(more)
            elif more is None:
                return

    def _commit(self, group: list[_Job[Any]]) -> None:
        done: list[tuple[_Job[Any], Any]] = []
        # A caller that left (its connection was cut) has cancelled its future: nothing was done for it yet, and nothing
        # will be. From here on a future cannot be cancelled any more, so that it can always be resolved below.
        group = [job for job in group if job.future.set_running_or_notify_cancel()]
        try:
            if self._broken is not None:
                raise self._broken
            transaction = Transaction(self._connection, self.sequence)
            transaction.execute("BEGIN IMMEDIATE")
            done = [(job, result) for job in group for result in self._attempt(job, transaction)]
            if transaction.sequence != self.sequence:
                schema.number(self._connection, transaction.sequence)
            transaction.execute("COMMIT")
        except (sqlite3.Error, StorageError) as error:
            self._give_up(group, error)
            return
        self.sequence = transaction.sequence
        for job, result in done:
            try:
                if job.then is not None:
                    job.then(result)
            except Exception as error:  # noqa: BLE001 - the caller gets it; the writer must live
                job.future.set_exception(error)
            else:
                job.future.set_result(result)

    @staticmethod
    def _attempt(job: _Job[Any], transaction: Transaction) -> list[Any]:
        """The result of the change, or nothing when it failed by itself; a failing disk is raised."""
        before = transaction.sequence
        transaction.execute("SAVEPOINT change")
        try:
            result = job.change(transaction)
        except sqlite3.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the caller of this change only
            transaction.execute("ROLLBACK TO change")
            transaction.execute("RELEASE change")
            transaction.sequence = before
            job.future.set_exception(error)
            return []
        transaction.execute("RELEASE change")
        return [result]

    def _give_up(self, group: list[_Job[Any]], error: sqlite3.Error | StorageError) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as worse:  # then nobody knows what the connection holds
            self._broken = StorageError(f"the disk refused even to go back: {worse}", hint="restart the node")
        refusal = StorageError(f"the disk refused the write: {error}", hint="nothing was stored; free space and retry")
        if getattr(error, "sqlite_errorcode", 0) in _SYNC_FAILED:
            # After a failed fsync nobody knows what is on the disk, and a retry would only seem to succeed.
            self._broken = refusal
        for job in group:
            if not job.future.done():
                job.future.set_exception(refusal)


def _do_alone(alone: _Alone[Any]) -> None:
    if alone.future.set_running_or_notify_cancel():
        try:
            alone.future.set_result(alone.work())
        except Exception as error:  # noqa: BLE001 - the caller gets it; the writer must live
            alone.future.set_exception(error)


def _opened(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """A connection to write with and one to read with."""
    try:
        connection = schema.connect(path)
        version = schema.create(connection)
        reader = schema.connect(path)
    except sqlite3.Error as error:
        raise StorageError(f"cannot open {path}: {error}", hint="is the disk full or read-only?") from error
    if version != schema.VERSION:
        raise NotSupportedError(f"{path} has version {version}, this node knows {schema.VERSION}")
    return connection, reader
