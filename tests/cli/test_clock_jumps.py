"""The wall clock was set back: the journal's order is that of its lines, and nothing is decided by wall time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import Output, document

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.model.journal import Event


class AheadClock(SystemClock):
    """A clock that is a year ahead, before someone sets it right."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=365)


def test_entries_from_the_future_are_no_damage(target: Path, state: Path, capsys: Output) -> None:
    """What is written after the clock was set back follows what was written before."""
    FileJournal(state, AheadClock(), "anna", "bastion").append(Event.BASELINE_CAPTURED, "", {"target": "prod"})
    document(capsys, "baseline", "capture", "--window", "1s")
    assert document(capsys, "audit", "verify")["data"]["sound"]
    before, after = document(capsys, "audit", "show")["data"]["entries"]
    assert (before["seq"], after["seq"]) == (1, 2)
    assert before["at"] > after["at"]


def test_a_measurement_does_not_look_at_the_wall_clock(
    target: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """Every look at the wall clock gives an earlier moment; the diagnosis is none the worse for it."""
    moments = iter(range(1_000_000))
    monkeypatch.setattr(SystemClock, "now", lambda _: datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=next(moments)))
    document(capsys, "baseline", "capture", "--window", "1s")
    found = document(capsys, "high-formation-rate", "--window", "1s")
    assert found["data"]["nodes"][0]["present"] == "NO"
