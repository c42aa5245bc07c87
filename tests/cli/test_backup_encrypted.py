"""Backups that only who has an identity can read."""

import json
import os
import threading
from pathlib import Path

import pyrage
import pytest
from backup_scene import created, forget, has, remembered
from command_line import Output, complaint, document
from running_node import RunningNode

WORDS = "the very secret words of this episode"


@pytest.fixture
def identity(tmp_path: Path) -> tuple[Path, str]:
    """A file of an identity, and its recipient."""
    key = pyrage.x25519.Identity.generate()
    file = tmp_path / "identity.txt"
    file.write_text(f"# created by a test\n{key}\n")
    file.chmod(0o600)
    return file, str(key.to_public())


def proof(capsys: Output, *words: str, expect: int = 0) -> dict[str, object]:
    """What a verification proves."""
    found: dict[str, object] = document(capsys, "backup", "verify", *words, expect=expect)["data"]["proofs"][0]
    return found


def test_the_way_there_and_back(
    shared_node: RunningNode, identity: tuple[Path, str], target: Path, state: Path, capsys: Output
) -> None:
    """No word of it is readable; without the identity level 1 is reached, with it 3 and 4, and a restore."""
    file, recipient = identity
    id_, gone = remembered(shared_node, WORDS), remembered(shared_node, "to be forgotten")
    name = created(capsys, "--encrypt-to", recipient)
    folder = state / "backups" / name
    assert (folder / "records-00000.ndjson.zst.age").read_bytes().startswith(b"age-encryption.org/v1")
    for path in state.rglob("*"):
        assert path.is_dir() or b"secret words" not in path.read_bytes()
    manifest = json.loads((folder / "MANIFEST.json").read_bytes())
    assert manifest["encryption"]["recipients"] == [recipient]
    assert id_ not in json.dumps(manifest)
    assert manifest["parts"][0]["shards"][0]["first"] == ["-", "-", "-"]
    blind = proof(capsys, "--level", "3", expect=4)
    assert blind["level"] == 1
    assert "--identity" in str(blind["why_not"])
    for level in ("2", "3", "4"):
        assert proof(capsys, "--level", level, "--identity", str(file))["level"] == int(level)
    complaint(capsys, "backup", "restore", name, "--reason", "x", expect=13)
    forget(shared_node, id_)
    words = ("--identity", str(file), "--activate", "--yes", "--reason", "x")
    forget(shared_node, gone)
    assert document(capsys, "backup", "restore", name, *words)["data"]["held_back"] == {"episode": 2}
    assert not has(shared_node, id_)


def test_an_identity_that_comes_late_through_a_pipe(
    shared_node: RunningNode, identity: tuple[Path, str], target: Path, capsys: Output
) -> None:
    """As `--identity <(pass show backups)` gives it: it is waited for."""
    file, recipient = identity
    remembered(shared_node, "kept by another program")
    name = created(capsys, "--encrypt-to", recipient)
    given, write = os.pipe()
    late = threading.Timer(0.3, lambda: (os.write(write, file.read_bytes()), os.close(write)))
    late.start()
    assert proof(capsys, name, "--level", "3", "--identity", f"/dev/fd/{given}")["level"] == 3
    late.join()
    os.close(given)


def test_damage_of_one_is_the_answer_for_all(
    shared_node: RunningNode, identity: tuple[Path, str], target: Path, state: Path, capsys: Output
) -> None:
    """Although another one, tried before, could only not be opened."""
    file, _ = identity
    closed = created(capsys, "--encrypt-to", str(pyrage.x25519.Identity.generate().to_public()))
    damaged = created(capsys)
    (state / "backups" / damaged / "records-00000.ndjson.zst").unlink()
    words = (closed, damaged, "--level", "2", "--identity", str(file))
    document(capsys, "backup", "verify", *words, expect=12)


def test_unchanged_shards_are_shared_for_the_same_eyes_only(
    shared_node: RunningNode, identity: tuple[Path, str], target: Path, state: Path, capsys: Output
) -> None:
    """The encrypted bytes differ whenever they are made; what they hold does not. Another recipient shares nothing."""
    _, recipient = identity
    other = str(pyrage.x25519.Identity.generate().to_public())
    remembered(shared_node, "one")
    first = created(capsys, "--encrypt-to", recipient)
    assert not document(capsys, "backup", "create", "--encrypt-to", recipient)["data"]["fresh"]
    shard = state / "backups" / first / "records-00000.ndjson.zst.age"
    again = created(capsys, "--encrypt-to", recipient, "--encrypt-to", other)
    assert shard.stat().st_nlink == 1
    (state / "backups" / again).rename(state / "backups" / ".aside")
    # the same content under another snapshot: a text that comes and goes
    forget(shared_node, remembered(shared_node, "here for a moment"))
    shared_node.settle()
    child = created(capsys, "--encrypt-to", recipient)
    assert (state / "backups" / child / shard.name).stat().st_ino == shard.stat().st_ino
    assert shard.stat().st_nlink == 2


def test_another_identity_and_a_changed_byte(
    shared_node: RunningNode, identity: tuple[Path, str], target: Path, state: Path, tmp_path: Path, capsys: Output
) -> None:
    """13 for the wrong key, 12 for damage, 2 for no key at all, 13 for one that others can read."""
    file, recipient = identity
    remembered(shared_node, "another")
    name = created(capsys, "--encrypt-to", recipient)
    other = tmp_path / "other.txt"
    other.write_text(f"{pyrage.x25519.Identity.generate()}\n")
    assert "chmod 600" in complaint(capsys, "backup", "verify", "--identity", str(other), expect=13)["hint"]
    other.chmod(0o600)
    assert (
        "none of the identities"
        in complaint(capsys, "backup", "verify", "--identity", str(other), expect=13)["message"]
    )
    other.write_text("AGE-SECRET-KEY-1NONSENSE")
    error = complaint(capsys, "backup", "verify", "--identity", str(other), expect=2)
    assert "NONSENSE" not in error["message"] + error["hint"]
    complaint(capsys, "backup", "verify", "--identity", str(tmp_path / "none"), expect=2)
    said = complaint(capsys, "backup", "create", "--encrypt-to", "AGE-SECRET-KEY-1CANARY", expect=2)
    assert "CANARY" not in json.dumps(said)
    shard = state / "backups" / name / "records-00000.ndjson.zst.age"
    good = shard.read_bytes()
    for place in (5, 60, len(good) // 2, len(good) - 1):
        shard.write_bytes(bytes([*good[:place], good[place] ^ 1, *good[place + 1 :]]))
        complaint(capsys, "backup", "verify", "--level", "2", expect=12)
        complaint(capsys, "backup", "verify", "--identity", str(file), expect=12)
