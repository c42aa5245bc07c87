"""A folder of files that other programs read: each is there whole or as it was, and readable by all."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from pathlib import Path

from runbook.adapters.files import storage, write_atomic

FILE, FOLDER = 0o644, 0o755


class Standing(StrEnum):
    """How a file stands to what it should be."""

    WRITTEN = "written"
    IN_STEP = "in step"
    KEPT = "kept"  # people may have changed it
    DIFFERS = "differs"
    MISSING = "missing"


def publish(folder: Path, files: Mapping[str, str], kept: Collection[str] = ()) -> dict[str, Standing]:
    """Write what is missing or differs; those of `kept` are left alone where they are there.

    Raises:
        StorageError: the disk refused; what was written before stays, and the same call goes on.
    """
    found = {}
    for name, text in files.items():
        now = _standing(folder / name, text)
        if now is Standing.DIFFERS and name in kept:
            now = Standing.KEPT
        elif now is not Standing.IN_STEP:
            with storage(folder / name, "write"):
                (folder / name).parent.mkdir(mode=FOLDER, parents=True, exist_ok=True)
            write_atomic(folder / name, text.encode(), FILE)
            now = Standing.WRITTEN
        found[name] = now
    return found


def compare(folder: Path, files: Mapping[str, str], kept: Collection[str] = ()) -> dict[str, Standing]:
    """How each file stands; nothing is written.

    Raises:
        StorageError: one cannot be read.
    """
    found = {name: _standing(folder / name, text) for name, text in files.items()}
    return {
        name: Standing.KEPT if name in kept and standing is not Standing.IN_STEP else standing
        for name, standing in found.items()
    }


def _standing(path: Path, text: str) -> Standing:
    with storage(path, "read"):
        try:
            return Standing.IN_STEP if path.read_bytes() == text.encode() else Standing.DIFFERS
        except FileNotFoundError:
            return Standing.MISSING
