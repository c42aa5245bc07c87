"""The port `CellStore`: one suite, run on the file and on the one in memory."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runbook.adapters.cell_store import FileCellStore
from runbook.adapters.memory.cells import MemoryCellStore
from runbook.model.cells import CONTROL, TREATMENT, Cell, NodeCells, Pruned
from runbook.ports import CellStore

Make = Callable[..., CellStore]


def cell(bucket: int, space: str = "alpha", *, node: str = "a", group: str = CONTROL, n: int = 3) -> Cell:
    """A row whose numbers all differ."""
    return Cell(node, bucket, 2, space, group, n, n * 1.5, n * 2.5, 1, 2, n - 1, (n - 1) * 0.75, (n - 1) * 0.625)


@pytest.fixture(params=["memory", "file"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """A new store, or (for the file) a new user of the same one."""

    def made(most: int = 1000) -> CellStore:
        return MemoryCellStore(most) if request.param == "memory" else FileCellStore(tmp_path, "prod", most)

    return made


def test_nothing_is_kept_at_first(make: Make) -> None:
    """A store that was never written has no newest bucket and no row."""
    store = make()
    assert (dict(store.newest()), list(store.rows(0, 1e12))) == ({}, [])


def test_what_is_added_comes_back_as_it_was(make: Make) -> None:
    """Every number of a row comes back, in the order of bucket, node and space, from begin to before end."""
    store = make()
    rows = (cell(10, "b"), cell(10, "a"), cell(12, "a"), cell(14, "a", group=TREATMENT))
    assert store.add([NodeCells("a", 2, rows), NodeCells("b", 2, (cell(10, "c", node="b"),))]) == Pruned()
    assert list(store.rows(10, 14)) == [cell(10, "a"), cell(10, "b"), cell(10, "c", node="b"), cell(12, "a")]
    assert [each.group for each in store.rows(14, 15)] == [TREATMENT]


def test_a_row_that_is_read_twice_counts_once(make: Make) -> None:
    """The newest bucket is read again when it has grown: the later reading takes the place of the earlier one."""
    store = make()
    store.add([NodeCells("a", 2, (cell(10, n=3),))])
    store.add([NodeCells("a", 2, (cell(10, n=7), cell(10, n=2, group=TREATMENT)))])
    assert [each.n for each in store.rows(0, 100)] == [7, 2]


def test_a_row_that_shrank_is_not_taken(make: Make) -> None:
    """A node that was killed may have lost the last second of its rows; what it told before was true."""
    store = make()
    store.add([NodeCells("a", 2, (cell(10, n=7),))])
    store.add([NodeCells("a", 2, (cell(10, n=3),))])
    assert list(store.rows(0, 100)) == [cell(10, n=7)]
    store.add([NodeCells("a", 2, (cell(10, n=8),))])
    assert list(store.rows(0, 100)) == [cell(10, n=8)]


def test_the_newest_bucket_is_known_for_each_node(make: Make) -> None:
    """By node, and it never goes back where an older bucket is told late."""
    store = make()
    store.add([NodeCells("a", 2, (cell(10), cell(16))), NodeCells("b", 2, (cell(12, node="b"),))])
    store.add([NodeCells("a", 2, (cell(8),)), NodeCells("c", 2, ())])
    assert dict(store.newest()) == {"a": 16.0, "b": 12.0}


def test_the_oldest_leave_and_that_is_told(make: Make) -> None:
    """Beyond its bound a store lets whole buckets go, the oldest first, and says how many rows and until when."""
    store = make(most=4)
    rows = [cell(at, space) for at in (10, 12, 14) for space in ("a", "b")]
    assert store.add([NodeCells("a", 2, tuple(rows[:4]))]) == Pruned()
    assert store.add([NodeCells("a", 2, tuple(rows[4:]))]) == Pruned(2, 10)
    assert [each.bucket for each in store.rows(0, 100)] == [12, 12, 14, 14]
