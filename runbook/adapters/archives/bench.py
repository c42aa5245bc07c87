"""The port `Bench` on this disk."""

import shutil
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from runbook.adapters.archives.exports import opened_export, spill, write_export
from runbook.adapters.files import private_folder, storage
from runbook.archive.layout import Header, Summary
from runbook.archive.reader import ArchiveReader


class FileBench:
    """Archives as files, record by record; what they raise is what `exports` raises."""

    def reading(self, chunks: Iterable[bytes], name: str) -> ArchiveReader:
        """A strict reader of these bytes."""
        return ArchiveReader(chunks, name, spill)

    def opened(self, path: Path) -> AbstractContextManager[ArchiveReader]:
        """A strict reader of that file."""
        return opened_export(path)

    def write(self, path: Path, header: Header, records: Iterable[Mapping[str, Any]]) -> Summary:
        """Write the archive, durably, and read it back; its folder is made where there is none."""
        self.prepare(path.parent)
        return write_export(path, header, records)

    def prepare(self, folder: Path) -> None:
        """Make the folder, for nobody else's eyes, with those above it."""
        private_folder(folder)

    def discard(self, folder: Path) -> None:
        """Remove the folder with all that is in it. A symbolic link is not followed."""
        if folder.is_symlink() or not folder.exists():
            return
        with storage(folder, "remove"):
            shutil.rmtree(folder)
