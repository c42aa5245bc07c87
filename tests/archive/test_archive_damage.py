"""No byte of an archive or a backup can change, come or go unseen."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyrage
import pytest
from archive_records import ABOUT, dual, episode, opened, read, residue, written

from runbook.adapters.archives.backups import create_backup, lines_of
from runbook.adapters.archives.verify import verify_backup
from runbook.archive import limits
from runbook.errors import DamagedError, NotSupportedError, RunbookError, StorageError

EVERY_BIT = os.environ.get("FAULTS") == "all"
REFUSED = (DamagedError, NotSupportedError)


def refused(data: bytes) -> bool:
    """Is it refused?"""
    try:
        opened(data).read()
    except REFUSED:
        return True
    return False


def flips(size: int, *, all_bits_until: int = 0) -> Iterator[tuple[int, int]]:
    """A bit of every byte; of the first bytes, and of all of them in `make faults`, every bit."""
    for offset in range(size):
        for bit in range(8) if EVERY_BIT or offset < all_bits_until else [offset % 8]:
            yield offset, 1 << bit


def test_every_flipped_bit_of_a_small_file_is_found() -> None:
    """Every bit of every byte, one at a time."""
    data = written("residue", residue())
    missed = []
    for offset, mask in flips(len(data), all_bits_until=len(data)):
        changed = bytearray(data)
        changed[offset] ^= mask
        if not refused(bytes(changed)):
            missed.append((offset, mask))
    assert not missed


@pytest.mark.parametrize("packed", [False, True])
def test_a_flipped_bit_of_every_byte_of_a_file_with_embeddings_is_found(*, packed: bool) -> None:
    """The same where most bytes are base64, and where all of them are packed."""
    data = written("dual_memory", [episode()], packed=packed)
    missed = []
    for offset, mask in flips(len(data), all_bits_until=40):
        changed = bytearray(data)
        changed[offset] ^= mask
        if not refused(bytes(changed)):
            missed.append((offset, mask))
    assert not missed


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_that_was_cut_off_anywhere_is_refused(*, packed: bool) -> None:
    """Every prefix: what a writer that was killed may leave. Without just the hash behind it, a packed one is whole."""
    data = written("residue", residue(), packed=packed)
    records, summary = read(data)
    whole = [size for size in range(len(data)) if not refused(data[:size])]
    assert whole == ([len(data) - 40] if packed else [])
    assert all(read(data[:size]) == (records, summary) for size in whole)


@pytest.mark.parametrize("packed", [False, True])
def test_a_byte_more_anywhere_is_refused(*, packed: bool) -> None:
    """Doubled bytes, and anything behind the end."""
    data = written("residue", residue(), packed=packed)
    assert [at for at in range(len(data)) if not refused(data[:at] + data[at : at + 1] + data[at:])] == []
    assert all(refused(data + more) for more in (b"\n", b" ", b"\0", data, data[-4:]))


def test_damage_inside_a_value_is_named_by_its_block() -> None:
    """The block of 1 MiB whose hash differs, by its bytes."""
    records = [episode(f"ep_{number:04d}") for number in range(600)]
    data = bytearray(written("dual_memory", records))
    place = data.index(b"Met Ada", 2 * limits.MIB)
    data[place] ^= 1
    with pytest.raises(DamagedError, match=r"blocks\[2\]: the bytes 2097152 to "):
        read(bytes(data))


def test_lines_that_are_swapped_missing_or_twice_are_found() -> None:
    """Whole lines, where each by itself is as it was."""
    lines = written("dual_memory", dual()).splitlines(keepends=True)
    for first in range(len(lines)):
        assert refused(b"".join(lines[:first] + lines[first + 1 :]))
        assert refused(b"".join(lines[: first + 1] + lines[first:]))
        for second in range(first):
            swapped = list(lines)
            swapped[first], swapped[second] = swapped[second], swapped[first]
            assert refused(b"".join(swapped))


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A small backup with a residue."""
    records = lines_of(dual(), "dual_memory")
    return create_backup(tmp_path / "store", ABOUT, "dual_memory", records, lines_of(residue(), "residue"))


def files_of(backup: Path) -> list[Path]:
    """Every file of the backup."""
    return sorted(path for path in backup.rglob("*") if path.is_file())


def found_by(backup: Path) -> int | None:
    """The lowest level that refuses it."""
    for level in range(4):
        try:
            verify_backup(backup, level)
        except REFUSED:
            return level
    return None


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_flipped_bit_of_every_byte_of_a_backup_is_found(tmp_path: Path, *, encrypted: bool) -> None:
    """At level 2 at the latest, of an encrypted one with nothing to open it; in the manifest at level 0."""
    public = str(pyrage.x25519.Identity.generate().to_public())
    about = replace(ABOUT, recipients=(public,) if encrypted else ())
    backup = create_backup(tmp_path, about, "dual_memory", lines_of(dual(), "dual_memory"))
    reached = 1 if encrypted else 3
    assert verify_backup(backup, 3).level == reached
    missed = []
    for path in files_of(backup):
        data = path.read_bytes()
        level = 2 if path.name.startswith("records") else 1 if path.parent.name == "schema" else 0
        with path.open("r+b", buffering=0) as stream:
            for offset, mask in flips(len(data)):
                stream.seek(offset)
                stream.write(bytes([data[offset] ^ mask]))
                try:
                    verify_backup(backup, level)
                    missed.append((path.name, offset))
                except REFUSED:
                    pass
                stream.seek(offset)
                stream.write(data[offset : offset + 1])
    assert not missed
    assert verify_backup(backup, 3).level == reached


