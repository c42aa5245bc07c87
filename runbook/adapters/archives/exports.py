"""Export files: written whole and read back, or not there; read strictly, whatever they are called."""

import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from runbook.adapters.files import open_regular, refusal, storage, write_stream
from runbook.archive.layout import Header, Summary
from runbook.archive.packed import PackedWriter
from runbook.archive.reader import ArchiveReader, chunks_of
from runbook.archive.writer import ArchiveWriter
from runbook.errors import StorageError


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


class _Spill(io.FileIO):
    """Its refusal names the folder of temporary files: the archive's disk may be another. What waits is dropped."""

    _is_refused = False

    def write(self, data: Any, /) -> int:
        if self._is_refused:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except OSError as error:
            self._is_refused = True
            raise _no_room(error) from error


def spill() -> BinaryIO:
    """A temporary file without a name, on the disk.

    Raises:
        StorageError: here and while it is written: the disk refused.
    """
    try:
        with tempfile.TemporaryFile(buffering=0) as file:
            return io.BufferedRandom(_Spill(os.dup(file.fileno()), "r+b"))
    except OSError as error:
        raise _no_room(error) from error


def _no_room(error: OSError) -> StorageError:
    found = refusal(error, Path(tempfile.gettempdir()), "write a temporary file in")
    found.hint = f"{found.hint}; TMPDIR names another folder".removeprefix("; ")
    return found
