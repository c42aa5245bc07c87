"""The lines that units left, put together as one archive."""

import heapq
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import orjson

from runbook.adapters.archives.conversion.strictly import Wanted, read_strictly
from runbook.adapters.archives.conversion.unit import Finished, Lines, Unit
from runbook.adapters.files import open_regular, write_stream
from runbook.archive import limits
from runbook.archive.digest import ContentDigest
from runbook.archive.joining import LINE_END, join
from runbook.archive.kinds import TOMBSTONE, archive_kind
from runbook.archive.layout import Header, Summary
from runbook.archive.reader import chunks_of
from runbook.archive.regions import Scanned
from runbook.errors import DamagedError, RefusedError
from runbook.model.conversion import Part
from runbook.model.migration import Key, Place, key_of

if TYPE_CHECKING:
    from runbook.model.migration import Record


@dataclass(frozen=True, slots=True)
class Left:
    """What one unit left for one archive."""

    unit: Unit
    lines: Lines


def assemble(path: Path, header: Header, left: Sequence[tuple[Unit, Finished]], place: Place, wanted: Wanted) -> Part:
    """Write the archive to that path, durably, and read it back strictly.

    Raises:
        DamagedError: what was read back is not what the units left.
        RefusedError: two records have one key, so that one would take the other's place.
        StorageError: the disk refused.
    """
    found = [Left(unit, each) for unit, done in left for each in done.lines if each.place == place.value]
    types = archive_kind(header.kind).types(since=header.since is not None)
    of_type = {name: [each for each in found if each.lines.type == name] for name in types}
    counts = {name: sum(each.lines.records for each in some) for name, some in of_type.items()}

    def write(stream: BinaryIO) -> Summary:
        return join(stream.write, header, counts, _pieces(path.parent, of_type))

    def verify(stream: BinaryIO) -> Scanned:
        return read_strictly(stream, str(path), wanted)

    read = write_stream(path, write, verify)
    if (read.digest, read.counts) != (_digest(each.lines for each in found), counts):
        raise DamagedError(f"{path} does not hold what the units of the conversion left", hint="run the command again")
    content = _digest(each.lines for each in found if each.lines.type != TOMBSTONE)
    return Part(path, counts, str(content), read.sha256)


def _digest(lines: Iterable[Lines]) -> ContentDigest:
    return sum((each.content for each in lines), ContentDigest())


def _pieces(work: Path, of_type: Mapping[str, Sequence[Left]]) -> Iterator[bytes]:
    for found in of_type.values():
        phases = [list(some) for _, some in groupby(found, key=lambda each: each.unit.phase)]
        if len(phases) == 1:
            for each in phases[0]:
                yield from _chunks(work / each.lines.file(each.unit))
        elif phases:
            yield from _gathered(_merged([_lines(work, some) for some in phases]))


def _chunks(path: Path) -> Iterator[bytes]:
    with os.fdopen(open_regular(path), "rb", buffering=0) as stream:
        yield from chunks_of(stream)


def _lines(work: Path, left: Sequence[Left]) -> Iterator[tuple[Key, bytes]]:
    for each in left:
        with os.fdopen(open_regular(work / each.lines.file(each.unit)), "rb") as stream:
            for line in stream:
                record: Record = orjson.loads(line.removesuffix(LINE_END))
                yield key_of(record), line


def _merged(streams: Sequence[Iterator[tuple[Key, bytes]]]) -> Iterator[bytes]:
    last: Key = ()
    for key, line in heapq.merge(*streams):
        if key == last:
            raise RefusedError(
                f"an episode and a concept are both called {'/'.join(key)}: one memory cannot be both",
                hint="migrate with --concepts drop: concepts are kept in the residue then",
            )
        last = key
        yield line


def _gathered(lines: Iterator[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= limits.CHUNK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
