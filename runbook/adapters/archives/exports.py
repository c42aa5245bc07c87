"""Export files: written whole and read back, or not there; read strictly, whatever they are called."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from runbook.adapters.files import open_regular, storage, write_stream
from runbook.archive.layout import Header, Summary
from runbook.archive.packed import PackedWriter
from runbook.archive.reader import ArchiveReader, chunks_of
from runbook.archive.writer import ArchiveWriter


def write_export(path: Path, header: Header, records: Iterable[Mapping[str, Any]], *, packed: bool = False) -> Summary:
    """Write the archive to that path, durably, and read it back; with `packed` as zstd.

    Returns:
        What was read back.

    Raises:
        StorageError: the disk refused.
        DamagedError: the records are not what an archive may hold, or what was read back is not what was written.
    """

    def write(stream: BinaryIO) -> None:
        out = PackedWriter(stream.write) if packed else None
        writer = ArchiveWriter(stream.write if out is None else out.write, header)
        for record in records:
            writer.add(record)
        writer.finish()
        if out is not None:
            out.finish()

    def verify(stream: BinaryIO) -> Summary:
        return ArchiveReader(chunks_of(stream), str(path), spill).read()

    return write_stream(path, write, verify)


@contextmanager
def opened_export(path: Path) -> Iterator[ArchiveReader]:
    """A reader of the file, or of standard input where the path is `-`.

    Raises:
        StorageError: it cannot be read, or is no regular file.
        DamagedError: it is no archive.
        NotSupportedError: it is of a newer version.
    """
    with storage(path, "read"):
        is_input = str(path) == "-"
        descriptor = os.dup(0) if is_input else open_regular(path)
        with os.fdopen(descriptor, "rb") as stream:
            yield ArchiveReader(chunks_of(stream), "standard input" if is_input else str(path), spill)


def spill() -> BinaryIO:
    """A temporary file without a name, on the disk."""
    return tempfile.TemporaryFile()
