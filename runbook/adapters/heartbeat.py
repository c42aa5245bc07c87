"""The watch's sign of life: `watch/<target>.json` in the state folder, written whole at every look."""

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from runbook.adapters.files import private_folder, read_document, safe_name, write_atomic
from runbook.errors import DamagedError
from runbook.model.heartbeat import Heartbeat

VERSION = 1
_LIMIT_BYTES = 64 * 1024
_MOST_WORDS = 2000  # characters of the look's answer that are kept
_MOST_SILENT, _MOST_NAME = 200, 128
_WORDS = ("target", "rollout", "phase", "stage", "standing", "machine", "told", "ended")
_COUNTS = ("process", "looks", "code")
_HINT = "it is written anew at the next look of runbook rollout watch; until then nothing is known of one"


class FileHeartbeats:
    """The signs of life in one state folder, one of each target."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "watch"

    def beat(self, sign: Heartbeat) -> None:
        """Put it in the place of the last one.

        Raises:
            StorageError: the disk refused; the last one stays.
            UsageError: the target's name cannot be a file's.
        """
        path = self._path(sign.target)
        private_folder(self._folder)
        write_atomic(path, orjson.dumps(_document(sign), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

    def last(self, target: str) -> Heartbeat | None:
        """The target's last one, or None where nobody ever watched.

        Raises:
            DamagedError: the file is none of ours, or another target's.
            StorageError: it cannot be read.
            UsageError: the target's name cannot be a file's.
        """
        path = self._path(target)
        data = read_document(path, _LIMIT_BYTES)
        if data is None:
            return None
        sign = _sign(data, path)
        if sign.target != target:
            raise DamagedError(f"{path}: target: it is that of {sign.target!r}", hint=_HINT)
        return sign

    def targets(self) -> Iterator[str]:
        """The targets that were ever watched from here, by name."""
        try:
            found = sorted(
                path.stem for path in self._folder.iterdir() if path.suffix == ".json" and path.name[0] != "."
            )
        except OSError:  # nobody ever watched, or nobody may look: then there is nothing to be told
            found = []
        yield from found

    def _path(self, target: str) -> Path:
        return self._folder / f"{safe_name(target, 'target')}.json"


def _document(sign: Heartbeat) -> dict[str, Any]:
    fields = {field.name: getattr(sign, field.name) for field in dataclasses.fields(sign)}
    seen = sign.seen.astimezone(UTC).isoformat().replace("+00:00", "Z")
    words = {"told": _kept(sign.told), "ended": _kept(sign.ended), "seen": seen}
    silent = [_kept(name, _MOST_NAME) for name in sign.silent[:_MOST_SILENT]]
    del fields["every"]
    return {
        "version": VERSION,
        "kind": "watch",
        **fields,
        **words,
        "silent": silent,
        "every_seconds": sign.every.total_seconds(),
    }


def _kept(text: str, most: int = _MOST_WORDS) -> str:
    """A look's words, bounded; half a surrogate pair in some peer's words must not keep the sign from the disk."""
    return text[:most].encode("utf-8", "replace").decode()


def _sign(data: bytes, path: Path) -> Heartbeat:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DamagedError(f"{path}: line {error.lineno}, byte {error.pos}: {error.msg}", hint=_HINT) from None
    if not isinstance(found, dict) or (found.get("version"), found.get("kind")) != (VERSION, "watch"):
        raise DamagedError(f"{path}: it is no sign of life of a watch of version {VERSION}", hint=_HINT)
    odd = [name for name in _WORDS if not isinstance(found.get(name), str)]
    odd += [name for name in _COUNTS if not isinstance(found.get(name), int)]
    silent = found.get("silent", [])  # an older watch tells none
    if not isinstance(silent, list) or not all(isinstance(name, str) for name in silent):
        odd.append("silent")
    if odd:
        raise DamagedError(f"{path}: {odd[0]}: it is missing, or of another type", hint=_HINT)
    try:
        seen = datetime.fromisoformat(found["seen"]).astimezone(UTC)
        every, share = timedelta(seconds=float(found["every_seconds"])), float(found["share"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DamagedError(f"{path}: {type(error).__name__}: {error}", hint=_HINT) from None
    words = {name: found[name] for name in (*_WORDS, *_COUNTS)}
    return Heartbeat(**words, share=share, every=every, seen=seen, silent=tuple(silent))
