"""Numbers for Prometheus, where what they are made of does not read."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from runbook.adapters.heartbeat import FileHeartbeats
from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.notify import FileCursors
from runbook.adapters.store import FileStore
from runbook.errors import DamagedError
from runbook.model.heartbeat import Heartbeat
from runbook.model.measurement import Baseline, NodeBaseline
from runbook.model.notification import START, Cursor
from runbook.serve.metrics.kept import OLDEST, Baselines, notifications, watches
from runbook.serve.metrics.sample import Sample

T = TypeVar("T")


class Places:
    """One target with one node, in a configuration and an inventory that may hold a slip."""

    slip = ""

    def names(self) -> list[str]:
        """The targets."""
        return self._read("configuration", ["prod"])

    def addresses(self, _: str) -> dict[str, str]:
        """The nodes."""
        return self._read("inventory", {"node-1": "10.0.0.1:7432"})

    def _read(self, where: str, found: T) -> T:
        if self.slip == where:
            raise DamagedError(f"{where}: line 3")
        return found


def named(samples: Iterable[Sample]) -> dict[tuple[str, ...], float]:
    """By name and labels."""
    return {(each.name, *each.labels): each.value for each in samples}


def test_a_baseline_is_told_on_while_it_cannot_be_looked_at(tmp_path: Path) -> None:
    """With the addresses of before; one that is gone is told no more."""
    store, clock = FileStore(tmp_path), MemoryClock()
    at = datetime(2026, 11, 22, tzinfo=UTC)
    store.save_baseline(Baseline("prod", at, 60.0, {"node-1": NodeBaseline({"q": 5.0}, {})}))
    places = Places()
    kept = Baselines(store, places.names, places.addresses, clock)
    expected = {("baseline", "prod", "node-1", "10.0.0.1:7432", "q"): 5.0}
    for places.slip in ("", "inventory", "configuration", ""):
        assert named(kept.samples()) == expected
        clock.sleep(OLDEST.total_seconds())
    (tmp_path / "baselines" / "prod.json").unlink()
    assert named(kept.samples()) == {}


def test_whom_the_watch_did_not_hear_is_told(tmp_path: Path) -> None:
    """By name, as of its last look; beside when that was."""
    kept = FileHeartbeats(tmp_path)
    at = datetime(2026, 11, 27, tzinfo=UTC)
    sign = Heartbeat("prod", "r", "p", "s", "running", 0.1, timedelta(seconds=15), at, 1, "m", 3, "told", 4)
    kept.beat(replace(sign, silent=("edge", "node-2")))
    assert named(watches(kept)) == {
        ("watch_seen_timestamp_seconds", "prod"): at.timestamp(),
        ("watch_interval_seconds", "prod"): 15,
        ("watch_silent", "prod", "edge"): 1,
        ("watch_silent", "prod", "node-2"): 1,
    }


def test_messages_that_nobody_will_get_are_told(tmp_path: Path) -> None:
    """Given up, or left out because too many waited: an alert asks for whatever was not delivered."""
    cursors = FileCursors(tmp_path)
    cursors.save("team", Cursor(START, sent=5, given_up=2, left_out=3))
    told = {each.labels: each.value for each in notifications(cursors, ["team", "never-told"])}
    assert told == {("team", "delivered"): 5, ("team", "given up"): 2, ("team", "left out"): 3}
