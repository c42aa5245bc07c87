"""The folder of the backups: which there are, what is known of each beside it, and how one comes and goes.

Beside the backups lies `.known`: a file for each pin, and one for what was proven of a backup last. These are no part
of a backup: without them it is as good, only nobody knows yet.
"""

import re
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path

from runbook.adapters.archives.backups import DRAFT, SUFFIX, create_backup, lines_of
from runbook.adapters.archives.bundle import FileBundle
from runbook.adapters.archives.exports import spill
from runbook.adapters.archives.known import Known
from runbook.adapters.archives.sealing import Identities, Sealer
from runbook.adapters.archives.verify import Passed, ignored, verify_backup
from runbook.adapters.files import storage, sync_folder
from runbook.archive.forgetting import Forgotten
from runbook.archive.manifest import About, JournalPoint, Manifest
from runbook.archive.reader import ArchiveReader
from runbook.errors import DamagedError, NotSupportedError, RunbookError, StorageError, UsageError
from runbook.model.backup import CREATED_AT_LEVEL, Backup, Order, Proof, TwoMomentsError

GONE = ".gone"
_NAME = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]*{re.escape(SUFFIX)}")
_HIDDEN = re.compile(rf"\.[A-Za-z0-9_.-]+({re.escape(DRAFT)}|{re.escape(GONE)})")
_SEALED = "it is encrypted: what was stored was read back, and who writes cannot open it"


