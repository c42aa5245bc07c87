"""`runbook backup restore` on real nodes, and level 4 of `verify`."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from backup_scene import backups, created, drop_staging, environment_of, forget, generations, has, remembered
from command_line import WORDS, Output, complaint, document
from running_node import RunningNode, StartNode, wait_until
from whole_data import converted

from runbook.cli.root import run

YES = ("--activate", "--yes", "--reason", "test")


@pytest.fixture
def node(shared_node: RunningNode) -> Iterator[RunningNode]:
    """The shared node, with nothing that waits."""
    yield shared_node
    drop_staging(shared_node)


def staged(capsys: Output, *words: str) -> dict[str, object]:
    """What a restore tells."""
    data: dict[str, object] = document(capsys, "backup", "restore", *words, "--reason", "test")["data"]
    return data


def test_it_fills_a_generation_beside_what_is_served(
    node: RunningNode, target: Path, state: Path, capsys: Output
) -> None:
    """Nothing served changes; the same again finds it there; with --activate it is served, and the old one is kept."""
    old = remembered(node, "an old text")
    name = created(capsys)
    new = remembered(node, "a new text")
    before = generations(node)["active"]
    told = staged(capsys, name)
    assert (told["filled"], told["activated"], told["written_since"]) == (True, False, 1)
    assert generations(node)["active"] == before
    assert has(node, new)
    again = staged(capsys, name)
    assert (again["filled"], again["generation"]) == (False, told["generation"])
    served = staged(capsys, name, *YES)
    assert (served["activated"], served["kept"]) == (True, before["id"])
    assert generations(node)["kept"]["id"] == before["id"]
    assert (has(node, old), has(node, new)) == (True, False)
    entries = [(each["event"], each["details"].get("state")) for each in _journal(capsys)]
    assert entries[-4:] == [
        ("backup.restored", "intended"),
        ("backup.restored", "done"),
        ("data.activated", "intended"),
        ("data.activated", "done"),
    ]


def test_what_was_forgotten_stays_forgotten(node: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """Since the backup, and while the restored generation waited; and after an earlier restore, too."""
    early, late, kept = (remembered(node, text) for text in ("forgotten early", "forgotten late", "kept"))
    name = created(capsys)
    forget(node, early)
    assert staged(capsys, name)["held_back"] == {"episode": 1}
    forget(node, late)
    complaint(capsys, "backup", "restore", name, *YES, expect=13)  # what waits would bring it back
    told = staged(capsys, name, *YES, "--replace")
    assert told["held_back"] == {"episode": 2}
    assert [has(node, each) for each in (early, late, kept)] == [False, False, True]
    assert staged(capsys, name, *YES)["held_back"] == {"episode": 2}
    assert [has(node, each) for each in (early, late, kept)] == [False, False, True]


def test_a_backup_of_another_node(
    node: RunningNode, start_node: StartNode, target: Path, state: Path, capsys: Output
) -> None:
    """Refused, and nothing is touched; with --other-node it says that what was forgotten cannot be told."""
    id_ = remembered(node, "of the first node")
    name = created(capsys)
    other = start_node()
    host = {"engram_url": other.url, "engram_token_file": str(other.token_file)}
    (target / "gone.yml").write_text(json.dumps({"all": {"hosts": {"gone-1": host}}}))
    words = ("backup", "restore", name, "--target", "gone")
    assert "is of the node" in complaint(capsys, *words, *YES, expect=13)["message"]
    assert "staging" not in generations(other)
    told = document(capsys, *words, *YES, "--other-node")["data"]
    assert told["forgotten_unknown"]
    assert has(other, id_)


def test_damage_is_found_before_anything_else(node: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """12, and the node was not even asked: it may be dead."""
    remembered(node, "to be damaged")
    name = created(capsys)
    shard = state / "backups" / name / "records-00000.ndjson.zst"
    good = shard.read_bytes()
    shard.write_bytes(bytes([*good[:100], good[100] ^ 1, *good[101:]]))
    complaint(capsys, "backup", "restore", name, "--reason", "test", expect=12)
    assert "staging" not in generations(node)


def test_without_a_yes_nothing_is_switched(node: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """Nobody can be asked here."""
    remembered(node, "never switched")
    name = created(capsys)
    before = generations(node)
    complaint(capsys, "backup", "restore", name, "--activate", "--reason", "test", expect=13)
    assert generations(node) == before


def test_something_else_that_is_being_prepared(node: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """It is not touched without --replace."""
    remembered(node, "one")
    first = created(capsys)
    remembered(node, "two")
    second = created(capsys)
    waiting = staged(capsys, first)["generation"]
    assert "--replace" in complaint(capsys, "backup", "restore", second, "--reason", "x", expect=13)["hint"]
    assert generations(node)["staging"]["id"] == waiting
    assert staged(capsys, second, "--replace")["filled"]


def test_a_single_memory_with_its_residue(start_node: StartNode, target: Path, state: Path, capsys: Output) -> None:
    """Residue is backed up, restored and proven with the memories; what was forgotten is in neither."""
    node = start_node()
    host = {"engram_url": node.url, "engram_token_file": str(node.token_file)}
    (target / "gone.yml").write_text(json.dumps({"all": {"hosts": {"gone-1": host}}}))
    ids = [remembered(node, f"text {number}") for number in range(5)]
    node.settle()
    memories, residue = converted(node.admin("GET", "export?format=dual_memory").body, "single_memory", None)
    generation = node.admin("POST", "import", memories).json["generation"]
    assert node.admin("POST", f"import?generation={generation}", residue).status == 201
    sequence = generations(node)["active"]["sequence"]
    assert node.admin("POST", f"generations/{generation}/activate", {"if_sequence": sequence}).status == 200
    name = created(capsys, "--target", "gone")
    assert (state / "backups" / name / "residue-00000.ndjson.zst").exists()
    assert document(capsys, "backup", "verify", "--level", "4")["data"]["proofs"][0]["recall"]["share"] == 1.0
    forget(node, ids[2])
    told = document(capsys, "backup", "restore", name, "--target", "gone", *YES)["data"]
    assert told["held_back"] == {"memory": 1}
    assert [has(node, each) for each in ids] == [True, True, False, True, True]
    assert ids[2].encode() not in node.admin("GET", "export?format=residue").body
    assert backups(state) == [name]


def test_level_4_needs_no_node_of_the_target(node: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """A scratch node takes it in, gives it back, recalls the nearest, and is gone; the list knows."""
    for number in range(15):
        remembered(node, f"something about the number {number}")
    created(capsys)
    assert run(["backup", "verify", "--level", "4", "--progress", "none"]) == 0
    assert "recall@10 of the scratch node: 100.0%" in capsys.readouterr().out
    assert document(capsys, "backup", "list")["data"]["backups"][0]["level"] == 4


def _journal(capsys: Output) -> list[dict[str, dict[str, str]]]:
    found: list[dict[str, dict[str, str]]] = document(capsys, "audit", "show")["data"]["entries"]
    return found


def test_interrupted_it_tells_the_way_on(node: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """While the node does not answer: 130, nothing waits on the node, and the hint says what to do."""
    remembered(node, "before the interruption")
    name = created(capsys)
    os.kill(node.pid, signal.SIGSTOP)
    words = [*WORDS, "backup", "restore", name, "--reason", "test"]
    process = subprocess.Popen(words, env=environment_of(state), stderr=subprocess.PIPE, text=True)
    try:
        wait_until((state / "backups" / "backups.lock").exists, "it did not begin")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    finally:
        os.kill(node.pid, signal.SIGCONT)
    assert process.returncode == 130, told
    assert "the same command again" in told
    assert "staging" not in generations(node)
    again = ["backup", "restore", name, "--reason", "test", "--progress", "none"]
    # Its request for a lease may have reached the node, which then grants it to nobody: it runs out in a minute.
    wait_until(lambda: run(again) == 0, "the node stays locked", 90)
    assert generations(node)["staging"]
