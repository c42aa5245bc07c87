"""Ports for data as a whole: that of one node, archives on this disk, and their conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from runbook.ports.fleet import Talk

if TYPE_CHECKING:  # its numpy would cost every command a tenth of a second
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import timedelta
    from pathlib import Path

    from runbook.archive.layout import Header, Summary
    from runbook.archive.reader import ArchiveReader
    from runbook.model.conversion import Converted, Job, Surveyed
    from runbook.model.generation import Holdings, Remembered, Taken


class DataNode(Protocol):
    """One node. Archives pass as chunks of bytes, none empty, each of 1 MiB at most; nothing holds a whole one.

    Every method may raise:
        UnreachableError: the node does not answer, or the connection broke in the middle.
        NotSupportedError: the node does not have this part of the operations contract.
        RefusedError: the node says no; or its token is not kept as it must be.
    """

    name: str
    """As the inventory calls it."""

    def holdings(self) -> Holdings:
        """Its generations, and its own id."""
        ...

    def export(
        self, kind: str, *, since: int | None = None, generation: str = ""
    ) -> AbstractContextManager[Iterator[bytes]]:
        """One snapshot as an archive; of the served generation, unless another one is named.

        With `since` only what changed after that sequence number, tombstones included. The bytes are as the node sent
        them: whoever takes them reads them strictly. An interrupted stream raises while it is read.
        """
        ...

    def fill(self, chunks: Iterable[bytes]) -> Taken:
        """A whole archive into a new staging generation; when it fails, nothing is left of it.

        Raises:
            DamagedError: the node found the archive damaged.
            LockedError: another import is under way.
            StorageError: the node's disk refused.
        """
        ...

    def add(self, generation: str, chunks: Iterable[bytes]) -> Taken:
        """Residue, or what changed since, into the staging generation, or the kept one; all of it or nothing.

        Raises:
            DamagedError, LockedError, StorageError: as for `fill`.
        """
        ...

    def activate(self, generation: str, if_sequence: int) -> int:
        """Serve that generation, in one step; the sequence number from which it goes on. The served one is kept.

        Raises:
            WrittenSinceError: the served generation's last change is another one; nothing was switched.
            StorageError: the node's disk refused; the old one is served.
        """
        ...

    def drop(self, generation: str) -> None:
        """Let go of a generation that is not served."""
        ...

    def freeze(self, ttl: timedelta) -> int:
        """Have the node refuse writes for so long; at which sequence number it stands. Asked again, it lasts longer.

        It ends by itself, and does not outlive a restart of the node.
        """
        ...

    def unfreeze(self) -> None:
        """Have it take writes again."""
        ...

    def recall(self, space: str, embedding: Sequence[float], count: int, group: str = "") -> tuple[Remembered, ...]:
        """What comes to mind, best first; changes no state and no metric of the node.

        `group` is named to the node as a splitter names it; without one the node assigns the space itself.
        """
        ...


class Archives(Protocol):
    """Archive files on this disk, read strictly and written whole or not at all."""

    def keep(self, chunks: Iterable[bytes], path: Path) -> Summary:
        """Write the bytes as they come to that path, durably, once they have been read strictly to their end.

        Raises:
            DamagedError: they are no whole archive; nothing is left of them.
            StorageError: the disk refused; nothing is left of them.
        """
        ...

    def read(self, path: Path) -> Summary:
        """Read the file, or backup bundle, to its end at verify level 3, for the proof alone.

        Raises:
            DamagedError: it is damaged; the message names the place.
            NotSupportedError: it is of a newer version.
            StorageError: it cannot be read.
        """
        ...

    def chunks(self, path: Path) -> AbstractContextManager[Iterator[bytes]]:
        """The bytes of the file, unpacked."""
        ...

    def free_bytes(self, folder: Path) -> int:
        """How much the disk of that folder, or of the one it will be made in, can still take."""
        ...


class Telling(Talk, Protocol):
    """Talk about what moves data."""

    def moved(self, label: str, done: int, total: int | None) -> None:
        """So many records of that are done; a new label begins anew."""
        ...


class Bench(Protocol):
    """Archives record by record, for what is joined or narrowed on the way; and folders of work that is done."""

    def reading(self, chunks: Iterable[bytes], name: str) -> ArchiveReader:
        """A strict reader of these bytes, which messages call by that name.

        Raises:
            DamagedError: they are no archive.
        """
        ...

    def opened(self, path: Path) -> AbstractContextManager[ArchiveReader]:
        """A strict reader of that file.

        Raises:
            DamagedError: it is no archive.
            StorageError: it cannot be read.
        """
        ...

    def write(self, path: Path, header: Header, records: Iterable[Mapping[str, Any]]) -> Summary:
        """Write the archive to that path, durably, and read it back.

        Raises:
            DamagedError: the records are not what such an archive may hold, or not in its order.
            StorageError: the disk refused.
        """
        ...

    def prepare(self, folder: Path) -> None:
        """Make the folder, for nobody else's eyes, with those above it.

        Raises:
            StorageError: the disk refused.
        """
        ...

    def discard(self, folder: Path) -> None:
        """Remove the folder with all that a run made in it; nothing where there is none."""
        ...


class Converter(Protocol):
    """Runs migrations over archive files.

    One converter reads the sources of a job once, for the survey and for the conversion that follows it; whether they
    changed in between, the conversion finds out.
    """

    def survey(self, job: Job) -> Surveyed:
        """Read the sources strictly; what the job would convert. Only what must be unpacked for it goes to `work`.

        Raises:
            DamagedError: the source or the residue is damaged, or the residue is of another node.
            RefusedError: the migration converts another kind of archive.
            NotSupportedError: there is no such migration, or an archive is of a newer version.
            StorageError: a file cannot be read, or the disk refused.
        """
        ...

    def convert(self, job: Job, progress: Callable[[int, int], None]) -> Converted:
        """Carry out the job; `progress` is told the records done and their total.

        The same job gives the same bytes, however often it was killed on the way, and whatever the workers.

        Raises:
            DamagedError: the source or the residue is damaged, or changed while it was read.
            RefusedError: the migration refuses these records.
            AnotherJobError: `work` holds another job.
            StorageError: the disk refused.
        """
        ...
