"""Writes the parts of a backup: shard by shard, durable, shared with the parent where nothing changed."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.adapters.archives.sealing import SUFFIX, Sealer
from runbook.adapters.files import durable_file, open_regular
from runbook.archive import limits
from runbook.archive.digest import ContentDigest
from runbook.archive.frames import Packer
from runbook.archive.kinds import Key, archive_kind
from runbook.archive.manifest import Part
from runbook.archive.reader import chunks_of
from runbook.archive.shards import UNTOLD, Count, ShardWriter
from runbook.errors import RefusedError

if TYPE_CHECKING:
    from runbook.archive.shards import Shard

Line = tuple[bytes, Key]
Lines = Iterable[Line]
"""Canonical lines in the order of an archive, each with its type, space and ids."""


@dataclass(frozen=True, slots=True)
class Twins:
    """The shards of the parent: where each is and what it is, by the hash of its raw bytes."""

    shards: Mapping[str, "tuple[Path, Shard]"]


class PartWriter:
    """Writes the shards of one part into the folder of a backup that grows; encrypted where there is a sealer."""

    def __init__(
        self, draft: Path, name: str, kind: str, twins: Twins | None = None, sealer: Sealer | None = None
    ) -> None:
        self._draft = draft
        self._name = name
        self._kind = kind
        self._twins = {} if twins is None else twins.shards
        self._sealer = sealer
        self._packer = Packer()
        self._shards: list[Shard] = []
        self._digest = ContentDigest()
        self._counts = dict.fromkeys(archive_kind(kind).types(since=False), 0)

    def write(self, lines: Lines) -> Part:
        """All of them; an empty part has no shard."""
        source = iter(lines)
        while (first := next(source, None)) is not None:
            if len(self._shards) == limits.SHARDS:
                raise RefusedError(f"more than {limits.SHARDS} shards", hint="back up node by node (--all-nodes)")
            self._write_shard(first, source)
        return Part(self._name, self._kind, self._counts, self._digest, tuple(self._shards))

    def _write_shard(self, first: Line, source: Iterator[Line]) -> None:
        path = self._draft / f"{self._name}-{len(self._shards):05d}.ndjson.zst"
        shard = self._plain(path, first, source) if self._sealer is None else self._sealed(path, first, source)
        self._shards.append(self._shared(shard))

    def _plain(self, path: Path, first: Line, source: Iterator[Line]) -> "Shard":
        with durable_file(path) as stream:
            writer = ShardWriter(stream.write, self._packer)
            for line in self._of_one_shard(writer, first, source):
                writer.add(*line)
            shard = writer.finish(path.name)
        self._digest += writer.digest
        return shard

    def _sealed(self, path: Path, first: Line, source: Iterator[Line]) -> "Shard":
        """The same, encrypted while it is packed: nothing plain is ever on the disk."""
        path = path.with_name(path.name + SUFFIX)
        frames: list[bytes] = []
        writer = ShardWriter(frames.append, self._packer)
        stored = Count()
        done: list[Shard] = []

        def packed() -> Iterator[bytes]:
            for line in self._of_one_shard(writer, first, source):
                writer.add(*line)
                yield from _taken(frames)
            done.append(writer.finish(path.name))
            yield from _taken(frames)

        with durable_file(path) as stream:
            self._seal(packed(), _both(stored.update, stream.write))
        self._digest += writer.digest
        size, digest = stored.bytes, stored.sha256
        return replace(done[0], stored_bytes=size, stored_sha256=digest, first=UNTOLD, last=UNTOLD)

    def _seal(self, chunks: Iterator[bytes], write: Callable[[bytes], object]) -> None:
        if self._sealer is not None:
            self._sealer.seal(chunks, write)

    def _of_one_shard(self, writer: ShardWriter, first: Line, source: Iterator[Line]) -> Iterator[Line]:
        found: Line | None = first
        while found is not None:
            self._counts[found[1][0]] += 1
            yield found
            found = None if writer.full else next(source, None)

    def _shared(self, shard: "Shard") -> "Shard":
        """The parent's shard, linked here instead of this one, where it holds the same records."""
        where, twin = self._twins.get(shard.raw_sha256, (None, shard))
        if where is None or not (self._sealer or twin.stored_sha256 == shard.stored_sha256):
            return shard
        if not _holds(where, twin.stored_sha256) or not _linked(where, self._draft / shard.name):
            return shard
        return replace(twin, name=shard.name)


def _taken(frames: list[bytes]) -> list[bytes]:
    found = list(frames)
    frames.clear()
    return found


def _both(*takers: Callable[[bytes], object]) -> Callable[[bytes], None]:
    def give(data: bytes) -> None:
        for take in takers:
            take(data)

    return give


def _holds(path: Path, wanted: str) -> bool:
    """Does the file have that hash? A damaged parent must not damage its child."""
    found = Count()
    try:
        with os.fdopen(open_regular(path), "rb", buffering=0) as stream:
            for chunk in chunks_of(stream):
                found.update(chunk)
    except OSError:
        return False
    return found.sha256 == wanted


def _linked(twin: Path, path: Path) -> bool:
    """Have the parent's shard here too, where the file system can; verification reads it like any other."""
    spare = path.with_suffix(".link")
    try:
        os.link(twin, spare, follow_symlinks=False)
        spare.rename(path)
    except OSError:
        with suppress(OSError):
            spare.unlink()
        return False
    return True
