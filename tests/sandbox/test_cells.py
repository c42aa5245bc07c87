"""The rows that the judge reads: bounded, and right when the clock is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook.sandbox import cells as module
from runbook.sandbox.cells import Cells
from runbook.sandbox.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store of its own."""
    found = Store(tmp_path / "memory.db")
    yield found
    found.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The node's wall clock: its last entry."""
    moments = [1000.0]
    monkeypatch.setattr(module, "time", lambda: moments[-1])
    return moments


def rows(cells: Cells, since: float = 0) -> list[tuple[object, object, object]]:
    """Bucket, space and number of each row."""
    return [(row["bucket"], row["space"], row["n"]) for row in cells.since(since)]


def test_the_oldest_buckets_leave_first_and_stay_away_after_a_restart(
    store: Store, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty spaces for hours are bounded in memory and on the disk."""
    monkeypatch.setattr(module, "MOST", 4)
    cells = Cells(store, 2)
    for moment in (1000.0, 1002.5, 1004.1):
        clock.append(moment)
        for space in ("a", "b"):
            cells.recalled(space, "control", 0.001, None)
        cells.flush()
    expected = [(1002, "a", 1), (1002, "b", 1), (1004, "a", 1), (1004, "b", 1)]
    assert rows(cells) == expected
    store.write(lambda _: None).result()
    assert rows(Cells(store, 2)) == expected
    assert rows(cells, since=1004.0) == expected[2:]


def test_a_clock_that_is_set_back_adds_to_the_bucket_that_was_there(store: Store, clock: list[float]) -> None:
    """And what is asked for comes in the order of its time."""
    cells = Cells(store, 2)
    for moment in (1010.0, 1000.0, 1011.9):
        clock.append(moment)
        cells.recalled("a", "treatment", 0.002, 0.5)
    assert rows(cells) == [(1000, "a", 1), (1010, "a", 2)]
