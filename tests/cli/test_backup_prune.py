"""`runbook backup prune` and `pin`, on backups of a real node; and what a full disk does."""

import fcntl
import json
import os
import shutil
from pathlib import Path

from backup_scene import backups, created, environment_of, remembered
from command_line import Output, as_process, complaint, document
from running_node import RunningNode

ONE = ("--daily", "1", "--weekly", "0", "--monthly", "0")


def three(node: RunningNode, capsys: Output) -> list[str]:
    """Three backups, the oldest first."""
    found = []
    for number in range(3):
        remembered(node, f"text {number}")
        found.append(created(capsys))
    return found


def pruned(capsys: Output, *words: str) -> list[str]:
    """What goes, the newest first."""
    return [each["backup"]["name"] for each in document(capsys, "backup", "prune", *words)["data"]["removed"]]


def test_it_is_planned_and_then_done(shared_node: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """A plan changes nothing; --apply removes the oldest first, and what stays is whole; the journal has both."""
    first, second, third = three(shared_node, capsys)
    assert pruned(capsys, *ONE) == [second, first]
    assert backups(state) == sorted([first, second, third])
    assert pruned(capsys, *ONE, "--apply") == [second, first]
    assert backups(state) == [third]
    assert document(capsys, "backup", "verify")["data"]["proofs"][0]["backup"]["name"] == third
    assert pruned(capsys, "--daily", "0", "--weekly", "0", "--monthly", "0", "--apply") == []
    entries = document(capsys, "audit", "show")["data"]["entries"]
    assert [each["details"]["done"] for each in entries if each["event"] == "backup.pruned"] == [False, True]


def test_a_pinned_one_stays(shared_node: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """Until it is let go of."""
    first, second, third = three(shared_node, capsys)
    assert document(capsys, "backup", "pin", first)["data"]["backups"][0]["pinned"]
    assert pruned(capsys, *ONE, "--apply") == [second]
    assert not document(capsys, "backup", "pin", first, "--off")["data"]["backups"][0]["pinned"]
    assert pruned(capsys, *ONE) == [first]
    complaint(capsys, "backup", "pin", "none.backup", expect=2)
    assert backups(state) == sorted([first, third])


def test_nothing_goes_while_what_stays_is_damaged(
    shared_node: RunningNode, target: Path, state: Path, capsys: Output
) -> None:
    """The last one was verified, and has rotted since: that is found first."""
    first, _, third = three(shared_node, capsys)
    before = backups(state)
    shard = state / "backups" / third / "records-00000.ndjson.zst"
    good = shard.read_bytes()
    shard.write_bytes(bytes([*good[:-1], good[-1] ^ 1]))
    complaint(capsys, "backup", "prune", *ONE, "--apply", expect=12)
    assert backups(state) == before
    assert pruned(capsys, *ONE, "--apply") == [first]  # the damaged one is known now: the second is the last


def test_what_is_not_known_is_not_removed(shared_node: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """Without what lies beside them nothing is verified, so nothing goes."""
    three(shared_node, capsys)
    shutil.rmtree(state / "backups" / ".known")
    assert pruned(capsys, *ONE) == []
    document(capsys, "backup", "verify", "--all", "--level", "2")
    assert len(pruned(capsys, *ONE)) == 2


def test_a_removal_that_was_cut_off(shared_node: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """What is hidden already is no backup any more; the next run removes the rest of it."""
    first, *_ = three(shared_node, capsys)
    folder = state / "backups"
    (folder / first).rename(folder / f".{first}.gone")
    (folder / f".{first}.gone" / "MANIFEST.json").unlink()
    assert len(document(capsys, "backup", "list")["data"]["backups"]) == 2
    assert len(pruned(capsys, *ONE, "--apply")) == 1
    assert len(backups(state)) == 1


def test_a_full_disk(shared_node: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """16; what was there before is there and whole, and nothing half is called a backup."""
    remembered(shared_node, "before the disk is full")
    first = created(capsys)
    remembered(shared_node, "after it")
    for size in ("100", "1000", "8000"):
        done = as_process(
            "backup", "create", "--json", environment=environment_of(state), prefix=("prlimit", f"--fsize={size}")
        )
        assert done.returncode == 16, done.stderr
        assert json.loads(done.stderr.splitlines()[-1])["error"]["name"] == "storage"
        assert [name for name in backups(state) if name.endswith(".backup")] == [first]
    assert document(capsys, "backup", "verify")["data"]["proofs"][0]["level"] == 3
    created(capsys)


def test_what_a_killed_pin_left(shared_node: RunningNode, target: Path, state: Path, capsys: Output) -> None:
    """The next run that writes clears it up, unless somebody is writing there: then it stays for the one after."""
    name = three(shared_node, capsys)[-1]
    known = state / "backups" / ".known"
    draft = known / f".{name}.pinned.0123456789ab.draft"
    draft.write_bytes(b"")
    descriptor = os.open(known, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    document(capsys, "backup", "prune", *ONE, "--apply")
    assert draft.exists()
    os.close(descriptor)
    document(capsys, "backup", "prune", *ONE, "--apply")
    assert not draft.exists()
