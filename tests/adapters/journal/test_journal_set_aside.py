"""The way out of a damaged journal: nothing is lost, and the new journal knows the old one."""

import hashlib
from pathlib import Path

import pytest

from runbook.adapters.journal import FileJournal
from runbook.errors import RefusedError
from runbook.model.journal import Event

WAYS_TO_DAMAGE = {
    "edited": lambda folder: (folder / "journal.jsonl").write_bytes(
        (folder / "journal.jsonl").read_bytes().replace(b"0.05", b"0.06")
    ),
    "cut": lambda folder: (folder / "journal.jsonl").write_bytes(b""),
    "gone": lambda folder: (folder / "journal.jsonl").unlink(),
    "no head": lambda folder: (folder / "journal.head").unlink(),
    "no key": lambda folder: (folder / "journal.key").unlink(),
    "key of another length": lambda folder: (folder / "journal.key").write_bytes(b"short"),
    "nothing but the key": lambda folder: [(folder / f"journal.{end}").unlink() for end in ("jsonl", "head")],
}


@pytest.mark.parametrize("way", WAYS_TO_DAMAGE)
def test_after_it_appending_works_and_the_first_entry_tells_of_the_old_journal(
    written: FileJournal, folder: Path, way: str
) -> None:
    """Its SHA-256, its damage, the reason; the old bytes are kept."""
    WAYS_TO_DAMAGE[way](folder)
    old = (folder / "journal.jsonl").read_bytes() if (folder / "journal.jsonl").exists() else b""
    entry = written.set_aside("disk replaced")
    assert (entry.seq, entry.event, entry.who) == (1, Event.JOURNAL_STARTED, "anna")
    assert entry.details["reason"] == "disk replaced"
    assert entry.details["sha256"] == hashlib.sha256(old).hexdigest()
    assert entry.details["damage"]
    if entry.details["set_aside"]:
        assert (folder / entry.details["set_aside"]).read_bytes() == old
    assert written.append(Event.RUN_STARTED, "run-2", {}).seq == 2
    assert written.verify().sound


def test_a_sound_journal_is_not_set_aside(written: FileJournal) -> None:
    """History is not put out of sight for convenience (exit code 13)."""
    with pytest.raises(RefusedError, match="sound"):
        written.set_aside("to hide something")


def test_where_there_is_no_journal_nothing_is_set_aside(journal: FileJournal) -> None:
    """And none is begun by trying."""
    with pytest.raises(RefusedError, match="no journal"):
        journal.set_aside("why not")
    assert list(journal.entries()) == []


def test_a_journal_set_aside_half_way_can_be_set_aside_again(written: FileJournal, folder: Path) -> None:
    """A crash between the new journal and its head leaves the old head: still damaged, still a way out."""
    head = (folder / "journal.head").read_bytes()
    WAYS_TO_DAMAGE["edited"](folder)
    written.set_aside("first try")
    (folder / "journal.head").write_bytes(head)
    assert not written.verify().sound
    written.set_aside("second try")
    assert written.verify().sound
    assert len(list(folder.glob("journal.aside-*.jsonl"))) == 2
