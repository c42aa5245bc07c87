"""Reads a plain archive strictly, section by section, in several processes; its hash as a whole is one more task."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import BinaryIO

from runbook.adapters.archives.conversion.pool import in_turn
from runbook.adapters.archives.exports import spill
from runbook.archive import limits
from runbook.archive.outline import Outline, outline
from runbook.archive.reader import ArchiveReader, chunks_of
from runbook.archive.regions import Scanned
from runbook.archive.sections import Proofs, Proven, Together, prove
from runbook.errors import DamagedError

Task = tuple[int, range] | None
"""A section with its number, or the hash of the whole."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the archive is read: for the digest of its content, or for regions that are read again; by how many."""

    digest: bool
    regions: bool
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
    proofs = Proofs(wanted.digest, wanted.regions, wanted.region_bytes)
    together = Together(found, proofs, spill)
    tasks: list[Task] = [None, *enumerate(found.sections())]
    try:
        results = in_turn(tasks, partial(_done, descriptor, found, proofs), wanted.workers)
        for proven in _in_order(results, found):
            together.add(proven)
        return together.finish()
    finally:
        together.close()


def _in_order(results: Iterator[tuple[Task, Proven | str]], found: Outline) -> Iterator[Proven]:
    """The sections in their order, whenever they come; and the hash of the whole fits."""
    waiting, following = dict[int, Proven](), 0
    for task, result in results:
        if isinstance(result, str):
            if result != found.sha256:
                raise DamagedError(f"{found.name}: footer.sha256: it does not fit what stands before it")
        elif task is not None:
            waiting[task[0]] = result
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def _done(descriptor: int, found: Outline, proofs: Proofs, task: Task) -> Proven | str:
    """Forked processes share the file, and each reads at its own places."""
    if task is None:
        return _whole(descriptor, found.hashed)
    return prove(found, task[1], partial(_read, descriptor), proofs)


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
