"""An archive that is read twice through one open file: first strictly, then to be given to a node."""

import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from runbook.adapters.archives.exports import spill
from runbook.adapters.files import open_regular, storage
from runbook.archive import limits
from runbook.archive.layout import Summary
from runbook.archive.reader import ArchiveReader, chunks_of, plain
from runbook.errors import UsageError

STDIN = "-"
Passing = Callable[[str, Iterator[bytes], int], Iterator[bytes]]
"""Is given a label, chunks as they are stored and their size, and gives them on: that is how progress is told."""


class HeldArchive:
    """The archive behind one descriptor, so that no other file can take its place between the two readings.

    Raises:
        DamagedError, NotSupportedError: it is no whole archive, or of a newer version.
    """

    def __init__(self, name: str, stream: BinaryIO, passing: Passing) -> None:
        self.name = name
        self._stream = stream
        self._size = os.fstat(stream.fileno()).st_size
        self._passing = passing
        with storage(Path(name), "read"):
            self.summary: Summary = ArchiveReader(self._stored(f"verify {name}"), name, spill).read()

    @contextmanager
    def chunks(self) -> Iterator[Iterator[bytes]]:
        """Its bytes, unpacked, from the beginning."""
        with storage(Path(self.name), "read"):
            yield plain(self._stored(f"send {self.name}"), self.name)

    def _stored(self, label: str) -> Iterator[bytes]:
        self._stream.seek(0)
        return self._passing(label, chunks_of(self._stream), self._size)


@contextmanager
def held_archive(file: str, passing: Passing) -> Iterator[HeldArchive]:
    """The archive of that file; of standard input where it is `-`, kept in a temporary file without a name.

    Raises:
        UsageError: there is no such file, or it is a folder.
        StorageError: it cannot be read, or the disk refused.
        DamagedError, NotSupportedError: it is no whole archive, or of a newer version.
    """
    path = Path(file)
    if file == STDIN:
        with spill() as spool:
            with (
                storage(path, "keep standard input in a temporary file, and read"),
                os.fdopen(os.dup(0), "rb") as given,
            ):
                shutil.copyfileobj(given, spool, limits.CHUNK_BYTES)
                spool.flush()
            yield HeldArchive("standard input", spool, passing)
        return
    if not os.path.lexists(path):
        raise UsageError(f"there is no {path}", hint="an export, or - for standard input")
    if stat.S_ISDIR(path.lstat().st_mode):
        raise UsageError(f"{path} is a folder", hint="is it a backup? then it is restored, not imported")
    with storage(path, "read"):
        stream = os.fdopen(open_regular(path), "rb")
    with stream:
        yield HeldArchive(file, stream, passing)


def strictly(chunks: Iterable[bytes], name: str) -> Summary:
    """What the chunks hold, read to their end.

    Raises:
        DamagedError, NotSupportedError: they are no whole archive, or of a newer version.
    """
    return ArchiveReader(chunks, name, spill).read()
