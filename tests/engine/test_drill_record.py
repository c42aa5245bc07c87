"""The training record: who rehearsed what, when; how old the last passed drill is; what is overdue."""

from datetime import UTC, datetime, timedelta

import pytest

from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.journal import MemoryJournal
from runbook.engine.drill_record import chosen, drills_of, ended_details, overdue, standings
from runbook.errors import DamagedError
from runbook.model.drill import BRAKE, Outcome, Phase, Rehearsal
from runbook.model.journal import Event
from runbook.report.drill import training_data, training_lines

ISSUE = "high-formation-rate"
PASSED = Rehearsal((Phase("detect", 5.0, 90.0),))
FAILED = Rehearsal((Phase("detect", None, 90.0),), ("not detected: node-1",))
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Past:
    """A journal that is filled from the past on."""

    def __init__(self) -> None:
        self.clock = MemoryClock()
        self.journals = {who: MemoryJournal(self.clock, who, "bastion") for who in ("anna", "ben")}
        self.journal = self.journals["anna"]
        self.count = 0

    def drill(self, ago: timedelta, issue: str, rehearsal: Rehearsal | None, who: str = "anna") -> str:
        """One drill that began so long ago; None is one that was cut off."""
        self.count += 1
        name = f"drill-{self.count}"
        self.clock.set_wall(NOW - ago)
        writer = self.journals[who]
        writer.lines = self.journal.lines
        details = {"id": name, "issue": issue, "fault": "f", "nodes": 3, "reason": "", "versions": {}}
        writer.append(Event.DRILL_STARTED, name, details)
        if rehearsal is not None:
            writer.append(Event.DRILL_ENDED, name, ended_details(rehearsal))
        return name


@pytest.fixture
def past() -> Past:
    """A month of drills."""
    made = Past()
    made.drill(timedelta(days=40), ISSUE, PASSED)
    made.drill(timedelta(days=20), ISSUE, PASSED, "ben")
    made.drill(timedelta(days=2), ISSUE, FAILED)
    made.drill(timedelta(days=1), ISSUE, None)
    made.drill(timedelta(days=1), BRAKE, FAILED, "ben")
    return made


def test_every_drill_is_in_the_record(past: Past) -> None:
    """In the order of the journal, with what came of it; one that was cut off is open."""
    records = drills_of(past.journal.entries())
    assert [(each.drill.id, each.who, each.outcome.value) for each in records] == [
        ("drill-1", "anna", "passed"),
        ("drill-2", "ben", "passed"),
        ("drill-3", "anna", "failed"),
        ("drill-4", "anna", "open"),
        ("drill-5", "ben", "failed"),
    ]
    assert records[2].why == FAILED.why
    assert records[0].phases == PASSED.phases


def test_what_is_overdue(past: Past) -> None:
    """Older than the limit, or never passed; exactly the limit is young enough."""
    found = standings(drills_of(past.journal.entries()), (ISSUE, BRAKE, "memory-leak"), NOW)
    assert [each.age for each in found] == [timedelta(days=20), None, None]
    assert overdue(found, timedelta(days=20)) == (BRAKE, "memory-leak")
    assert overdue(found, timedelta(days=19)) == (ISSUE, BRAKE, "memory-leak")
    assert overdue((), timedelta(0)) == ()


def test_a_drill_from_the_future_proves_nothing(past: Past) -> None:
    """The clock was wrong then, or is now; a few seconds are let pass."""
    past.drill(-timedelta(days=3), ISSUE, PASSED)
    records = drills_of(past.journal.entries())
    (ahead,) = standings(records, (ISSUE,), NOW)
    assert overdue((ahead,), timedelta(days=30)) == (ISSUE,)
    text = "\n".join(each.text for each in training_lines(records, (ahead,), timedelta(days=30), (ISSUE,)))
    assert "dated 3 days ahead of this clock" in text
    (close,) = standings(records, (ISSUE,), NOW + timedelta(days=3) - timedelta(seconds=20))
    assert overdue((close,), timedelta(days=30)) == ()


def test_choosing_by_time_and_person(past: Past) -> None:
    """Both narrow; neither does where it is not given."""
    records = drills_of(past.journal.entries())
    assert chosen(records, None, None) == records
    assert [each.drill.id for each in chosen(records, NOW - timedelta(days=21), "ben")] == ["drill-2", "drill-5"]
    assert chosen(records, None, "nobody") == ()


def test_a_drill_that_does_not_read_is_damage() -> None:
    """Of another version, or edited and sealed again."""
    for details in ({"id": "x"}, {"id": "x", "nonsense": 1}):
        journal = MemoryJournal(MemoryClock())
        journal.append(Event.DRILL_STARTED, "x", details)
        with pytest.raises(DamagedError, match="a drill that cannot be read"):
            drills_of(journal.entries())
    made = Past()
    name = made.drill(timedelta(0), ISSUE, None)
    made.journal.append(Event.DRILL_ENDED, name, {"outcome": "splendid", "phases": [], "why": []})
    with pytest.raises(DamagedError):
        drills_of(made.journal.entries())


def test_an_end_without_a_beginning_is_passed_over() -> None:
    """The beginning lies in a journal that was set aside."""
    journal = MemoryJournal(MemoryClock())
    journal.append(Event.DRILL_ENDED, "drill-1", ended_details(PASSED))
    assert drills_of(journal.entries()) == ()


def test_the_report_says_what_was_never_rehearsed(past: Past) -> None:
    """In words for people, and as data."""
    records = drills_of(past.journal.entries())
    found = standings(records, (ISSUE, BRAKE), NOW)
    text = [
        each.text for each in training_lines(records, found, timedelta(days=30), overdue(found, timedelta(days=30)))
    ]
    assert any("cut off" in line for line in text)
    assert f"  {ISSUE}  20 days ago (by ben, 2026-11-03)" in text
    assert f"  {BRAKE}             never rehearsed with success" in text
    assert text[-1] == f"Older than 30 days, or never passed: {BRAKE}"
    data = training_data(records, found, None, ())
    assert data["standings"][1] == {"issue": BRAKE, "last_passed": None, "age_seconds": None}
    assert data["drills"][2]["outcome"] == Outcome.FAILED.value
