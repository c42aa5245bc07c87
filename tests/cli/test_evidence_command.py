"""`runbook evidence show` and `verify`, and `runbook runs --evidence`, on a bundle in a folder."""

import shutil
import sys
from pathlib import Path

import pytest
from command_line import Output, complaint, document

from runbook.adapters.archives.vault import FolderVault
from runbook.adapters.clock import SystemClock
from runbook.adapters.evidence_shelf import FolderShelf
from runbook.adapters.journal import FileJournal
from runbook.adapters.journal.redaction import clean
from runbook.cli.rollout.evidence import backups_named
from runbook.cli.root import run
from runbook.model.journal import Event

sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))
from evidence_scene import ROLLOUT, judged_twice


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a rollout that was judged twice."""
    return Path(judged_twice().write(FolderShelf(tmp_path_factory.mktemp("elsewhere"), clean)))


@pytest.fixture
def bundle(original: Path, tmp_path: Path) -> Path:
    """A copy of it, as somebody would be handed it."""
    return Path(shutil.copytree(original, tmp_path / "handed over"))


def test_it_is_proven_without_a_fleet_and_without_a_state_folder(bundle: Path, state: Path, capsys: Output) -> None:
    """It says how many verdicts were come to again, and that they agree; nothing is made by looking."""
    assert run(["evidence", "verify", str(bundle)]) == 0
    told = capsys.readouterr().out
    assert "2 of 2 verdicts were come to again from the plan and the rows, and agree." in told
    data = document(capsys, "evidence", "verify", str(bundle))["data"]
    assert [(look["journaled"], look["found"]) for look in data["proven"]["looks"]] == [("harm", "harm")] * 2
    assert not state.exists() or not any(state.iterdir())


def test_it_is_shown(bundle: Path, capsys: Output) -> None:
    """The rollout, each look, who approved, the backups, the self-test."""
    assert run(["evidence", "show", str(bundle)]) == 0
    told = capsys.readouterr().out
    for word in (ROLLOUT, "look 2", "harm", "anna", "old-backup", "splits by chance"):
        assert word in told
    assert document(capsys, "evidence", "show", str(bundle))["data"]["shown"]["backups"][0]["name"] == "old-backup"


def test_a_changed_byte_a_strange_file_and_a_missing_bundle_each_have_their_code(bundle: Path, capsys: Output) -> None:
    """12 with the file and what is wrong with it; 2 where there is nothing."""
    cells = bundle / "cells.jsonl"
    raw = bytearray(cells.read_bytes())
    raw[100] ^= 1
    cells.write_bytes(bytes(raw))
    told = complaint(capsys, "evidence", "verify", str(bundle), expect=12)["message"]
    assert f"{bundle}/cells.jsonl: its SHA-256 is" in told
    complaint(capsys, "evidence", "show", str(bundle), expect=12)
    complaint(capsys, "evidence", "verify", str(bundle / "nowhere"), expect=2)


def test_where_no_evidence_was_written_yet_its_name_is_empty_and_no_folder(capsys: Output) -> None:
    """`verify "$(runbook runs --last --evidence)"` does not prove whatever lies in the current folder."""
    for what in ("show", "verify"):
        assert "no bundle" in complaint(capsys, "evidence", what, "", expect=2)["message"]


def test_the_journal_at_hand_has_to_know_it(bundle: Path, state: Path, capsys: Output) -> None:
    """Another machine's journal does not."""
    FileJournal(state, SystemClock(), "anna", "bastion").append(Event.BASELINE_CAPTURED, "", {})
    told = complaint(capsys, "evidence", "verify", "--journal", str(bundle), expect=12)["message"]
    assert "journal.jsonl: the journal at hand has other lines in that place" in told


def test_the_newest_bundle_is_named_by_runs(state: Path, capsys: Output) -> None:
    """For `evidence verify "$(...)"`; 4 and nothing on stdout where there is none."""
    assert run(["runs", "--last", "--evidence"]) == 4
    assert capsys.readouterr().out == ""
    journal = FileJournal(state, SystemClock(), "anna", "bastion")
    for name in ("one", "two"):
        journal.append(Event.EVIDENCE_WRITTEN, ROLLOUT, {"folder": f"/evidence/{name}", "name": name, "manifest": "x"})
    assert run(["runs", "--last", "--evidence"]) == 0
    assert capsys.readouterr().out == "/evidence/two\n"
    assert document(capsys, "runs", "--evidence")["data"] == {"folders": ["/evidence/one", "/evidence/two"]}


def test_backups_that_were_counted_on_are_told_as_their_manifests_tell(
    target: Path, state: Path, capsys: Output
) -> None:
    """Of one that is not on this machine the name alone is known, and that is said."""
    document(capsys, "backup", "create")
    vault = FolderVault(state / "backups")
    (made,) = vault.shelf()
    told = backups_named(vault, [made.name, "elsewhere.backup"])
    assert (told[0]["name"], told[0]["seal"], told[0]["level"]) == (made.name, made.seal, 2)
    assert told[1] == {"name": "elsewhere.backup", "not_read": "it is not here"}
