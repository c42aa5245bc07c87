"""Verifies a backup, level by level; each proves what the one before it proves, and more."""

import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runbook.adapters.archives.exports import spill
from runbook.adapters.archives.sealing import SUFFIX, Identities
from runbook.adapters.files import open_regular, read_document, storage
from runbook.archive import frames, limits, manifest
from runbook.archive.canonical import Fault
from runbook.archive.checker import Place, RecordChecker, damaged
from runbook.archive.kinds import ArchiveKind, Key, Record, archive_kind, schema_bytes, schema_name
from runbook.archive.manifest import Manifest, Part
from runbook.archive.reader import chunks_of
from runbook.archive.shards import UNTOLD, Count, Shard, counted
from runbook.errors import DamagedError, RefusedError
from runbook.model.backup import PROVES

_SCHEMAS = "schema"

Passed = Callable[[int], None]
"""Told how many stored bytes more were read."""


def ignored(_: int) -> None:
    """Nobody is told."""


_HIGHEST_WITHOUT_NODE = 3
_SEALED = "it is encrypted: without --identity only what is stored was read, and every byte of that is as written"


@dataclass(frozen=True, slots=True)
class Verified:
    """The level that was reached, the manifest of what reached it, and why no higher one that was asked for."""

    level: int
    manifest: Manifest
    why_not: str = ""

    @property
    def proves(self) -> str:
        """What that level proves, in words."""
        return PROVES[self.level]


def verify_backup(path: Path, level: int, identities: Identities | None = None, passed: Passed = ignored) -> Verified:
    """Verify the backup at that level, 0 to 3; `passed` is told how many stored bytes were read.

    Of an encrypted one without identities, what is stored is read and compared; beyond that level 1 is reached.

    Raises:
        DamagedError: it is damaged or was never finished; the message names the file and the place.
        NotSupportedError: it is of a newer version.
        StorageError: it cannot be read.
        RefusedError: it is encrypted, and not for any of these identities.
    """
    if not 0 <= level <= _HIGHEST_WITHOUT_NODE:
        raise ValueError(level)
    found = _manifest(path)
    if level == 0:
        return Verified(level, found)
    _check_names(path, found)
    if level == 1:
        return Verified(level, found)
    if found.about.recipients and not identities:
        for shard in _shards(found):
            deque(_stored(path, shard, passed), maxlen=0)
        return Verified(1, found, _SEALED)
    for part in found.parts:
        if level == _HIGHEST_WITHOUT_NODE:
            deque(_records(path, part, identities, passed), maxlen=0)
        else:
            for shard in part.shards:
                deque(_shard(path, shard, identities, passed), maxlen=0)
    return Verified(level, found)


def records_of(
    path: Path, part: Part, identities: Identities | None = None, passed: Passed = ignored
) -> Iterator[list[Record]]:
    """The records of a part, fully checked, some hundreds at a time; all of it counts only once it has ended.

    Raises:
        DamagedError, StorageError, RefusedError: as `verify_backup` at level 3.
    """
    return _records(path, part, identities, passed)


def _shards(found: Manifest) -> Iterator[Shard]:
    return (shard for part in found.parts for shard in part.shards)


def _manifest(path: Path) -> Manifest:
    place = path / manifest.NAME
    if path.is_symlink() or not path.is_dir():
        raise damaged(str(path), Fault("", "not the folder of a backup"))
    data = read_document(place, limits.MANIFEST_BYTES)
    if data is None:
        raise DamagedError(f"{place} is missing: this backup was never finished, or lost it", hint="use another backup")
    found = manifest.parse(data, str(place))
    _check_manifest(found, place)
    return found


def _check_manifest(found: Manifest, place: Path) -> None:
    names = [part.name for part in found.parts]
    if names not in (["records"], ["records", "residue"]):
        raise damaged(str(place), Fault("parts", "records, and perhaps a residue behind them"))
    kinds = sorted({part.kind for part in found.parts})
    wanted = [(f"{schema_name(kind)}.schema.json", archive_kind(kind).schema_sha256) for kind in kinds]
    if [(schema.name, schema.sha256) for schema in found.schemas] != wanted:
        raise damaged(str(place), Fault("schemas", f"not {', '.join(name for name, _ in wanted)} as they are"))
    for index, part in enumerate(found.parts):
        ending = f".ndjson.zst{SUFFIX if found.about.recipients else ''}"
        ours = [f"{part.name}-{number:05d}{ending}" for number in range(len(part.shards))]
        if [shard.name for shard in part.shards] != ours:
            raise damaged(str(place), Fault(f"parts.{index}.shards", "not numbered from 0 on"))
        if (part.kind == "residue") != (part.name == "residue"):
            raise damaged(str(place), Fault(f"parts.{index}.kind", "does not fit its name"))


def _check_names(path: Path, found: Manifest) -> None:
    with storage(path, "read"):
        shards = {shard.name: shard.stored_bytes for part in found.parts for shard in part.shards}
        _check_folder(path, shards, {manifest.NAME, _SCHEMAS})
        if not stat.S_ISDIR((path / _SCHEMAS).lstat().st_mode):
            raise damaged(str(path / _SCHEMAS), Fault("", "not a folder"))
        _check_folder(path / _SCHEMAS, {schema.name: schema.bytes for schema in found.schemas}, set())
    for part in found.parts:
        name = f"{schema_name(part.kind)}.schema.json"
        if read_document(path / _SCHEMAS / name) != schema_bytes(part.kind):
            raise damaged(str(path / _SCHEMAS / name), Fault("", "not the schema of this format, which never changes"))


