"""What a crash leaves behind is told from damage, and nothing of it is thrown away."""

import hashlib
from pathlib import Path

import pytest

from runbook.adapters.files import private_folder
from runbook.adapters.journal import FileJournal
from runbook.adapters.journal.place import Place
from runbook.adapters.journal.tail import begin
from runbook.errors import DamagedError
from runbook.model.journal import Event


def tear(folder: Path, raw: bytes) -> None:
    """Leave bytes without a newline, as a crash does."""
    with (folder / "journal.jsonl").open("ab") as stream:
        stream.write(raw)


@pytest.mark.parametrize("raw", [b"{", b'{"seq":4,"prev":"', b"\x00" * 300, b"\xff\xfe"])
def test_a_torn_line_is_reported_and_is_no_damage(written: FileJournal, folder: Path, raw: bytes) -> None:
    """Half an entry, zeros of a lost page, garbage: never acknowledged."""
    tear(folder, raw)
    state = written.verify()
    assert state.sound
    assert state.entries == 3
    assert f"line 4: {len(raw)} bytes" in state.torn
    assert len(list(written.entries())) == 3


def test_a_torn_line_is_set_aside_and_journaled_before_the_next_entry(written: FileJournal, folder: Path) -> None:
    """Its bytes are kept in a file that the journal names."""
    tear(folder, b'{"seq":4,"pre')
    written.append(Event.RUN_STARTED, "run-2", {})
    assert (folder / "journal.torn-4").read_bytes() == b'{"seq":4,"pre'
    torn, started = list(written.entries())[3:]
    assert (torn.event, started.event) == (Event.JOURNAL_TORN, Event.RUN_STARTED)
    assert torn.details == {
        "file": "journal.torn-4",
        "bytes": 13,
        "sha256": hashlib.sha256(b'{"seq":4,"pre').hexdigest(),
    }
    assert written.verify().sound
    assert written.verify().torn == ""


def test_torn_twice_at_the_same_place_keeps_both(written: FileJournal, folder: Path) -> None:
    """A crash while the first was being set aside."""
    (folder / "journal.torn-4").write_bytes(b"the first")
    tear(folder, b"the second")
    written.append(Event.RUN_STARTED, "run-2", {})
    kept = {path.read_bytes() for path in folder.glob("journal.torn-4*")}
    assert kept == {b"the first", b"the second"}


def test_a_torn_first_line_is_set_aside_too(journal: FileJournal, folder: Path) -> None:
    """A crash in the middle of the very first append."""
    begin(Place(private_folder(folder)))
    tear(folder, b'{"seq":1')
    assert journal.verify().sound
    journal.append(Event.RUN_STARTED, "run-1", {})
    assert [entry.event for entry in journal.entries()] == [Event.JOURNAL_TORN, Event.RUN_STARTED]
    assert (folder / "journal.torn-1").read_bytes() == b'{"seq":1'


def test_entries_behind_the_head_are_adopted(written: FileJournal, folder: Path) -> None:
    """A crash between line and head leaves the head behind; the entries were durable, so they count."""
    before = (folder / "journal.head").read_bytes()
    for _ in range(3):
        written.append(Event.STEP_INTENT, "run-2", {})
    (folder / "journal.head").write_bytes(before)
    assert written.verify().sound
    assert written.verify().entries == 6
    assert written.append(Event.STEP_INTENT, "run-2", {}).seq == 7
    assert written.verify().sound


def test_a_head_that_is_ahead_of_the_file_is_damage(written: FileJournal, folder: Path) -> None:
    """The head is written last: it can lag, and never lead."""
    journal = (folder / "journal.jsonl").read_bytes()
    written.append(Event.STEP_INTENT, "run-2", {})
    (folder / "journal.jsonl").write_bytes(journal)
    assert not written.verify().sound
    with pytest.raises(DamagedError, match="changed or cut"):
        written.append(Event.STEP_INTENT, "run-2", {})


def test_a_finished_line_that_lost_its_end_is_damage_and_not_torn(written: FileJournal, folder: Path) -> None:
    """The head knows that it was finished."""
    whole = (folder / "journal.jsonl").read_bytes()
    (folder / "journal.jsonl").write_bytes(whole[:-1])
    state = written.verify()
    assert not state.sound
    assert state.torn == ""
