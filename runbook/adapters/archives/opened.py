"""Whatever holds records, opened alike: an export, packed or not, standard input, or a backup."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.adapters.archives.exports import opened_export
from runbook.adapters.archives.kept import summary_of
from runbook.adapters.archives.verify import records_of, verify_backup
from runbook.archive.kinds import Record
from runbook.archive.reader import ArchiveReader
from runbook.errors import UsageError

if TYPE_CHECKING:
    from runbook.archive.layout import Header, Summary
    from runbook.archive.manifest import Manifest

STDIN = "-"


class BackupReader:
    """The records of a backup, as `ArchiveReader` gives those of an export.

    Raises:
        DamagedError, NotSupportedError, StorageError: here and while reading; see `verify_backup` at level 3.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self.summary: Summary | None = None
        self._path = path
        self._manifest: Manifest = verify_backup(path, 1).manifest
        self._told = summary_of(self._manifest)
        self.header: Header = self._told.header

    def batches(self) -> Iterator[list[Record]]:
        """Every record of the data, then its residue is checked; when it ends, `summary` is there."""
        data, *more = self._manifest.parts
        yield from records_of(self._path, data)
        for part in more:
            for _ in records_of(self._path, part):
                pass
        self.summary = self._told


Reader = ArchiveReader | BackupReader


@contextmanager
def opened_archive(path: Path) -> Iterator[Reader]:
    """A reader of what is at the path; `-` is standard input.

    Raises:
        UsageError: there is nothing of that name.
        StorageError: it cannot be read, or is neither a regular file nor a folder.
        DamagedError: it is no archive.
        NotSupportedError: it is of a newer version.
    """
    if str(path) != STDIN and not os.path.lexists(path):
        raise UsageError(f"there is no {path}", hint="an export, a backup's folder, or - for standard input")
    if str(path) != STDIN and path.is_dir() and not path.is_symlink():
        yield BackupReader(path)
        return
    with opened_export(path) as reader:
        yield reader
