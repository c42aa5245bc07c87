"""A damaged journal is kept as it is, and a new one begins that knows it."""

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from runbook.adapters.files import storage, sync_folder, write_atomic
from runbook.adapters.journal.head import KEY_LENGTH, Head, sealed
from runbook.adapters.journal.inspection import inspect
from runbook.adapters.journal.line import NOTHING, written
from runbook.adapters.journal.place import Place, look
from runbook.errors import RefusedError
from runbook.model.journal import Entry, JournalState

_NAMED_DAMAGES = 20
_CHUNK = 1024 * 1024  # bytes


def set_aside(place: Place, entry_of: Callable[[Mapping[str, Any]], Entry], reason: str) -> Entry:
    """Keep the old files under new names, then put the new ones in their place. The caller holds the lock.

    A crash on the way leaves a journal that does not fit its head: damaged still, to be set aside again.

    Raises:
        RefusedError: the journal is sound, or was never begun.
        StorageError: the disk refused.
    """
    with storage(place.journal, "set aside"):
        state, digest, size = _examined(place)
        stamp = f"{entry_of({}).at:%Y%m%dT%H%M%SZ}-{digest[:12]}"
        kept = _keep(place.journal, f"journal.aside-{stamp}.jsonl")
        entry = entry_of(
            {
                "reason": reason,
                "set_aside": kept,
                "set_aside_head": _keep(place.head, f"journal.aside-{stamp}.head"),
                "sha256": digest,
                "bytes": size,
                "entries": state.entries,
                "damage": [f"line {one.line}, byte {one.byte}: {one.what}" for one in state.damage[:_NAMED_DAMAGES]],
            }
        )
        sync_folder(place.folder)
        line = written(entry, NOTHING)
        key = _good_key(place)
        write_atomic(place.journal, line.raw)
        write_atomic(place.head, sealed(Head(1, len(line.raw), line.hash), key))
        return line.entry()


def _examined(place: Place) -> tuple[JournalState, str, int]:
    taken = look(place)
    if taken is None:
        raise RefusedError(f"there is no journal {place.journal}", hint="nothing has to be set aside")
    with taken.stream:
        state = inspect(str(place.journal), taken)
        if state.sound:
            raise RefusedError(f"the journal {place.journal} is sound", hint="only a damaged journal is set aside")
        taken.stream.seek(0)
        digest = hashlib.sha256()
        while chunk := taken.stream.read(_CHUNK):
            digest.update(chunk)
        return state, digest.hexdigest(), taken.size


def _keep(path: Path, name: str) -> str | None:
    """A second name for the file, so that a new one can take its place; None where there is no file."""
    try:
        with suppress(FileExistsError):  # an earlier try that stopped here: the name holds the content's hash
            os.link(path, path.with_name(name), follow_symlinks=False)
    except FileNotFoundError:
        return None
    return name


def _good_key(place: Place) -> bytes:
    key = place.load_key()
    if key is None or len(key) != KEY_LENGTH:
        key = secrets.token_bytes(KEY_LENGTH)
        write_atomic(place.key, key)
    return key
