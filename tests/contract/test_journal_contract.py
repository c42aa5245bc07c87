"""What every `Journal` promises."""

import math
from datetime import timedelta
from pathlib import Path

import pytest

from runbook.adapters.journal import FileJournal
from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.journal import MemoryJournal
from runbook.model.journal import Event
from runbook.ports import Journal


@pytest.fixture
def clock() -> MemoryClock:
    """Time under the test's control."""
    return MemoryClock()


@pytest.fixture(params=["file", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path, clock: MemoryClock) -> Journal:
    """A journal to be begun."""
    if request.param == "file":
        return FileJournal(tmp_path / "state", clock, "anna", "bastion")
    return MemoryJournal(clock, "anna", "bastion")


def test_a_journal_without_entries_is_sound(journal: Journal) -> None:
    """Nothing was lost where nothing was written."""
    assert list(journal.entries()) == []
    assert journal.verify().sound
    assert journal.verify().entries == 0


def test_what_was_appended_is_what_is_read_in_order(journal: Journal, clock: MemoryClock) -> None:
    """Every event, with its person, machine, run and details."""
    appended = []
    for event in Event:
        clock.sleep(1.5)
        appended.append(journal.append(event, "run-1", {"step": 1, "old": 0.1, "new": None, "hosts": ["a", "b"]}))
    assert list(journal.entries()) == appended
    assert [entry.seq for entry in appended] == list(range(1, len(Event) + 1))
    assert {(entry.who, entry.where, entry.run) for entry in appended} == {("anna", "bastion", "run-1")}


def test_every_append_leaves_it_sound_with_a_head_of_its_own(journal: Journal) -> None:
    """A head that was written down elsewhere proves the state it was taken at."""
    heads = {journal.verify().head}
    for number in range(1, 6):
        journal.append(Event.STEP_INTENT, "run-1", {})
        state = journal.verify()
        assert state.sound
        assert state.entries == number
        heads.add(state.head)
    assert len(heads) == 6


def test_a_clock_that_is_set_back_does_not_reorder_entries(journal: Journal, clock: MemoryClock) -> None:
    """The time is informative; the number orders."""
    first = journal.append(Event.RUN_STARTED, "run-1", {})
    clock.set_wall(clock.now() - timedelta(days=400))
    second = journal.append(Event.RUN_ENDED, "run-1", {})
    assert second.at < first.at
    assert [entry.event for entry in journal.entries()] == [Event.RUN_STARTED, Event.RUN_ENDED]
    assert journal.verify().sound


def test_what_json_has_no_word_for_is_kept_as_text_and_never_as_null(journal: Journal) -> None:
    """NaN, large integers and arguments in another encoding."""
    details = {"nan": math.nan, "large": 2**70, "latin": "caf\udce9", "tuple": (1, 2)}
    journal.append(Event.STEP_INTENT, "run-1", details)
    (entry,) = journal.entries()
    assert entry.details == {"nan": "nan", "large": str(2**70), "latin": "caf\\udce9", "tuple": [1, 2]}


def test_a_secret_is_masked_wherever_it_hides(journal: Journal) -> None:
    """By the name of its key at any depth, and by its shape within text."""
    canary = "hunter2-canary"
    entry = journal.append(
        Event.STEP_OUTCOME,
        "run-1",
        {
            "token": canary,
            "headers": [{"Authorization": f"Bearer {canary}"}],
            "message": f"401 for Authorization: Bearer {canary}, password={canary}; https://anna:{canary}@node/",
        },
    )
    assert canary not in repr(entry)
    assert canary not in repr(list(journal.entries()))