def test_a_file_of_a_backup_that_is_missing_cut_off_strange_or_a_link_is_found(backup: Path, tmp_path: Path) -> None:
    """Every file in turn; a backup without manifest was never finished."""
    for path in files_of(backup):
        for name, harm in {
            "missing": Path.unlink,
            "cut": lambda file: file.write_bytes(file.read_bytes()[:-1]),
            "grown": lambda file: file.write_bytes(file.read_bytes() + b"\0"),
            "link": lambda file: (file.rename(tmp_path / "aside"), file.symlink_to(tmp_path / "aside")),
            "folder": lambda file: (file.unlink(), file.mkdir()),
            "strange": lambda file: (file.parent / "more").write_bytes(b""),
        }.items():
            other = tmp_path / f"{path.name}-{name}" / backup.name
            shutil.copytree(backup, other)
            harm(other / path.relative_to(backup))
            with pytest.raises((*REFUSED, StorageError)) as refusal:
                verify_backup(other, 1)
            assert str(other) in refusal.value.message


def test_swapped_shards_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where they are of one size, and where the manifest was rewritten to fit them."""
    monkeypatch.setattr(limits, "SHARD_BYTES", 10_000)
    monkeypatch.setattr(limits, "SHARD_LEAST_BYTES", 10_000)
    monkeypatch.setattr(limits, "FRAME_BYTES", 6_000)
    records = [episode(f"ep_{number}", activation=number / 10) for number in range(9)]
    backup = create_backup(tmp_path, ABOUT, "dual_memory", lines_of(records, "dual_memory"))
    found = verify_backup(backup, 3).manifest
    assert len(found.parts[0].shards) > 2
    first, second = backup / "records-00000.ndjson.zst", backup / "records-00001.ndjson.zst"
    data = first.read_bytes(), second.read_bytes()
    first.write_bytes(data[1])
    second.write_bytes(data[0])
    assert found_by(backup) in {1, 2}
    shards = found.parts[0].shards
    swapped = (replace(shards[1], name=shards[0].name), replace(shards[0], name=shards[1].name), *shards[2:])
    lying = replace(found, parts=(replace(found.parts[0], shards=swapped),)).sealed()
    (backup / "MANIFEST.json").write_bytes(lying.render())
    assert found_by(backup) == 3


@pytest.mark.parametrize("field", ["records", "first", "last", "raw_bytes", "raw_sha256"])
def test_a_manifest_that_lies_about_a_shard_is_found(backup: Path, field: str) -> None:
    """Even where its own hash fits."""
    found = verify_backup(backup, 0).manifest
    part = found.parts[0]
    values = {"records": 4, "first": ("episode", "default", "ep_0"), "last": ("binding", "x", "y", "z")}
    values |= {"raw_bytes": part.shards[0].raw_bytes + 1, "raw_sha256": "0" * 64}
    lying = replace(part, shards=(replace(part.shards[0], **{field: values[field]}),))
    (backup / "MANIFEST.json").write_bytes(replace(found, parts=(lying, found.parts[1])).sealed().render())
    assert found_by(backup) in {2, 3}


def test_a_first_key_whose_parts_are_swapped_is_found(backup: Path) -> None:
    """They are all in the record, only not where the manifest says."""
    found = verify_backup(backup, 0).manifest
    part = found.parts[0]
    type_, *ids = part.shards[0].first
    lying = replace(part, shards=(replace(part.shards[0], first=(type_, *reversed(ids))),))
    (backup / "MANIFEST.json").write_bytes(replace(found, parts=(lying, found.parts[1])).sealed().render())
    assert found_by(backup) == 3


def test_a_manifest_that_lies_about_a_schema_is_found(backup: Path) -> None:
    """Its hash is that of the format's schema, or the manifest is another's."""
    found = verify_backup(backup, 0).manifest
    lying = (replace(found.schemas[0], sha256="0" * 64), *found.schemas[1:])
    (backup / "MANIFEST.json").write_bytes(replace(found, schemas=lying).sealed().render())
    assert found_by(backup) == 0


@pytest.mark.parametrize("field", ["counts", "content_digest"])
def test_a_manifest_that_lies_about_its_content_is_found(backup: Path, field: str) -> None:
    """Level 3 counts and sums again."""
    found = verify_backup(backup, 0).manifest
    part = found.parts[0]
    value = {**part.counts, "episode": 3} if field == "counts" else found.parts[1].content_digest
    (backup / "MANIFEST.json").write_bytes(
        replace(found, parts=(replace(part, **{field: value}), found.parts[1])).sealed().render()
    )
    assert found_by(backup) == 3


def test_a_newer_manifest_is_told_from_a_damaged_one(backup: Path) -> None:
    """Exit code 17, not 12."""
    path = backup / "MANIFEST.json"
    path.write_bytes(path.read_bytes().replace(b'"version": 1', b'"version": 2'))
    with pytest.raises(NotSupportedError) as refusal:
        verify_backup(backup, 0)
    assert refusal.value.code == 17


def test_what_is_no_folder_is_refused_in_words(tmp_path: Path) -> None:
    """A missing one, a file, a symbolic link to a backup."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("missing", "file", "link"):
        with pytest.raises(RunbookError, match="not the folder of a backup"):
            verify_backup(tmp_path / name, 0)