def _check_folder(folder: Path, sizes: dict[str, int], more: set[str]) -> None:
    there = {entry.name: entry for entry in os.scandir(folder)}
    for name in sorted(sizes.keys() | more):
        if name not in there:
            raise damaged(str(folder / name), Fault("", "it is missing"))
    for name in sorted(there.keys() - sizes.keys() - more):
        raise damaged(str(folder / name), Fault("", "it does not belong to this backup"))
    for name, size in sorted(sizes.items()):
        found = there[name].stat(follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode):
            raise damaged(str(folder / name), Fault("", "not a regular file"))
        if found.st_size != size:
            raise damaged(str(folder / name), Fault("", f"{found.st_size} bytes, not {size}"))


def _stored(path: Path, shard: Shard, passed: Passed) -> Iterator[bytes]:
    """What is stored of the shard; once it has ended, its hash has been found to fit."""
    place = path / shard.name
    stored = Count()
    with storage(place, "read"), os.fdopen(open_regular(place), "rb", buffering=0) as stream:
        for chunk in counted(_at_most(chunks_of(stream), shard.stored_bytes, place), stored):
            passed(len(chunk))
            yield chunk
    if (stored.bytes, stored.sha256) != (shard.stored_bytes, shard.stored_sha256):
        raise damaged(str(place), Fault("", "its bytes are not those that were written"))


def _shard(path: Path, shard: Shard, identities: Identities | None, passed: Passed) -> Iterator[bytes]:
    """What the shard unpacks to; once it has ended, both its hashes have been found to fit."""
    place = path / shard.name
    raw = Count()
    chunks = _stored(path, shard, passed)
    packed = chunks
    if place.suffix == SUFFIX:
        if not identities:
            raise RefusedError(f"{place} is encrypted", hint="`runbook backup restore --identity FILE` opens it")
        packed = identities.open(chunks, str(place))
    try:
        for data in frames.unpacked(packed, str(place), ours=True):
            raw.update(data)
            if raw.bytes > shard.raw_bytes:
                raise damaged(str(place), Fault("", f"it unpacks to more than {shard.raw_bytes} bytes"))
            yield data
    except RefusedError:
        deque(chunks, maxlen=0)  # no identity fits: perhaps since the bytes are not those that were written
        raise
    deque(chunks, maxlen=0)
    if (raw.bytes, raw.sha256) != (shard.raw_bytes, shard.raw_sha256):
        raise damaged(str(place), Fault("", "it unpacks to other bytes than were packed"))


def _at_most(chunks: Iterable[bytes], size: int, place: Path) -> Iterator[bytes]:
    for chunk in chunks:
        size -= len(chunk)
        if size < 0:
            raise damaged(str(place), Fault("", "it has grown"))
        yield chunk


def _records(path: Path, part: Part, identities: Identities | None, passed: Passed) -> Iterator[list[Record]]:
    checker = RecordChecker(archive_kind(part.kind), spill)
    try:
        for shard in part.shards:
            yield from _shard_records(str(path / shard.name), shard, checker, _shard(path, shard, identities, passed))
    finally:
        checker.close()
    place = str(path / manifest.NAME)
    if checker.counts != part.counts:
        raise damaged(place, Fault(f"{part.name}.counts", "not what is in the shards"))
    if checker.digest != part.content_digest:
        raise damaged(place, Fault(f"{part.name}.content_digest", "not that of what is in the shards"))


def _shard_records(name: str, shard: Shard, checker: RecordChecker, chunks: Iterator[bytes]) -> Iterator[list[Record]]:
    before = checker.digest.count
    kept, offset, number = b"", 0, 1
    for data in _gathered(chunks):
        lines = (kept + data).split(b"\n")
        kept = lines.pop()
        if len(kept) > limits.LINE_BYTES:
            raise damaged(f"{name}: line {number + len(lines)}", Fault("", "a line that is too long"))
        for start in range(0, len(lines), limits.BATCH_RECORDS):
            batch = lines[start : start + limits.BATCH_RECORDS]
            records = checker.check(batch, _place(name, batch, number, offset))
            if number == 1 and shard.first != UNTOLD:
                _check_first(name, records[0], shard.first, checker.kind)
            number, offset = number + len(batch), offset + sum(map(len, batch)) + len(batch)
            yield records
    if kept:
        raise damaged(f"{name}: line {number}, byte {offset}", Fault("", "it ends in the middle of a record"))
    if checker.digest.count - before != shard.records:
        raise damaged(name, Fault("", f"it has {checker.digest.count - before} records, not {shard.records}"))
    if shard.last not in {UNTOLD, (shard.last[0], *checker.last[1])}:
        raise damaged(name, Fault("", "its last record is not the one that the manifest names"))


def _check_first(name: str, record: Record, wanted: Key, kind: ArchiveKind) -> None:
    if wanted != (record["type"], *kind.records[record["type"]].key_of(record)):
        raise damaged(name, Fault("", "its first record is not the one that the manifest names"))


def _gathered(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks in pieces of about 1 MiB."""
    waiting: list[bytes] = []
    size = 0
    for chunk in chunks:
        waiting.append(chunk)
        size += len(chunk)
        if size >= limits.CHUNK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _place(name: str, batch: list[bytes], number: int, offset: int) -> Place:
    def place(index: int, within: int) -> str:
        before = sum(map(len, batch[:index])) + index
        return f"{name}: line {number + index}, byte {offset + before + within}"

    return place
