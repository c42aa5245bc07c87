"""Export files: written whole and read back, or not there; read strictly, whatever they are called."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from runbook.adapters.files import open_regular, storage, write_stream
from runbook.archive import limits
from runbook.archive.frames import Packer
from runbook.archive.layout import Header, Summary
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
        out = PackedStream(stream) if packed else stream
        writer = ArchiveWriter(out.write, header)
        for record in records:
            writer.add(record)
        writer.finish()
        if isinstance(out, PackedStream):
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
    return tempfile.TemporaryFile()  # type: ignore[return-value]  # it is a BufferedRandom


class PackedStream:
    """Packs what is written into zstd frames of 8 MiB, each with its size and checksum."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._packer = Packer()
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        """Take all of the data."""
        self._waiting += data
        while len(self._waiting) >= limits.FRAME_BYTES:
            self._stream.write(self._packer.frame(bytes(self._waiting[: limits.FRAME_BYTES])))
            del self._waiting[: limits.FRAME_BYTES]
        return len(data)

    def finish(self) -> None:
        """Write the last frame."""
        if self._waiting:
            self._stream.write(self._packer.frame(bytes(self._waiting)))
            self._waiting.clear()
