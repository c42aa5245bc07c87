"""`runbook audit` as a person and as a script sees it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.cli.root import run
from runbook.material import schema
from runbook.model.journal import Event

Output = pytest.CaptureFixture[str]


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileJournal:
    """Two runs, in the state folder of the command line."""
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path))
    made = FileJournal(tmp_path, SystemClock(), "anna", "bastion")
    made.append(Event.RUN_STARTED, "run-1", {"plan": {"target": "sandbox"}})
    made.append(Event.STEP_INTENT, "run-1", {"step": 1, "key": "dual_memory.concept_sample_rate", "done": True})
    made.append(Event.RUN_ENDED, "run-2", {"message": "\x1b[2Jgone"})
    return made


def damage(folder: Path) -> None:
    """Flip one byte of the second line."""
    path = folder / "journal.jsonl"
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"\n") + 40] ^= 1
    path.write_bytes(raw)


def document(output: Output) -> dict[str, object]:
    """The JSON on stdout, which fits the schema of reports."""
    found: dict[str, object] = json.loads(output.readouterr().out)
    Draft202012Validator(schema("report.v1")).validate(found)
    return found


def test_a_sound_journal_is_0_and_one_flipped_byte_is_12(journal: FileJournal, tmp_path: Path, capsys: Output) -> None:
    """And the place is printed, with the way out."""
    assert run(["audit", "verify"]) == 0
    assert "sound" in capsys.readouterr().out
    damage(tmp_path)
    assert run(["audit", "verify"]) == 12
    told = capsys.readouterr().out
    assert "line 2, byte" in told
    assert "set-aside" in told


def test_verify_as_json_names_every_damage(journal: FileJournal, tmp_path: Path, capsys: Output) -> None:
    """For a script that watches the journal."""
    assert run(["audit", "verify", "--json"]) == 0
    sound = document(capsys)
    assert (sound["kind"], sound["exit_code"]) == ("audit", 0)
    damage(tmp_path)
    assert run(["audit", "verify", "--json"]) == 12
    damaged = document(capsys)
    assert damaged["exit_code"] == 12
    assert damaged["data"]["sound"] is False  # type: ignore[index]  # the schema says that it is an object
    assert [each["line"] for each in damaged["data"]["damage"]] == [2]  # type: ignore[index]  # as above


def test_show_tells_who_did_what_and_cannot_be_used_to_move_the_cursor(journal: FileJournal, capsys: Output) -> None:
    """One entry a line; control characters are shown, not sent."""
    assert run(["audit", "show"]) == 0
    told = capsys.readouterr().out
    assert len(told.splitlines()) == 4
    assert "anna@bastion" in told
    assert "step=1 key=dual_memory.concept_sample_rate done=true" in told
    assert "\x1b" not in told


def test_show_can_be_narrowed(journal: FileJournal, capsys: Output) -> None:
    """To a run, and to the last entries."""
    assert run(["audit", "show", "--run", "run-1", "--last", "1", "--json"]) == 0
    (entry,) = document(capsys)["data"]["entries"]  # type: ignore[index]  # the schema says that it is an object
    assert (entry["seq"], entry["event"], entry["run"]) == (2, "step.intent", "run-1")
    assert run(["audit", "show", "--run", "run-9"]) == 2
    assert run(["audit", "show", "--last", "0"]) == 2


def test_show_prints_what_comes_before_the_damage(journal: FileJournal, tmp_path: Path, capsys: Output) -> None:
    """Then says where the damage is (12)."""
    damage(tmp_path)
    assert run(["audit", "show"]) == 12
    told = capsys.readouterr()
    assert "run.started" in told.out
    assert "step.intent" not in told.out
    assert "line 2, byte" in told.err


def test_set_aside_starts_a_new_journal_and_refuses_a_sound_one(
    journal: FileJournal, tmp_path: Path, capsys: Output
) -> None:
    """13 while it is sound, 2 without a reason, 0 when it is damaged; after that it is sound again."""
    assert run(["audit", "set-aside", "--reason", "why not"]) == 13
    assert run(["audit", "set-aside"]) == 2
    damage(tmp_path)
    capsys.readouterr()
    assert run(["audit", "set-aside", "--reason", "edited by hand", "--json"]) == 0
    assert "edited by hand" in json.dumps(document(capsys))
    assert run(["audit", "verify"]) == 0
    assert [entry.event for entry in journal.entries()] == [Event.JOURNAL_STARTED]


def test_without_a_journal_there_is_nothing_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """And looking makes no folder."""
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path / "state"))
    assert run(["audit", "verify"]) == 0
    assert run(["audit", "show"]) == 0
    assert not (tmp_path / "state").exists()


def test_as_a_process_in_the_plainest_of_locales(journal: FileJournal, tmp_path: Path) -> None:
    """LC_ALL=C and a reason in another encoding: recorded, not a crash."""
    damage(tmp_path)
    command = [sys.executable, "-m", "runbook", "audit", "set-aside", "--reason", b"caf\xe9"]
    done = subprocess.run(
        command, env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0"}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (entry,) = journal.entries()
    assert str(entry.details["reason"]).startswith("caf")
