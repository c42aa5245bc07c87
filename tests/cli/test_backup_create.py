"""`runbook backup create`, `list` and `verify` on a real node."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from command_line import WORDS, Output, complaint, document, plain_environment
from running_node import RunningNode, wait_until

from runbook.adapters.clock import SystemClock
from runbook.adapters.locks import FileLocks
from runbook.cli.root import run


@pytest.fixture(scope="module")
def filled(shared_node: RunningNode) -> RunningNode:
    """The shared node with some episodes."""
    for number in range(12):
        assert shared_node.remember(f"text number {number} of the shared node").status == 201
    shared_node.settle()
    return shared_node


def backups(state: Path) -> list[str]:
    """The names in the folder, hidden ones too, the newest last by name."""
    return sorted(path.name for path in (state / "backups").iterdir() if path.name != ".known")


def test_a_backup_is_written_read_back_and_journaled(
    filled: RunningNode, target: Path, state: Path, capsys: Output
) -> None:
    """It says that level 2 was reached; its journal checkpoint is where the journal stood before it."""
    assert run(["baseline", "capture", "--window", "1s", "--force"]) == 0
    capsys.readouterr()
    proof = document(capsys, "backup", "create")["data"]["proofs"][0]
    assert (proof["level"], proof["asked"]) == (2, 2)
    assert proof["backup"]["counts"]["episode"] == 12
    (name,) = backups(state)
    manifest = json.loads((state / "backups" / name / "MANIFEST.json").read_bytes())
    entries = document(capsys, "audit", "show")["data"]["entries"]
    assert manifest["journal"]["entries"] == 1
    assert [entry["event"] for entry in entries] == ["baseline.captured", "backup.created"]
    assert entries[1]["details"]["backup"] == name
    assert manifest["host"] == "prod-1"


def test_where_nothing_changed_the_newest_is_proven_again(
    filled: RunningNode, target: Path, state: Path, capsys: Output
) -> None:
    """A second one is not written; after a change it is, and comes first in the list whatever the clocks say."""
    first = document(capsys, "backup", "create")["data"]
    again = document(capsys, "backup", "create")["data"]
    assert (first["fresh"], again["fresh"]) == (True, False)
    assert again["proofs"][0]["backup"]["name"] == first["proofs"][0]["backup"]["name"]
    assert filled.remember("one more").status == 201
    second = document(capsys, "backup", "create")["data"]["proofs"][0]["backup"]
    assert second["parent"] == first["proofs"][0]["backup"]["name"]
    listed = document(capsys, "backup", "list")["data"]["backups"]
    assert [each["number"] for each in listed] == [2, 1]
    assert {each["level"] for each in listed} == {2}
    assert len(document(capsys, "backup", "verify", "--all")["data"]["proofs"]) == 2
    assert {each["level"] for each in document(capsys, "backup", "list")["data"]["backups"]} == {3}


def test_damage_is_named_and_remembered(filled: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """A changed byte is found at level 2; then the list knows it too, and the next backup does not build on it."""
    document(capsys, "backup", "create")
    (name,) = backups(state)
    shard = state / "backups" / name / "records-00000.ndjson.zst"
    good = shard.read_bytes()
    shard.write_bytes(bytes([*good[:-1], good[-1] ^ 1]))
    assert document(capsys, "backup", "list")["data"]["backups"][0]["damage"] == ""
    error = complaint(capsys, "backup", "verify", "--level", "2", expect=12)
    assert "records-00000.ndjson.zst" in error["message"]
    assert "records-00000" in document(capsys, "backup", "list", expect=3)["data"]["backups"][0]["damage"]
    created = document(capsys, "backup", "create")["data"]
    assert created["fresh"]
    assert created["proofs"][0]["backup"]["parent"] is None
    told = document(capsys, "backup", "verify", "--all", expect=12)["data"]
    assert (len(told["proofs"]), [each["name"] for each in told["failed"]]) == (1, [name])
    shard.write_bytes(good)
    document(capsys, "backup", "verify", name)
    document(capsys, "backup", "list")


@pytest.mark.parametrize("place", ["shard", "manifest", "folder", "backup"])
def test_a_symbolic_link_is_not_followed(
    place: str, filled: RunningNode, target: Path, state: Path, capsys: Output
) -> None:
    """In place of a shard, the manifest, the folder or a backup."""
    document(capsys, "backup", "create")
    (name,) = backups(state)
    folder = state / "backups"
    path = {
        "shard": folder / name / "records-00000.ndjson.zst",
        "manifest": folder / name / "MANIFEST.json",
        "folder": folder,
        "backup": folder / name,
    }[place]
    aside = state / "aside"
    path.rename(aside)
    path.symlink_to(aside)
    if place == "folder":
        complaint(capsys, "backup", "list", expect=13)
        complaint(capsys, "backup", "create", expect=13)
    else:
        assert document(capsys, "backup", "list", expect=3)["data"]["backups"][0]["damage"]
        complaint(capsys, "backup", "verify", expect=16 if place == "manifest" else 12)


def test_a_folder_where_everybody_may_write(target: Path, state: Path, capsys: Output) -> None:
    """Refused before anything is read from it."""
    folder = state / "open"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    for command in ("create", "list", "verify", "prune"):
        assert "chmod o-w" in complaint(capsys, "backup", command, "--folder", str(folder), expect=13)["hint"]
    assert list(folder.iterdir()) == []


def test_two_shards_that_were_swapped(filled: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """A shard of one backup in the place of another's of the same name."""
    document(capsys, "backup", "create")
    assert filled.remember("something else entirely").status == 201
    document(capsys, "backup", "create", "--parent", "none")
    first, second = (state / "backups" / name / "records-00000.ndjson.zst" for name in backups(state))
    first.rename(state / "aside")
    second.rename(first)
    (state / "aside").rename(second)
    assert {each["damage"] != "" for each in document(capsys, "backup", "list", expect=3)["data"]["backups"]} == {True}
    complaint(capsys, "backup", "verify", "--level", "1", expect=12)


