"""The store: durable before it is acknowledged, one failing change does not take others with it."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runbook.errors import NotSupportedError, StorageError
from runbook.sandbox import schema
from runbook.sandbox.store import Store, Transaction


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A fresh store."""
    found = Store(tmp_path / "memory.db")
    yield found
    found.close()


def put(key: str, *, fail: bool = False) -> Callable[[Transaction], int]:
    """A change that sets one key."""

    def change(transaction: Transaction) -> int:
        transaction.execute("INSERT INTO setting VALUES (?, '1')", (key,))
        if fail:
            raise RuntimeError(key)
        return transaction.next()

    return change


def test_what_is_acknowledged_is_committed(store: Store, tmp_path: Path) -> None:
    """Another connection sees it when the future is done, and so does the effect on the memory."""
    seen: list[int] = []
    assert store.write(put("a"), seen.append).result() == 1
    assert seen == [1]
    other = schema.connect(tmp_path / "memory.db")
    assert other.execute("SELECT key FROM setting").fetchall() == [("a",)]
    other.close()


def test_sequence_numbers_have_no_gaps_and_survive(store: Store, tmp_path: Path) -> None:
    """A change that failed used none up; a reopened store goes on."""
    futures = [store.write(put(str(number), fail=number % 3 == 0)) for number in range(30)]
    done = [future.result() for future in futures if future.exception() is None]
    assert done == list(range(1, 21))
    store.write(put("last")).result()
    again = Store(tmp_path / "memory.db")
    assert again.sequence == 21
    again.close()


def test_a_failing_change_takes_nothing_with_it(store: Store) -> None:
    """Neither its own half-done work stays, nor do its neighbours in the group go."""
    barrier = threading.Event()
    store.write(lambda _: barrier.wait())  # the next three wait together, and so become one group
    futures = [store.write(put("a")), store.write(put("b", fail=True)), store.write(put("c"))]
    barrier.set()
    assert isinstance(futures[1].exception(), RuntimeError)
    assert [futures[0].exception(), futures[2].exception()] == [None, None]
    assert store.reader.execute("SELECT key FROM setting ORDER BY key").fetchall() == [("a",), ("c",)]


def test_a_full_disk_refuses_and_recovers(store: Store, tmp_path: Path) -> None:
    """What did not fit is refused with a hint and not stored; once there is room, writing goes on."""
    (pages,) = store.write(lambda t: t.execute("PRAGMA page_count").fetchone()).result()
    store.write(lambda t: t.execute(f"PRAGMA max_page_count = {pages}").fetchone()).result()

    def large(transaction: Transaction) -> None:
        transaction.execute("INSERT INTO setting VALUES ('large', ?)", ("x" * 1_000_000,))

    with pytest.raises(StorageError) as refused:
        store.write(large).result()
    assert "nothing was stored" in refused.value.hint
    assert store.reader.execute("SELECT count(*) FROM setting").fetchone() == (0,)
    store.write(lambda t: t.execute("PRAGMA max_page_count = 1000000").fetchone()).result()
    store.write(large).result()
    assert store.reader.execute("SELECT count(*) FROM setting").fetchone() == (1,)


def test_after_a_failed_sync_nothing_is_accepted(store: Store) -> None:
    """Nobody knows what is on the disk then, so a later success would be a guess."""

    def failing(_: Transaction) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    for change in (failing, put("later")):
        with pytest.raises(StorageError):
            store.write(change).result()


def test_a_closed_store_refuses_at_once(tmp_path: Path) -> None:
    """A change that comes while the node ends is told so; nobody waits for a writer that is gone."""
    closed = Store(tmp_path / "closed.db")
    closed.close()
    with pytest.raises(StorageError, match="being ended"):
        closed.write(put("late")).result(timeout=20)


def test_a_newer_folder_is_refused(store: Store, tmp_path: Path) -> None:
    """An old node does not touch what a newer one wrote."""
    store.write(lambda t: t.execute("UPDATE meta SET value = 99 WHERE key = 'version'")).result()
    with pytest.raises(NotSupportedError, match="99"):
        Store(tmp_path / "memory.db")


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """A clear error instead of a traceback."""
    (tmp_path / "memory.db").write_bytes(b"garbage " * 1000)
    with pytest.raises(StorageError, match="cannot open"):
        Store(tmp_path / "memory.db")
