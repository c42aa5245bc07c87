"""The port `Archives`: archive files on this disk, and backups where only reading is asked for."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from runbook.adapters.archives.exports import opened_export, spill
from runbook.adapters.archives.verify import verify_backup
from runbook.adapters.files import open_regular, storage, write_stream
from runbook.archive.layout import Header, Summary
from runbook.archive.manifest import Manifest
from runbook.archive.packed import PackedWriter
from runbook.archive.reader import ArchiveReader, chunks_of, plain
from runbook.errors import RefusedError

PACKED = ".zst"
"""How the name of a packed export ends."""
_LEVEL = 3


class KeptArchives:
    """Archives by their paths. A name that ends in `.zst` is packed when it is written; when read, the bytes tell."""

    def keep(self, chunks: Iterable[bytes], path: Path) -> Summary:
        """Write the bytes as they come, durably, and read them back strictly before they take their name."""
        return keep_archive(chunks, path, packed=path.name.endswith(PACKED))

    def read(self, path: Path) -> Summary:
        """Read the file, or backup bundle, to its end at verify level 3; one that is encrypted is refused."""
        if path.is_dir():
            found = verify_backup(path, _LEVEL)
            if found.level < _LEVEL:
                raise RefusedError(f"{path}: {found.why_not}", hint="runbook backup verify --identity FILE reads it")
            return summary_of(found.manifest)
        with opened_export(path) as reader:
            return reader.read()

    @contextmanager
    def chunks(self, path: Path) -> Iterator[Iterator[bytes]]:
        """The bytes of the file, unpacked."""
        with storage(path, "read"), os.fdopen(open_regular(path), "rb") as stream:
            yield plain(chunks_of(stream), str(path))

    def free_bytes(self, folder: Path) -> int:
        """How much the disk of that folder, or of the one it will be made in, can still take."""
        with storage(folder, "look at the disk of"):
            there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
            found = os.statvfs(there)
            return found.f_bavail * found.f_frsize


def keep_archive(chunks: Iterable[bytes], path: Path, *, packed: bool) -> Summary:
    """Write the bytes of an archive to that path, packed or not, and read them back.

    Raises:
        DamagedError: they are no whole archive; nothing is left of them.
        StorageError: the disk refused; nothing is left of them.
        Whatever `chunks` raises; nothing is left of them.
    """

    def produce(write: Callable[[bytes], object]) -> None:
        for chunk in chunks:
            write(chunk)

    return keep_produced(produce, path, packed=packed)


def keep_produced(produce: Callable[[Callable[[bytes], object]], object], path: Path, *, packed: bool) -> Summary:
    """The same for an archive that `produce` writes, with the function that it is given."""

    def write(stream: BinaryIO) -> None:
        packer = PackedWriter(stream.write) if packed else None
        produce(stream.write if packer is None else packer.write)
        if packer is not None:
            packer.finish()

    def verify(stream: BinaryIO) -> Summary:
        return ArchiveReader(chunks_of(stream), str(path), spill).read()

    return write_stream(path, write, verify)


def summary_of(found: Manifest) -> Summary:
    """What a manifest says of its records, in the words of an export; `sha256` is the manifest's own."""
    about, part = found.about, found.parts[0]
    header = Header(part.kind, about.created_at, about.node, about.snapshot, about.consistency)
    size = sum(shard.raw_bytes for shard in part.shards)
    return Summary(header, part.counts, size, found.sha256, part.content_digest)
