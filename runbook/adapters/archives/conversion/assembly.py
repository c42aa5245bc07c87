"""The lines that units left, put together as one archive; and whether what is bound in it is there."""

import heapq
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import orjson

from runbook.adapters.archives.conversion.outputs import refers
from runbook.adapters.archives.conversion.strictly import read_back
from runbook.adapters.archives.conversion.unit import Finished, Lines, Unit
from runbook.adapters.archives.exports import spill
from runbook.adapters.files import open_regular, write_stream
from runbook.archive import limits
from runbook.archive.digest import ContentDigest
from runbook.archive.joining import LINE_END, join
from runbook.archive.kinds import TOMBSTONE, archive_kind
from runbook.archive.layout import Header
from runbook.archive.reader import chunks_of
from runbook.archive.references import References
from runbook.errors import DamagedError, RefusedError
from runbook.model.conversion import Part
from runbook.model.migration import Key, Place, key_of

if TYPE_CHECKING:
    from runbook.archive.layout import Summary
    from runbook.model.migration import Record


@dataclass(frozen=True, slots=True)
class Left:
    """What one unit left for one archive."""

    unit: Unit
    lines: Lines


def assemble(path: Path, header: Header, left: Sequence[tuple[Unit, Finished]], place: Place, workers: int) -> Part:
    """Write the archive to that path, durably, and read it back: every record is one that was checked when it was made.

    Raises:
        DamagedError: what was read back is not what the units left, or something is bound to nothing.
        RefusedError: two records have one key, so that one would take the other's place.
        StorageError: the disk refused.
    """
    found = [Left(unit, each) for unit, done in left for each in done.lines if each.place == place.value]
    kind, since = archive_kind(header.kind), header.since is not None
    of_type = {name: [each for each in found if each.lines.type == name] for name in kind.types(since=since)}
    counts = {name: sum(each.lines.records for each in some) for name, some in of_type.items()}
    if refers(kind, since=since):
        _check_references(path.parent, of_type)
    written: list[Summary] = []

    def write(stream: BinaryIO) -> None:
        written.append(join(stream.write, header, counts, _pieces(path.parent, of_type)))

    content = write_stream(path, write, lambda stream: read_back(stream, str(path), written[0], workers))
    if content != _digest(each.lines for each in found):
        raise DamagedError(f"{path} does not hold what the units of the conversion left", hint="run the command again")
    digest = _digest(each.lines for each in found if each.lines.type != TOMBSTONE)
    return Part(path, counts, str(digest), written[0].sha256)


def _digest(lines: Iterable[Lines]) -> ContentDigest:
    return sum((each.content for each in lines), ContentDigest())


def _check_references(work: Path, of_type: Mapping[str, Sequence[Left]]) -> None:
    references = References(spill)
    try:
        for key in _keys(work, of_type["episode"]):
            references.episode(key)
        for key in _keys(work, of_type["concept"]):
            references.concept(key)
        for key in _keys(work, of_type["binding"]):
            if references.missing(key):
                raise DamagedError(f"the binding {'/'.join(key)} would bind nothing", hint="report this, please")
    finally:
        references.close()


def _keys(work: Path, left: Sequence[Left]) -> Iterator[Key]:
    for each in left:
        with os.fdopen(open_regular(work / each.lines.keys_file(each.unit)), "rb") as stream:
            for line in stream:
                yield tuple(line[:-1].decode().split("\t"))


def _pieces(work: Path, of_type: Mapping[str, Sequence[Left]]) -> Iterator[bytes]:
    for found in of_type.values():
        phases = [list(some) for _, some in groupby(found, key=lambda each: each.unit.phase)]
        if len(phases) == 1:
            for each in phases[0]:
                with os.fdopen(open_regular(work / each.lines.file(each.unit)), "rb", buffering=0) as stream:
                    yield from chunks_of(stream)
        elif phases:
            yield from _gathered(_merged([_lines(work, some) for some in phases]))


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