def test_one_writer(filled: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """A second one names the holder and ends with 11 at once; with --wait it goes on when the first has ended."""
    locks = FileLocks(state / "backups", SystemClock(), "ada", "there")
    command = [*WORDS, "backup", "create", "--wait"]
    environment = plain_environment(state) | {"RUNBOOK_CONFIG": os.environ["RUNBOOK_CONFIG"]}
    with locks.hold("backups", "r1"):
        assert "ada on there" in complaint(capsys, "backup", "create", expect=11)["message"]
        waiting = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert waiting.stderr is not None
        assert "waiting" in waiting.stderr.readline()
        assert waiting.poll() is None
    out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, err
    assert "level 2 reached" in out


def test_killed_it_leaves_nothing_that_is_a_backup(
    filled: RunningNode, target: Path, state: Path, capsys: Output
) -> None:
    """Killed while it waits for the node, which was stopped: a hidden draft at most, and the next run clears it up."""
    document(capsys, "backup", "create")
    assert filled.remember("before the kill").status == 201
    (before,) = backups(state)
    environment = plain_environment(state) | {"RUNBOOK_CONFIG": os.environ["RUNBOOK_CONFIG"]}
    for number in (signal.SIGKILL, signal.SIGTERM):
        (state / "backups" / ".0123456789ab.draft").mkdir()
        os.kill(filled.pid, signal.SIGSTOP)
        try:
            process = subprocess.Popen([*WORDS, "backup", "create"], env=environment, stderr=subprocess.DEVNULL)
            wait_until(lambda: len(backups(state)) > 1 and ".0123456789ab.draft" not in backups(state), "it began")
            process.send_signal(number)
            assert process.wait(timeout=60) == (-9 if number is signal.SIGKILL else 143)
        finally:
            os.kill(filled.pid, signal.SIGCONT)
        assert [name for name in backups(state) if name.endswith(".backup")] == [before]
    assert document(capsys, "backup", "create")["data"]["fresh"]
    assert [name for name in backups(state) if name.endswith(".draft")] == []


def test_bad_words(filled: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """Each with its own code."""
    assert "no node" in complaint(capsys, "backup", "create", "--node", "x", expect=2)["message"]
    assert complaint(capsys, "backup", "create", "--parent", "x", expect=2)["hint"]
    assert complaint(capsys, "backup", "create", "--encrypt-to", "age1x", expect=2)["hint"]
    assert complaint(capsys, "backup", "create", "--target", "gone", expect=10)["message"]
    assert complaint(capsys, "backup", "verify", expect=2)["hint"]
    assert complaint(capsys, "backup", "verify", "x", "--all", expect=2)["hint"]
    assert complaint(capsys, "backup", "verify", "../x", expect=2)["hint"]
    assert not [name for name in backups(state) if name.endswith((".backup", ".draft"))]


def test_the_token_is_nowhere(filled: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """Not in what is printed, the manifest, the journal or what lies beside."""
    assert run(["backup", "create", "--progress", "json"]) == 0
    told = capsys.readouterr()
    assert filled.token not in told.out + told.err
    for path in state.rglob("*"):
        assert path.is_dir() or filled.token.encode() not in path.read_bytes(), path
