"""What a rollback says while the journal refuses: kept in a second place, and adopted exactly once."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.adapters.journal.second import SecondPlace
from runbook.engine.history import runs_of
from runbook.errors import DamagedError, LockedError, StorageError
from runbook.model.journal import Event, original

FULL_DISK = """
import resource, sys
from pathlib import Path
from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.adapters.journal.second import SecondPlace
from runbook.errors import StorageError
from runbook.model.journal import Event
folder = Path(sys.argv[1])
journal = FileJournal(folder, SystemClock(), "anna", "bastion", second=SecondPlace(folder, [folder / "second"]))
journal.append(Event.STEP_INTENT, "run-1", {"filling": "x" * 5000})
size = (folder / "journal.jsonl").stat().st_size
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size, unlimited[1]))
try:
    journal.append(Event.RUN_ENDED, "run-1", {})
    sys.exit("it fitted")
except StorageError as error:
    journal.rescue(Event.RUN_ENDED, "run-1", {"status": "done"}, error.message)
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
journal.append(Event.BASELINE_CAPTURED, "", {})
print([entry.event.value for entry in journal.entries()], journal.verify().sound, journal.verify().waiting)
"""


@pytest.fixture
def places(tmp_path: Path) -> list[Path]:
    """Two second places, not made yet."""
    return [tmp_path / "first", tmp_path / "other"]


@pytest.fixture
def kept(folder: Path, places: list[Path]) -> FileJournal:
    """A journal with one entry, and two more that it refused."""
    journal = FileJournal(folder, SystemClock(), "anna", "bastion", second=SecondPlace(folder, places))
    journal.append(Event.BASELINE_CAPTURED, "", {})
    journal.rescue(Event.STEP_INTENT, "run-1", {"step": 1, "token": "hush-hush"}, "no space is left")
    journal.rescue(Event.RUN_ENDED, "run-1", {"status": "done"}, "no space is left")
    return journal


def events(journal: FileJournal) -> list[Event]:
    """What the chain holds."""
    return [entry.event for entry in journal.entries()]


def test_the_next_entry_adopts_what_waits_in_order(kept: FileJournal, places: list[Path]) -> None:
    """As entries of the chain, with the original inside: who, when, what, and why it waited; without secrets."""
    assert kept.verify().waiting == 2
    kept.append(Event.BASELINE_CAPTURED, "", {})
    adopted = Event.JOURNAL_ADOPTED
    assert events(kept) == [Event.BASELINE_CAPTURED, adopted, adopted, Event.BASELINE_CAPTURED]
    assert kept.verify().sound
    assert kept.verify().waiting == 0
    entries = list(kept.entries())
    assert [original(entry).event for entry in entries[1:3]] == [Event.STEP_INTENT, Event.RUN_ENDED]
    assert original(entries[2]).details == {"status": "done"}
    assert entries[1].details["why"] == "no space is left"
    assert "hush" not in json.dumps(entries[1].details)
    assert list(places[0].iterdir()) == []


def test_it_is_adopted_once_even_where_the_adopter_was_killed_before_it_forgot(
    kept: FileJournal, folder: Path, places: list[Path]
) -> None:
    """The file that a kill leaves behind is known by its id."""
    left = {path: path.read_bytes() for path in places[0].iterdir()}
    assert kept.adopt() == 2
    for path, raw in left.items():
        path.write_bytes(raw)
    again = FileJournal(folder, SystemClock(), "anna", "bastion", second=SecondPlace(folder, places))
    again.append(Event.BASELINE_CAPTURED, "", {})
    assert events(again).count(Event.JOURNAL_ADOPTED) == 2
    assert list(places[0].iterdir()) == []


def test_a_damaged_journal_gives_way_to_a_new_one_which_adopts(kept: FileJournal, folder: Path) -> None:
    """Nothing that waited is lost by setting the old one aside."""
    (folder / "journal.jsonl").write_bytes((folder / "journal.jsonl").read_bytes()[:-9])
    with pytest.raises(DamagedError):
        kept.append(Event.BASELINE_CAPTURED, "", {})
    assert kept.verify().waiting == 2
    kept.set_aside("damaged")
    kept.append(Event.BASELINE_CAPTURED, "", {})
    assert events(kept).count(Event.JOURNAL_ADOPTED) == 2


def test_a_full_disk_for_real(tmp_path: Path) -> None:
    """The kernel refuses the journal and takes the second place; later all of it is there, in order."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "['step.intent', 'journal.adopted', 'baseline.captured'] True 0\n"


