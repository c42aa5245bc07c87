"""Backups: what is in the folder, what two of them share, what each level proves."""

from dataclasses import replace
from pathlib import Path

import pytest
from archive_records import ABOUT, dual, episode, residue

from runbook.adapters.archives.backups import create_backup, lines_of
from runbook.adapters.archives.verify import records_of, verify_backup
from runbook.archive import limits
from runbook.errors import DamagedError, RefusedError, StorageError, UsageError
from runbook.model.backup import PROVES


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of some records, each frame of one or two."""
    for name, size in {"SHARD_BYTES": 60_000, "SHARD_LEAST_BYTES": 15_000, "FRAME_BYTES": 10_000}.items():
        monkeypatch.setattr(limits, name, size)
    monkeypatch.setattr("runbook.archive.shards._ENDS_IN", 3)


def test_a_backup_holds_the_records_and_says_what_was_proven(tmp_path: Path) -> None:
    """Every record comes back; files are private, names are ours."""
    lines = lines_of(dual(), "dual_memory"), lines_of(residue(), "residue")
    backup = create_backup(tmp_path / "backups", ABOUT, "dual_memory", *lines)
    assert backup.name.startswith("20261122T170000Z-prod-dual_memory-")
    there = sorted(str(path.relative_to(backup)) for path in backup.rglob("*") if path.is_file())
    schemas = ["schema/dual_memory.v1.schema.json", "schema/residue.v1.schema.json"]
    assert there == ["MANIFEST.json", "records-00000.ndjson.zst", "residue-00000.ndjson.zst", *schemas]
    assert {path.stat().st_mode & 0o777 for path in backup.rglob("*")} == {0o600, 0o700}
    for level in range(4):
        verified = verify_backup(backup, level)
        assert (verified.level, verified.proves) == (level, PROVES[level])
    for part, records in zip(verified.manifest.parts, (dual(), residue()), strict=True):
        assert [record for batch in records_of(backup, part) for record in batch] == records


def test_equal_states_are_equal_backups(tmp_path: Path) -> None:
    """Byte for byte; and the same one twice in one place is refused."""
    first, second = (
        create_backup(tmp_path / name, ABOUT, "dual_memory", lines_of(dual(), "dual_memory")) for name in ("a", "b")
    )
    assert first.name == second.name
    for path in first.rglob("*"):
        assert path.is_dir() or path.read_bytes() == (second / path.relative_to(first)).read_bytes()
    with pytest.raises(RefusedError, match="there already"):
        create_backup(tmp_path / "a", ABOUT, "dual_memory", lines_of(dual(), "dual_memory"))
    assert [path.name for path in (tmp_path / "a").iterdir()] == [first.name]


def test_an_empty_store_has_a_backup(tmp_path: Path) -> None:
    """Without shards."""
    assert verify_backup(create_backup(tmp_path, ABOUT, "dual_memory", []), 3).manifest.parts[0].shards == ()


@pytest.mark.usefixtures("small_shards")
def test_unchanged_shards_are_shared_with_the_parent(tmp_path: Path) -> None:
    """An episode more in the middle changes the shards around it, and no other; each backup verifies by itself."""
    records = [episode(f"ep_{number:03d}") for number in range(0, 120, 2)]
    first = create_backup(tmp_path, ABOUT, "dual_memory", lines_of(records, "dual_memory"))
    records.insert(30, episode("ep_059"))
    later = replace(ABOUT, snapshot="g1:6", parent=first.name)
    second = create_backup(tmp_path, later, "dual_memory", lines_of(records, "dual_memory"))
    names = [path.name for path in second.glob("records-*")]
    alone = [name for name in names if (second / name).stat().st_nlink == 1]
    assert len(names) >= 8
    assert 1 <= len(alone) <= 3
    assert verify_backup(first, 3).level == verify_backup(second, 3).level == 3
    (second / alone[0]).unlink()
    assert verify_backup(first, 3).level == 3


@pytest.mark.usefixtures("small_shards")
def test_a_damaged_parent_is_not_shared(tmp_path: Path) -> None:
    """What is linked is read like what was written: then nothing is called a backup."""
    records = [episode(f"ep_{number:03d}") for number in range(30)]
    first = create_backup(tmp_path, ABOUT, "dual_memory", lines_of(records, "dual_memory"))
    shard = first / "records-00000.ndjson.zst"
    shard.write_bytes(bytes([*shard.read_bytes()[:-1], 0]))
    later = replace(ABOUT, snapshot="g1:6", parent=first.name)
    second = create_backup(tmp_path, later, "dual_memory", lines_of(records, "dual_memory"))
    assert verify_backup(second, 3).level == 3
    with pytest.raises(DamagedError):
        verify_backup(first, 2)


def test_each_level_finds_what_the_one_below_does_not(tmp_path: Path) -> None:
    """A missing shard, a changed byte, a binding to nothing."""

    def backup(name: str) -> Path:
        return create_backup(
            tmp_path / name, ABOUT, "dual_memory", lines_of(dual()[: 2 if name == "2" else 5], "dual_memory")
        )

    gone, changed = backup("0"), backup("1")
    (gone / "records-00000.ndjson.zst").unlink()
    shard = changed / "records-00000.ndjson.zst"
    shard.write_bytes(bytes([*shard.read_bytes()[:-1], 0]))
    loose = create_backup(tmp_path / "2", ABOUT, "dual_memory", lines_of(dual()[1:], "dual_memory"))
    for level, path in enumerate((gone, changed, loose)):
        assert verify_backup(path, level).level == level
        with pytest.raises(DamagedError):
            verify_backup(path, level + 1)


def test_no_backup_stays_of_one_that_failed(tmp_path: Path) -> None:
    """Records out of order, a target that is a path, a folder that is none: nothing is left behind."""
    store = tmp_path / "store"
    with pytest.raises(DamagedError):
        create_backup(store, ABOUT, "dual_memory", lines_of([episode("b"), episode("a")], "dual_memory"))
    assert list(store.iterdir()) == []
    with pytest.raises(UsageError):
        create_backup(store, replace(ABOUT, target="../x"), "dual_memory", [])
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        create_backup(tmp_path / "file", ABOUT, "dual_memory", [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "store"]
