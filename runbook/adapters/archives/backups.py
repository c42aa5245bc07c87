"""Writes a backup: a folder that has its name only once every byte of it is durable and was read back.

It grows under a hidden name. The shards come first, the schemas, the manifest last; then it is verified at level 2,
and renamed. Whatever stops this leaves a hidden folder without value, and no backup that is not one.
"""

import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from runbook.adapters.archives.parts import Lines, PartWriter, Twins
from runbook.adapters.archives.sealing import Sealer
from runbook.adapters.archives.verify import verify_backup
from runbook.adapters.files import private_folder, safe_name, storage, sync_folder, write_atomic
from runbook.archive import canonical, manifest
from runbook.archive.kinds import Key, archive_kind, schema_bytes, schema_name
from runbook.archive.manifest import About, Manifest, SchemaFile
from runbook.errors import DamagedError, RefusedError, StorageError

SUFFIX = ".backup"
SCHEMAS = "schema"
DRAFT = ".draft"
_SHORT_DIGEST = 12
_LEVEL_OF_CREATION = 2


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

    Where `about` names recipients, every shard is encrypted to them; then level 2 is that of what is stored, since who
    writes cannot open it.

    Returns:
        The folder of the backup.

    Raises:
        StorageError: the disk refused.
        RefusedError: this very backup is there already.
        DamagedError: what was read back is not what was written.
    """
    safe_name(about.target, "target")
    private_folder(folder)
    sealer = Sealer(about.recipients) if about.recipients else None
    about = replace(about, recipients=sealer.recipients if sealer else ())
    with storage(folder, "write a backup into"), _draft(folder) as draft:
        twins = _twins_of(folder, about)
        parts = [PartWriter(draft, "records", kind, twins, sealer).write(records)]
        if residue is not None:
            parts.append(PartWriter(draft, "residue", "residue", twins, sealer).write(residue))
        schemas = _write_schemas(draft, {part.kind for part in parts})
        sealed = Manifest(about, tuple(parts), schemas).sealed()
        sync_folder(draft)
        write_atomic(draft / manifest.NAME, sealed.render())
        verify_backup(draft, _LEVEL_OF_CREATION)
        final = folder / _name(sealed, kind)
        if final.exists():
            sync_folder(folder)  # whoever wrote it may have been killed before its name was durable
            raise RefusedError(f"{final} is there already: nothing has changed since", hint="verify it")
        draft.rename(final)
        sync_folder(folder)
    return final


def _name(sealed: Manifest, kind: str) -> str:
    created = sealed.about.created_at[:19].replace("-", "").replace(":", "") + "Z"
    return f"{created}-{sealed.about.target}-{kind}-{sealed.sha256[:_SHORT_DIGEST]}{SUFFIX}"


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    draft = folder / f".{secrets.token_hex(6)}{DRAFT}"
    draft.mkdir(mode=0o700)
    try:
        yield draft
    finally:
        with suppress(OSError):
            shutil.rmtree(draft)


def _twins_of(folder: Path, about: About) -> Twins | None:
    """The shards that may be shared with the parent: it must be readable by the same people."""
    if about.parent is None:
        return None
    parent = folder / about.parent
    try:
        found = verify_backup(parent, 1).manifest
    except (DamagedError, StorageError):
        return None  # then nothing is shared with it, and everything is written
    if found.about.recipients != about.recipients:
        return None
    return Twins({shard.raw_sha256: (parent / shard.name, shard) for part in found.parts for shard in part.shards})


def _write_schemas(draft: Path, kinds: Iterable[str]) -> tuple[SchemaFile, ...]:
    (draft / SCHEMAS).mkdir(mode=0o700)
    found = []
    for kind in sorted(kinds):
        name, data = f"{schema_name(kind)}.schema.json", schema_bytes(kind)
        write_atomic(draft / SCHEMAS / name, data)
        found.append(SchemaFile(name, len(data), sha256(data).hexdigest()))
    return tuple(found)