def test_a_run_can_be_known_from_the_second_place_only(kept: FileJournal) -> None:
    """Before it is adopted, and after."""
    plan = {
        "id": "run-9",
        "command": "rollback features",
        "issue": "rollback",
        "target": "t",
        "reason": "",
        "steps": [],
    }
    kept.rescue(Event.RUN_STARTED, "run-9", {"plan": plan}, "full")
    assert "run-9" in runs_of([*kept.entries(), *kept.waiting()])
    assert "run-9" in {entry.run for entry in kept.fresh()}
    kept.adopt()
    assert "run-9" in runs_of(kept.entries())


@pytest.mark.parametrize("trap", ["link", "open to others", "a file"])
def test_a_place_that_could_be_somebody_elses_is_not_used(folder: Path, places: list[Path], trap: str) -> None:
    """Whoever may write to /var/tmp may have been there first."""
    if trap == "link":
        (places[0].parent / "elsewhere").mkdir(mode=0o700)
        places[0].symlink_to(places[0].parent / "elsewhere")
    elif trap == "a file":
        places[0].touch()
    else:
        places[0].mkdir()
        places[0].chmod(0o755)
    second = SecondPlace(folder, places)
    journal = FileJournal(folder, SystemClock(), "anna", "bastion", second=second)
    assert Path(journal.rescue(Event.RUN_ENDED, "run-1", {}, "full")).parent == places[1]
    assert [each.path.parent for each in second.waiting()] == [places[1]]
    assert Path(places[1]).stat().st_mode & 0o777 == 0o700


def test_where_no_place_takes_it_that_is_said(folder: Path, tmp_path: Path) -> None:
    """Then the entry can only be told."""
    (tmp_path / "taken").touch()
    second = SecondPlace(folder, [tmp_path / "taken", tmp_path / "no" / "way"])
    journal = FileJournal(folder, SystemClock(), "anna", "bastion", second=second)
    with pytest.raises(StorageError):
        journal.rescue(Event.RUN_ENDED, "run-1", {}, "full")


def test_what_does_not_read_is_kept_as_text_and_a_pipe_does_not_hang(kept: FileJournal, places: list[Path]) -> None:
    """A file that was damaged is adopted as what it is; what is no file is left alone."""
    damaged = min(places[0].iterdir())
    damaged.write_bytes(b"half an ent")
    os.mkfifo(places[0] / damaged.name.replace("-00000001-", "-00000009-"))
    kept.append(Event.BASELINE_CAPTURED, "", {})
    first, second = (entry for entry in kept.entries() if entry.event is Event.JOURNAL_ADOPTED)
    assert first.details["text"] == "half an ent"
    assert original(second).event is Event.RUN_ENDED


def test_an_entry_of_a_newer_version_is_kept_whole(kept: FileJournal, places: list[Path]) -> None:
    """Its file goes when it is adopted, so that the journal must hold all of it."""
    path = next(places[0].glob("*"))
    body = json.loads(path.read_text()) | {
        "event": "run.improved",
        "details": {"why": "", "details": {"x": "y" * 9000}},
    }
    del body["hash"]
    raw = json.dumps(body, separators=(",", ":")).encode()[:-1]
    path.write_bytes(raw + b',"hash":"%s"}\n' % hashlib.sha256(raw).hexdigest().encode())
    kept.adopt()
    texts = [entry.details["text"] for entry in kept.entries() if entry.details.get("text")]
    assert [text for text in texts if "run.improved" in text and "y" * 9000 in text], texts
    assert not path.exists()


def test_folders_of_other_state_are_not_mixed_up(kept: FileJournal, places: list[Path], tmp_path: Path) -> None:
    """One person, two state folders, one second place."""
    other = FileJournal(tmp_path / "b", SystemClock(), "anna", "bastion", second=SecondPlace(tmp_path / "b", places))
    assert other.adopt() == 0
    assert kept.verify().waiting == 2


def test_neither_reading_nor_writing_outlasts_its_patience(folder: Path) -> None:
    """A process that was stopped in the middle of an append holds up a rollback for a moment only."""
    FileJournal(folder, SystemClock(), "anna", "bastion").append(Event.BASELINE_CAPTURED, "", {})
    hasty = FileJournal(folder, SystemClock(), "anna", "bastion", patience=0.1)
    with (folder / "journal.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        begun = time.monotonic()
        for hold in (lambda: list(hasty.entries()), lambda: list(hasty.fresh()), hasty.verify):
            with pytest.raises(LockedError):
                hold()
        assert time.monotonic() - begun < 3
