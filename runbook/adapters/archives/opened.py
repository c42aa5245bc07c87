"""Whatever holds records, opened alike: an export, packed or not, standard input, or a backup."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.adapters.archives.exports import opened_export
from runbook.adapters.archives.kept import summary_of
from runbook.adapters.archives.sealing import Identities
from runbook.adapters.archives.verify import records_of, verify_backup
from runbook.archive.kinds import Record
from runbook.archive.reader import ArchiveReader
from runbook.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from runbook.archive.layout import Header, Summary
    from runbook.archive.manifest import Manifest

STDIN = "-"


class BackupReader:
    """The records of a backup, as `ArchiveReader` gives those of an export.

    Raises:
        DamagedError, NotSupportedError, StorageError: here and while reading; see `verify_backup` at level 3.
        RefusedError: it is encrypted, and not for any of these identities.
    """

    def __init__(self, path: Path, identities: Identities | None = None) -> None:
        self.name = str(path)
        self.summary: Summary | None = None
        self._path = path
        self._identities = identities
        self._manifest: Manifest = verify_backup(path, 1).manifest
        if self._manifest.about.recipients and not identities:
            raise RefusedError(f"{path} is encrypted", hint="--identity FILE opens it")
        self._told = summary_of(self._manifest)
        self.header: Header = self._told.header

    def batches(self) -> Iterator[list[Record]]:
        """Every record of the data, then its residue is checked; when it ends, `summary` is there."""
        data, *more = self._manifest.parts
        yield from records_of(self._path, data, self._identities)
        for part in more:
            for _ in records_of(self._path, part, self._identities):
                pass
        self.summary = self._told


Reader = ArchiveReader | BackupReader


@contextmanager
def opened_archive(path: Path, identities: Identities | None = None) -> Iterator[Reader]:
    """A reader of what is at the path; `-` is standard input. The identities are for a backup that is encrypted.

    Raises:
        UsageError: there is nothing of that name.
        StorageError: it cannot be read, or is neither a regular file nor a folder.
        DamagedError: it is no archive.
        NotSupportedError: it is of a newer version.
        RefusedError: it is encrypted, and not for any of these identities.
    """
    if str(path) != STDIN and not os.path.lexists(path):
        raise UsageError(f"there is no {path}", hint="an export, a backup's folder, or - for standard input")
    if str(path) != STDIN and path.is_dir() and not path.is_symlink():
        yield BackupReader(path, identities)
        return
    with opened_export(path) as reader:
        yield reader
