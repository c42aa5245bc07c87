"""The port `Bundle`: a backup that is read for what is in it."""

from collections.abc import Iterator
from pathlib import Path

from runbook.adapters.archives.sealing import Identities
from runbook.adapters.archives.verify import records_of
from runbook.archive.digest import ContentDigest
from runbook.archive.kinds import Record
from runbook.archive.layout import Header
from runbook.archive.manifest import Manifest, Part
from runbook.model.backup import Backup


class FileBundle:
    """A backup in its folder; every reading of it is checked again, as at level 3."""

    def __init__(self, path: Path, backup: Backup, manifest: Manifest, identities: Identities | None) -> None:
        self.backup = backup
        self.parts = tuple(part.name for part in manifest.parts)
        self._path = path
        self._manifest = manifest
        self._identities = identities

    def header(self, part: str) -> Header:
        """That of the part as an archive."""
        about = self._manifest.about
        return Header(self._part(part).kind, about.created_at, about.node, about.snapshot, about.consistency)

    def digest(self, part: str) -> ContentDigest:
        """What the manifest says of its content."""
        return self._part(part).content_digest

    def batches(self, part: str) -> Iterator[list[Record]]:
        """Its records; nothing of them counts before they have ended."""
        return records_of(self._path, self._part(part), self._identities)

    def _part(self, name: str) -> Part:
        return next(part for part in self._manifest.parts if part.name == name)
