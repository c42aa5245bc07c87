"""The port `Archives`: kept whole or not at all, read strictly, whatever they are called."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
import whole_data

from runbook.adapters.archives.backups import create_backup, lines_of
from runbook.adapters.archives.kept import KeptArchives
from runbook.archive.manifest import About
from runbook.errors import DamagedError, RefusedError, StorageError, UnreachableError, UsageError

RECORDS = [whole_data.episode(f"ep-{number}") for number in range(5)]
ARCHIVE = whole_data.write("dual_memory", RECORDS)
ABOUT = About("prod", whole_data.TIME, "test", "g1:1", "runbook 0.1.0")


def pieces(archive: bytes) -> Iterator[bytes]:
    """Small ones."""
    return (archive[start : start + 1000] for start in range(0, len(archive), 1000))


@pytest.mark.parametrize("name", ["a.json", "a.json.zst"])
def test_what_is_kept_reads_the_same(name: str, tmp_path: Path) -> None:
    """Packed by its name, for this user alone; its chunks are unpacked."""
    path = tmp_path / name
    kept = KeptArchives().keep(pieces(ARCHIVE), path)
    assert KeptArchives().read(path) == kept
    assert kept.digest == whole_data.digest(ARCHIVE)
    with KeptArchives().chunks(path) as chunks:
        assert b"".join(chunks) == ARCHIVE
    assert (path.read_bytes() == ARCHIVE) == (name == "a.json")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("error", [None, UnreachableError("cut"), KeyboardInterrupt()])
def test_what_is_not_whole_is_not_kept(error: BaseException | None, tmp_path: Path) -> None:
    """Nothing is left of it, and what was there before is still there."""
    path = tmp_path / "a.json"
    path.write_bytes(b"before")

    def cut() -> Iterator[bytes]:
        yield ARCHIVE[:-50]
        if error is not None:
            raise error

    with pytest.raises(DamagedError if error is None else type(error)):
        KeptArchives().keep(cut(), path)
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"before", [path])


def test_a_backup_reads_like_the_export_of_the_same_content(tmp_path: Path) -> None:
    """At level 3; one whose bytes changed is damaged, and what is neither file nor backup is refused."""
    backup = create_backup(tmp_path, ABOUT, "dual_memory", lines_of(RECORDS, "dual_memory"))
    found = KeptArchives().read(backup)
    assert (found.digest, found.counts) == (whole_data.digest(ARCHIVE), {"episode": 5, "concept": 0, "binding": 0})
    assert (found.header.node, found.header.snapshot) == ("test", "g1:1")
    shard = next(backup.glob("records-*"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedError, match=shard.name):
        KeptArchives().read(backup)
    link = tmp_path / "link"
    link.symlink_to(backup)
    with pytest.raises(DamagedError):
        KeptArchives().read(link)
    with pytest.raises((StorageError, UsageError)):
        KeptArchives().read(tmp_path / "none")


def test_an_encrypted_backup_is_not_taken_for_a_proven_one(tmp_path: Path) -> None:
    """What cannot be read proves nothing of its records."""
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    about = replace(ABOUT, recipients=(recipient,))
    backup = create_backup(tmp_path, about, "dual_memory", lines_of(RECORDS, "dual_memory"))
    with pytest.raises(RefusedError, match="encrypted"):
        KeptArchives().read(backup)


def test_how_much_room_there_is(tmp_path: Path) -> None:
    """On the disk of the folder, or of the one that it will be made in."""
    found = os.statvfs(tmp_path)
    free = KeptArchives().free_bytes(tmp_path / "not" / "yet")
    assert 0 < free <= found.f_blocks * found.f_frsize
