"""Writes a backup: a folder that has its name only once every byte of it is durable and was read back.

It grows under a hidden name. The shards come first, the schemas, the manifest last; then it is verified at level 2,
and renamed. Whatever stops this leaves a hidden folder without value, and no backup that is not one.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.adapters.archives.verify import verify_backup
from runbook.adapters.files import (
    durable_file,
    open_regular,
    private_folder,
    safe_name,
    storage,
    sync_folder,
    write_atomic,
)
from runbook.archive import canonical, limits, manifest
from runbook.archive.digest import ContentDigest
from runbook.archive.frames import Packer
from runbook.archive.kinds import Key, archive_kind, schema_bytes, schema_name
from runbook.archive.manifest import About, Manifest, Part, SchemaFile
from runbook.archive.reader import chunks_of
from runbook.archive.shards import Count, ShardWriter
from runbook.errors import DamagedError, RefusedError

if TYPE_CHECKING:
    from runbook.archive.shards import Shard

SUFFIX = ".backup"
SCHEMAS = "schema"
_SHORT_DIGEST = 12
_LEVEL_OF_CREATION = 2

Lines = Iterable[tuple[bytes, Key]]
"""Canonical lines in the order of an archive, each with its type, space and ids."""


def lines_of(records: Iterable[Mapping[str, Any]], kind: str) -> Iterator[tuple[bytes, Key]]:
    """The records as `create_backup` takes them.

    Raises:
        DamagedError: one is no record of this kind, stands out of order or is there twice.
    """
    kinds = archive_kind(kind).records
    last: tuple[int, Key] = (-1, ())
    for record in records:
        found = kinds.get(record["type"])
        if found is None:
            raise DamagedError(f"{record['type']!r} is no record of a {kind} archive")
        key = found.key_of(record)
        if (found.rank, key) <= last:
            raise DamagedError(f"the {found.name} {'/'.join(key)} comes out of order, or twice")
        last = (found.rank, key)
        yield canonical.encode(record, found), (found.name, *key)


def create_backup(folder: Path, about: About, kind: str, records: Lines, residue: Lines | None = None) -> Path:
    """Write a backup of these records into the folder, and verify it at level 2.

    Returns:
        The folder of the backup.

    Raises:
        StorageError: the disk refused.
        RefusedError: this very backup is there already.
        DamagedError: what was read back is not what was written.
    """
    safe_name(about.target, "target")
    private_folder(folder)
    with storage(folder, "write a backup into"), _draft(folder) as draft:
        parent = _shards_of(folder / about.parent) if about.parent else {}
        parts = [PartWriter(draft, "records", kind, parent).write(records)]
        if residue is not None:
            parts.append(PartWriter(draft, "residue", "residue", parent).write(residue))
        schemas = _write_schemas(draft, {part.kind for part in parts})
        sealed = Manifest(about, tuple(parts), schemas).sealed()
        sync_folder(draft)
        write_atomic(draft / manifest.NAME, sealed.render())
        verify_backup(draft, _LEVEL_OF_CREATION)
        final = folder / _name(sealed, kind)
        if final.exists():
            raise RefusedError(f"{final} is there already: nothing has changed since", hint="verify it")
        draft.rename(final)
        sync_folder(folder)
    return final


def _name(sealed: Manifest, kind: str) -> str:
    created = sealed.about.created_at[:19].replace("-", "").replace(":", "") + "Z"
    return f"{created}-{sealed.about.target}-{kind}-{sealed.sha256[:_SHORT_DIGEST]}{SUFFIX}"


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    draft = folder / f".{secrets.token_hex(6)}.draft"
    draft.mkdir(mode=0o700)
    try:
        yield draft
    finally:
        with suppress(OSError):
            shutil.rmtree(draft)


def _shards_of(parent: Path) -> dict[str, Path]:
    """Where the shards of a backup are, by the hash of what is stored."""
    try:
        parts = verify_backup(parent, 1).manifest.parts
    except (DamagedError, FileNotFoundError):
        return {}  # then nothing is shared with it, and everything is written
    return {shard.stored_sha256: parent / shard.name for part in parts for shard in part.shards}


def _write_schemas(draft: Path, kinds: Iterable[str]) -> tuple[SchemaFile, ...]:
    (draft / SCHEMAS).mkdir(mode=0o700)
    found = []
    for kind in sorted(kinds):
        name, data = f"{schema_name(kind)}.schema.json", schema_bytes(kind)
        write_atomic(draft / SCHEMAS / name, data)
        found.append(SchemaFile(name, len(data), sha256(data).hexdigest()))
    return tuple(found)


def _holds(path: Path, wanted: str) -> bool:
    """Does the file have that hash? A damaged parent must not damage its child."""
    found = Count()
    try:
        with os.fdopen(open_regular(path), "rb", buffering=0) as stream:
            for chunk in chunks_of(stream):
                found.update(chunk)
    except OSError:
        return False
    return found.sha256 == wanted


class PartWriter:
    """Writes the shards of one part into the folder of a backup that grows."""

    def __init__(self, draft: Path, name: str, kind: str, parent: Mapping[str, Path]) -> None:
        self._draft = draft
        self._name = name
        self._kind = kind
        self._parent = parent
        self._packer = Packer()
        self._shards: list[Shard] = []
        self._digest = ContentDigest()
        self._counts = dict.fromkeys(archive_kind(kind).types(since=False), 0)

    def write(self, lines: Lines) -> Part:
        """All of them; an empty part has no shard."""
        source = iter(lines)
        while (first := next(source, None)) is not None:
            if len(self._shards) == limits.SHARDS:
                raise RefusedError(f"more than {limits.SHARDS} shards", hint="back up node by node (--all-nodes)")
            self._write_shard(first, source)
        return Part(self._name, self._kind, self._counts, self._digest, tuple(self._shards))

    def _write_shard(self, first: tuple[bytes, Key], source: Iterator[tuple[bytes, Key]]) -> None:
        path = self._draft / f"{self._name}-{len(self._shards):05d}.ndjson.zst"
        with durable_file(path) as stream:
            writer = ShardWriter(stream.write, self._packer)
            self._add(writer.add, first)
            while not writer.full and (found := next(source, None)) is not None:
                self._add(writer.add, found)
            shard = writer.finish(path.name)
        self._digest += writer.digest
        self._shards.append(shard)
        twin = self._parent.get(shard.stored_sha256)
        if twin is not None and _holds(twin, shard.stored_sha256):
            self._link(twin, path)

    def _add(self, add: Callable[[bytes, Key], None], found: tuple[bytes, Key]) -> None:
        self._counts[found[1][0]] += 1
        add(*found)

    @staticmethod
    def _link(twin: Path, path: Path) -> None:
        """Have the parent's shard here too, where the file system can; verification reads it like any other."""
        spare = path.with_suffix(".link")
        with suppress(OSError):
            os.link(twin, spare, follow_symlinks=False)
            spare.rename(path)
