"""A source of a conversion: read strictly to its end as a plain file, with its regions known.

What is packed, a backup or standard input is first unpacked into the folder of the job.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from runbook.adapters.archives.conversion.strictly import Wanted, read_strictly
from runbook.adapters.archives.exports import write_export
from runbook.adapters.archives.verify import records_of, verify_backup
from runbook.adapters.files import open_regular, storage, write_stream
from runbook.archive import frames
from runbook.archive.layout import Header
from runbook.archive.reader import chunks_of
from runbook.archive.regions import Scanned
from runbook.errors import DamagedError

_NO_SUCH_PART = "make a backup of a node that holds residue, or give the residue as a file"


@dataclass(frozen=True, slots=True)
class Opened:
    """A plain archive that was read strictly; `path` is where it lies, which may be a copy."""

    path: Path
    scanned: Scanned


def opened(path: Path, part: str, work: Path, wanted: Wanted) -> Opened:
    """Read the archive at that path (`-` is standard input), or that part of the backup there, at verify level 3.

    Raises:
        DamagedError: it is damaged; the message names the place.
        NotSupportedError: it is of a newer version.
        StorageError: it cannot be read, or there is no room to unpack it.
    """
    spool = work / f"{part}.spool"
    if path.is_dir() and not path.is_symlink():
        _of_backup(path, part, spool)
    elif str(path) == "-" or _is_packed(path):
        _unpack(path, spool)
    else:
        return Opened(path, _strictly(path, wanted))
    return Opened(spool, _strictly(spool, wanted))


def residue_in(backup: Path) -> bool:
    """Does the backup hold residue?

    Raises:
        DamagedError, NotSupportedError, StorageError: as for `opened`.
    """
    return any(part.name == "residue" for part in verify_backup(backup, 0).manifest.parts)


def _strictly(path: Path, wanted: Wanted) -> Scanned:
    with storage(path, "read"), os.fdopen(open_regular(path), "rb") as stream:
        return read_strictly(stream, str(path), wanted)


def _is_packed(path: Path) -> bool:
    with storage(path, "read"), os.fdopen(open_regular(path), "rb") as stream:
        return stream.read(len(frames.MAGIC)) == frames.MAGIC


def _unpack(path: Path, spool: Path) -> None:
    is_input = str(path) == "-"
    name = "standard input" if is_input else str(path)
    with storage(path, "read"):
        source = os.fdopen(os.dup(0) if is_input else open_regular(path), "rb")

    def write(stream: BinaryIO) -> None:
        start = source.read(len(frames.MAGIC))
        chunks = _chained(start, chunks_of(source))
        stream.writelines(frames.unpacked(chunks, name) if start == frames.MAGIC else chunks)

    with source:
        write_stream(spool, write, lambda _: None)


def _chained(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if start:
        yield start
    yield from rest


def _of_backup(path: Path, part: str, spool: Path) -> None:
    manifest = verify_backup(path, 1).manifest
    name = "residue" if part == "residue" else "records"
    found = next((each for each in manifest.parts if each.name == name), None)
    if found is None:
        raise DamagedError(f"the backup {path} has no {name}", hint=_NO_SUCH_PART)
    about = manifest.about

    def records() -> Iterator[dict[str, Any]]:
        for batch in records_of(path, found):
            yield from batch

    write_export(spool, Header(found.kind, about.created_at, about.node, about.snapshot), records())
