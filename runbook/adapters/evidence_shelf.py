"""Bundles of evidence as folders, `evidence/<name>/` in the state folder: whole or not at all, for this user only."""

import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from runbook.adapters.files import (
    PRIVATE_FOLDER,
    durable_file,
    private_folder,
    read_document,
    safe_name,
    storage,
    sync_folder,
)
from runbook.engine.proof.manifest import digest_of, sealed
from runbook.errors import DamagedError, StorageError, UsageError
from runbook.model.bundle import MANIFEST

FOLDER = "evidence"
LIMIT = 1024 * 1024 * 1024  # bytes; a file of a bundle that is larger than this is none of ours
_DRAFT = re.compile(r"\..*\.(\d+)-[0-9a-f]{12}\.draft")
_MOST = 1000
_PRETTY = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE


class FolderShelf:
    """`EvidenceShelf` in a state folder.

    Args:
        state: the state folder.
        clean: takes out of a document what looks like a secret, as the journal does.
    """

    def __init__(self, state: Path, clean: Callable[[Any], Any]) -> None:
        self.folder = state / FOLDER
        self._clean = clean

    def keep(
        self, about: Mapping[str, Any], documents: Mapping[str, Any], lines: Mapping[str, Sequence[bytes]]
    ) -> tuple[str, str]:
        """Write a bundle, whole or not at all; its folder, and the SHA-256 of its manifest."""
        name = safe_name(str(about["name"]), "bundle of evidence")
        files = {each: orjson.dumps(self._clean(found), option=_PRETTY) for each, found in documents.items()}
        files |= {each: b"".join(found) for each, found in lines.items()}
        manifest = sealed(self._clean(about), files)
        private_folder(self.folder)
        self._sweep()
        draft = self.folder / f".{name}.{os.getpid()}-{secrets.token_hex(6)}.draft"
        with storage(draft, "write"):
            try:
                _fill(draft, {**files, MANIFEST: manifest})
                place = self._publish(draft, name)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            sync_folder(self.folder)
        return str(place), digest_of(manifest)

    def _publish(self, draft: Path, name: str) -> Path:
        """Give it its name; one that is taken (by a bundle whose entry the journal did not get) is left alone."""
        for number in range(1, _MOST):
            place = self.folder / (name if number == 1 else f"{name}-{number}")
            if not place.exists():
                with suppress(FileExistsError, NotADirectoryError):
                    draft.rename(place)
                    return place
        raise StorageError(f"{self.folder} has too many bundles that are called {name}", hint="move some away")

    def _sweep(self) -> None:
        """Remove what killed processes left unfinished."""
        with storage(self.folder, "clear up"):
            for path in self.folder.iterdir():
                found = _DRAFT.fullmatch(path.name)
                if found and not Path(f"/proc/{found[1]}").exists():
                    shutil.rmtree(path, ignore_errors=True)


def read_bundle(folder: Path) -> dict[str, bytes]:
    """Every file of the bundle in that folder, by name.

    Raises:
        UsageError: there is no such folder.
        DamagedError: something in it is no file.
        StorageError: it cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no bundle of evidence {folder}", hint="runbook runs --last --evidence")
    files: dict[str, bytes] = {}
    with storage(folder, "read"):
        for path in sorted(folder.iterdir()):
            if not stat.S_ISREG(path.lstat().st_mode):
                raise DamagedError(f"{path}: it is no file, and does not belong to a bundle of evidence")
            files[path.name] = read_document(path, LIMIT) or b""
    return files


def _fill(draft: Path, files: Mapping[str, bytes]) -> None:
    draft.mkdir(mode=PRIVATE_FOLDER)
    for name, raw in files.items():
        with durable_file(draft / name) as stream:
            stream.write(raw)
    sync_folder(draft)
