"""What every `Store` promises."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbook.adapters.memory.store import MemoryStore
from runbook.adapters.store import FileStore
from runbook.model.measurement import Baseline, NodeBaseline
from runbook.model.settings import defaults
from runbook.ports import Store


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Each implementation in turn."""
    return FileStore(tmp_path) if request.param == "file" else MemoryStore()


def baseline(target: str = "sandbox", rate: float = 12.5) -> Baseline:
    """A baseline with every setting there is."""
    node = NodeBaseline({"rate_per_minute(engram_concepts_formed_total)": rate}, defaults())
    return Baseline(target, datetime(2025, 3, 1, 2, 3, 4, 5, tzinfo=UTC), 10.0, {"node-1": node})


def test_what_was_saved_is_what_is_loaded(store: Store) -> None:
    """Numbers, flags, texts and lists come back as they were, to the microsecond."""
    store.save_baseline(baseline())
    assert store.load_baseline("sandbox") == baseline()


def test_without_a_baseline_there_is_none(store: Store) -> None:
    """None, and no error: a missing baseline is an ordinary thing."""
    assert store.load_baseline("sandbox") is None


def test_a_later_baseline_takes_the_place_of_the_earlier_one(store: Store) -> None:
    """There is one per target."""
    store.save_baseline(baseline(rate=1.0))
    store.save_baseline(baseline(rate=2.0))
    assert store.load_baseline("sandbox") == baseline(rate=2.0)


def test_targets_do_not_see_each_others_baseline(store: Store) -> None:
    """The limits of one fleet are not those of another."""
    store.save_baseline(baseline("one"))
    assert store.load_baseline("two") is None
