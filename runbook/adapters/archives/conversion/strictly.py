"""Reads a plain archive strictly, section by section, in several processes; its hash as a whole is one more task."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import BinaryIO, TypeVar

from runbook.adapters.archives.conversion.pool import in_turn
from runbook.adapters.archives.exports import spill
from runbook.archive import limits
from runbook.archive.digest import ContentDigest
from runbook.archive.layout import Summary
from runbook.archive.outline import Outline, outline
from runbook.archive.reader import ArchiveReader, chunks_of
from runbook.archive.regions import Scanned
from runbook.archive.sections import Proven, Prover, Section, digest_of_lines, section_of
from runbook.archive.together import Crossing, Together
from runbook.errors import DamagedError

Task = tuple[int, range] | None
"""A section with its number, or the hash of the whole."""
T = TypeVar("T")
_MOST_REGIONS = 16_384
"""About: larger archives have larger regions, so that the list of them stays small."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """By how many processes an archive is read, and how large its regions shall be."""

    workers: int
    region_bytes: int


def read_strictly(stream: BinaryIO, name: str, wanted: Wanted) -> Scanned:
    """Read the plain archive to its end, at verify level 3. Raises `OSError` too.

    Raises:
        DamagedError: it is damaged; the message names the place.
        NotSupportedError: it is of a newer version.
    """
    try:
        return _in_sections(stream.fileno(), name, wanted)
    except DamagedError:
        stream.seek(0)
        ArchiveReader(chunks_of(stream), name, spill).read()  # it says where
        raise


def _in_sections(descriptor: int, name: str, wanted: Wanted) -> Scanned:
    found = outline(partial(_read, descriptor), os.fstat(descriptor).st_size, name)
    together = Together(found, spill)
    tasks: list[Task] = [None, *enumerate(found.sections())]
    try:
        region_bytes = max(wanted.region_bytes, min(found.hashed // _MOST_REGIONS, limits.COARSE_BLOCK_BYTES))
        results = in_turn(tasks, partial(_proven, descriptor, found, region_bytes), wanted.workers)
        for proven in _in_order(results, found):
            together.add(proven)
        return together.finish()
    finally:
        together.close()


def _proven(descriptor: int, found: Outline, region_bytes: int, task: Task) -> Proven | str:
    """Forked processes share the file, and each reads at its own places."""
    if task is None:
        return _whole(descriptor, found.hashed)
    prover = Prover(found)
    return prover.proven(section_of(found, task[1], partial(_read, descriptor), region_bytes, prover.take))


def read_back(stream: BinaryIO, name: str, written: Summary, workers: int) -> ContentDigest:
    """The content digest of an archive that was just written, and of which every byte is read back from the disk.

    Raises:
        DamagedError: it is not what was written.
    """
    descriptor = stream.fileno()
    found = outline(partial(_read, descriptor), os.fstat(descriptor).st_size, name)
    if (found.header, found.counts, found.sha256) != (written.header, written.counts, written.sha256):
        raise DamagedError(f"{name}: what was read back is not what was written", hint="run the command again")
    digest, crossing = ContentDigest(), Crossing(found)
    tasks: list[Task] = list(enumerate(found.sections()))
    for back in _in_order(in_turn(tasks, partial(_back, descriptor, found), workers), found):
        line = crossing.line_before(back.section)
        digest += back.digest if line is None else back.digest + digest_of_lines(line[1])
    return digest


@dataclass(slots=True)
class _Back:
    section: Section = field(default_factory=lambda: Section(0, 0))
    digest: ContentDigest = field(default_factory=ContentDigest)

    def take(self, _: int, lines: bytes) -> None:
        self.digest += digest_of_lines(lines)


def _back(descriptor: int, found: Outline, task: Task) -> _Back | str:
    if task is None:
        return _whole(descriptor, found.hashed)
    back = _Back()
    back.section = section_of(found, task[1], partial(_read, descriptor), limits.CHUNK_BYTES, back.take)
    return back


def _in_order(results: Iterator[tuple[Task, T | str]], found: Outline) -> Iterator[T]:
    """The sections in their order, whenever they come; and the hash of the whole fits, where it was asked for."""
    waiting, following = dict[int, T](), 0
    for task, result in results:
        if isinstance(result, str):
            if result != found.sha256:
                raise DamagedError(f"{found.name}: footer.sha256: it does not fit what stands before it")
        elif task is not None:
            waiting[task[0]] = result
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def _whole(descriptor: int, size: int) -> str:
    whole = sha256()
    for offset in range(0, size, limits.CHUNK_BYTES):
        whole.update(_read(descriptor, offset, min(limits.CHUNK_BYTES, size - offset)))
    return whole.hexdigest()


def _read(descriptor: int, offset: int, size: int) -> bytes:
    data = os.pread(descriptor, size, offset)
    while len(data) < size and (more := os.pread(descriptor, size - len(data), offset + len(data))):
        data += more
    return data