class FolderVault:
    """The port `Vault`, as a folder; it is made when the first backup is written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known = Known(folder / ".known")

    def shelf(self) -> tuple[Backup, ...]:
        """Every backup, the newest first; each was looked at, at level 1."""
        with storage(self.folder, "read"):
            try:
                names = [path.name for path in self.folder.iterdir() if _NAME.fullmatch(path.name)]
            except FileNotFoundError:
                return ()
        return tuple(sorted(map(self._seen, names), key=lambda each: each.order, reverse=True))

    def sweep(self) -> int:
        """Remove what killed runs left unfinished; how many there were."""
        found = 0
        with storage(self.folder, "clear up"):
            for path in self.folder.iterdir() if self.folder.is_dir() else ():
                if _HIDDEN.fullmatch(path.name) and stat.S_ISDIR(path.lstat().st_mode):
                    shutil.rmtree(path)
                    found += 1
        self._known.sweep()
        return found

    def write(self, order: Order, records: Iterator[bytes], residue: Iterator[bytes] | None) -> Proof:
        """Write one from these archives, read strictly as they come, and read it back."""
        if order.recipients:
            Sealer(order.recipients)  # no node is asked for the sake of one that is none
        with ExitStack() as readers:
            reader = readers.enter_context(closing(ArchiveReader(records, f"the export of {order.host}", spill)))
            left = None
            if residue is not None:
                left = readers.enter_context(closing(ArchiveReader(residue, f"the residue of {order.host}", spill)))
            path = self._create(order, reader, left)
        sealed = bool(order.recipients)
        level = 1 if sealed else CREATED_AT_LEVEL
        told = self._told(path.name, verify_backup(path, 1).manifest)
        proof = Proof(replace(told, level=level), CREATED_AT_LEVEL, level, _SEALED if sealed else "")
        self.remember(proof)
        return proof

    def _create(self, order: Order, reader: ArchiveReader, left: ArchiveReader | None) -> Path:
        moments = {each.header.snapshot for each in (reader, left) if each is not None}
        if len(moments) > 1 and not order.fuzzy:
            raise TwoMomentsError(f"{order.host} was written to between its records and their residue")
        about = self._about(order, reader, fuzzy=len(moments) > 1)
        residue = None if left is None else _some(left)
        return create_backup(self.folder, about, reader.header.kind, _lines(reader), residue)

    def verify(self, name: str, level: int, identities: Sequence[Path] = (), passed: Passed = ignored) -> Proof:
        """Verify the backup of that name, or at that path, at a level up to 3; what came of it is remembered."""
        path = self.path(name)
        keys = Identities(identities) if identities else None
        try:
            verified = verify_backup(path, level, keys, passed)
        except DamagedError as error:
            if path.parent == self.folder and path.exists():
                with suppress(StorageError):  # the damage is what is told
                    self._known.damaged(path.name, self._told_anyway(path.name).seal, error.message)
            raise
        proof = Proof(self._told(path.name, verified.manifest), level, verified.level, verified.why_not)
        if path.parent == self.folder:
            self.remember(proof)
        return proof

    def remember(self, proof: Proof) -> None:
        """Keep what was proven of it, where nothing higher was."""
        self._known.proven(proof.backup.name, proof.backup.seal, proof.level)

    def opened(self, name: str, identities: Sequence[Path] = ()) -> FileBundle:
        """The backup of that name, or at that path, to be read; level 1 of it is proven here."""
        path = self.path(name)
        found = verify_backup(path, 1).manifest
        keys = Identities(identities) if identities else None
        return FileBundle(path, self._told(path.name, found), found, keys)

    def forgotten(self) -> Forgotten:
        """Nothing yet, and room on the disk for more."""
        return Forgotten(spill)

    def pin(self, name: str, *, on: bool) -> None:
        """Have `prune` never remove it, or let go of that."""
        self._known.pin(self._there(name), on=on)

    def remove(self, name: str) -> None:
        """Remove it; killed anywhere, it is there whole or it is gone."""
        hidden = self.folder / f".{self._there(name)}{GONE}"
        with storage(self.folder / name, "remove"):
            (self.folder / name).rename(hidden)
            sync_folder(self.folder)
            shutil.rmtree(hidden)
        self._known.forget(name)

    def path(self, name: str) -> Path:
        """Where the backup of that name, or at that path, is.

        Raises:
            UsageError: there is none.
        """
        path = Path(name)
        if "/" not in name:
            return self.folder / self._there(name)
        if not path.is_dir():
            raise UsageError(f"there is no backup {name}", hint="runbook backup list")
        return path.absolute()

    def _there(self, name: str) -> str:
        if not _NAME.fullmatch(name) or not (self.folder / name).is_dir():
            raise UsageError(f"there is no backup {name} in {self.folder}", hint="runbook backup list")
        return name

    def _seen(self, name: str) -> Backup:
        try:
            return self._told(name, verify_backup(self.folder / name, 1).manifest)
        except (DamagedError, NotSupportedError, StorageError) as error:
            told = self._told_anyway(name)
            return replace(told, damage=error.message, level=None)

    def _told_anyway(self, name: str) -> Backup:
        """What the manifest says, where that at least is whole."""
        with suppress(RunbookError):
            return self._told(name, verify_backup(self.folder / name, 0).manifest)
        return Backup(name, pinned=self._known.is_pinned(name))

    def _told(self, name: str, found: Manifest) -> Backup:
        about = found.about
        level, damage = self._known.of(name, found.sha256)
        shards = [shard for part in found.parts for shard in part.shards]
        return Backup(
            name=name,
            number=about.number,
            target=about.target,
            node=about.node,
            host=about.host,
            kind=found.parts[0].kind,
            snapshot=about.snapshot,
            created_at=about.created_at,
            counts=found.parts[0].counts,
            stored_bytes=sum(shard.stored_bytes for shard in shards),
            raw_bytes=sum(shard.raw_bytes for shard in shards),
            parent=about.parent,
            recipients=about.recipients,
            consistency=about.consistency,
            seal=found.sha256,
            digest=str(found.parts[0].content_digest),
            level=level,
            pinned=self._known.is_pinned(name),
            damage=damage,
        )

    def _about(self, order: Order, reader: ArchiveReader, *, fuzzy: bool) -> About:
        header = reader.header
        number = 1 + max((each.number for each in self.shelf()), default=0)
        return About(
            target=order.target,
            created_at=header.created_at,
            node=header.node,
            snapshot=header.snapshot,
            written_by=order.written_by,
            consistency="fuzzy" if fuzzy else header.consistency,
            parent=order.parent,
            journal=None if order.journal is None else JournalPoint(*order.journal),
            host=order.host,
            number=number,
            recipients=order.recipients,
        )


def _lines(reader: ArchiveReader) -> Iterator[tuple[bytes, tuple[str, ...]]]:
    return lines_of(chain.from_iterable(reader.batches()), reader.header.kind)


def _some(reader: ArchiveReader) -> Iterator[tuple[bytes, tuple[str, ...]]] | None:
    """The lines of an archive that has any; it was read to its end where it has none."""
    lines = _lines(reader)
    first = next(lines, None)
    return None if first is None else chain([first], lines)
