"""The command line of drills: what it refuses before anything is started, and the training record."""

import json
import subprocess
from pathlib import Path

import pytest
from command_line import WORDS, Output, complaint, document, plain_environment

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.cli.root import run
from runbook.cli.scratch import PREFIX, check_room
from runbook.engine.drill_record import ended_details
from runbook.errors import StorageError
from runbook.model.drill import Phase, Rehearsal
from runbook.model.journal import Event

ISSUE = "high-formation-rate"


@pytest.fixture
def temporary(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a drill would make its folder."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_a_damaged_journal_is_told_before_a_fleet_is_started(temporary: Path, state: Path, capsys: Output) -> None:
    """12, as everywhere."""
    state.mkdir()
    (state / "journal.jsonl").write_bytes(b"garbage\n")
    assert complaint(capsys, "drill", ISSUE, expect=12)["hint"]
    assert list(temporary.iterdir()) == []
    complaint(capsys, "drill", "report", expect=12)


def test_a_disk_without_room_is_told_before_a_fleet_is_started(temporary: Path, state: Path) -> None:
    """A limit on file sizes refuses the journal's first write: 16, and no folder was made."""
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 0; exec "$@"', "bash", *WORDS, "drill", ISSUE],
        env=plain_environment(state) | {"TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 16, done.stderr
    assert "hint: " in done.stderr
    assert list(temporary.glob(f"{PREFIX}*")) == []


def test_a_fleet_that_does_not_fit_is_refused_with_both_figures(temporary: Path) -> None:
    """Before it is started: what is free, and what so many nodes may take."""
    check_room(1)
    with pytest.raises(
        StorageError, match=r"no room for scratch nodes: \d+ MB are free in .*, 1000000000 nodes may take"
    ):
        check_room(10**9)


@pytest.mark.parametrize(
    "words", [["--nodes", "0"], ["--nodes", "21"], ["--watch", "3s"], ["--window", "0s"], ["--yes"]]
)
def test_bad_values_are_usage_errors(words: list[str], temporary: Path, capsys: Output) -> None:
    """Exit 2, and nothing was recorded."""
    assert run(["drill", ISSUE, *words]) == 2
    assert capsys.readouterr().out == ""
    assert document(capsys, "audit", "show")["data"] == {"entries": []}


def test_a_typo_names_what_was_meant(capsys: Output) -> None:
    """Among the issues, which are found by walking."""
    assert run(["drill", "high-formation-rat"]) == 2
    assert ISSUE in capsys.readouterr().err


def test_the_training_record_of_an_empty_journal(state: Path, capsys: Output) -> None:
    """Everything is there to be rehearsed, nothing was; required, that is 3. Nothing is made on disk."""
    data = document(capsys, "drill", "report")["data"]
    assert data["drills"] == []
    assert {ISSUE, "rollback"} <= {each["issue"] for each in data["standings"]}
    assert document(capsys, "drill", "report", "--require", "30d", expect=3)["data"]["overdue"]
    assert run(["drill", "report", "--since", "90d"]) == 0
    assert "No drill is recorded." in capsys.readouterr().out
    assert not state.exists()


def test_the_training_record_of_two_people(state: Path, capsys: Output) -> None:
    """One passed, the other has not yet; text that could drive a terminal is shown and not sent."""
    drill = {"id": "d1", "issue": ISSUE, "fault": "f", "nodes": 3, "reason": "\x1b[2J game day", "versions": {}}
    passed, failed = Rehearsal((Phase("detect", 5.0, 90.0),)), Rehearsal((), ("not detected: node-1",))
    for who, name, rehearsal in (("anna", "d1", passed), ("ben", "d2", failed)):
        journal = FileJournal(state, SystemClock(), who, "bastion")
        journal.append(Event.DRILL_STARTED, name, drill | {"id": name})
        journal.append(Event.DRILL_ENDED, name, ended_details(rehearsal))
    data = document(capsys, "drill", "report")["data"]
    assert [(each["who"], each["outcome"]) for each in data["drills"]] == [("anna", "passed"), ("ben", "failed")]
    mine = document(capsys, "drill", "report", "--person", "ben", "--require", "1d", expect=3)["data"]
    assert ISSUE in mine["overdue"]
    assert len(mine["drills"]) == 1
    hers = document(capsys, "drill", "report", "--person", "anna", "--require", "1d", expect=3)["data"]
    assert ISSUE not in hers["overdue"]
    assert document(capsys, "drill", "report", "--since", "0s")["data"]["drills"] == []
    assert run(["drill", "report"]) == 0
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert r"reason: \x1b[2J game day" in told
    assert "not detected: node-1" in told
    assert json.dumps(data)
