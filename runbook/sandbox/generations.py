"""The generations of a node's data: one database each, and one small file that says which of them is served.

That file is replaced as a whole, so after `kill -9` at any moment either the old or the new one is served. What it does
not name is no generation: a database that was being filled, or one that was dropped, and it is removed at the start.
"""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal
from uuid import uuid4

from runbook.errors import StorageError

State = Literal["active", "kept", "staging"]

_POINTER = "generations.json"
_FIRST = "g1"


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which generations there are: the served one, the one that it replaced, and one that is being prepared.

    `node` is the node's own id, for as long as its folder lives; `issued` is how many generations there ever were.
    """

    node: str
    active: str = _FIRST
    kept: str | None = None
    staging: str | None = None
    issued: int = 1

    def states(self) -> dict[str, State]:
        """What there is, the served one first."""
        found: dict[str, State] = {self.active: "active"}
        if self.kept is not None:
            found[self.kept] = "kept"
        if self.staging is not None:
            found[self.staging] = "staging"
        return found


class Generations:
    """The generations in the folder of one node. Whoever changes them holds the node's own lock for that.

    Raises:
        StorageError: the file that names them, or the served one, is damaged or gone.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.pointer = self._read() or self._first()
        if self.pointer.issued > 1 and not self.path(self.pointer.active).exists():
            raise StorageError(
                f"the generation {self.pointer.active} is gone: there is no {self.path(self.pointer.active)}",
                hint="put the file back, or restore a backup into a fresh folder",
            )
        self._sweep()

    @property
    def active(self) -> Path:
        """The database that is served."""
        return self.path(self.pointer.active)

    def path(self, generation: str) -> Path:
        """Where the database of that generation is."""
        return self._folder / ("memory.db" if generation == _FIRST else f"memory-{generation}.db")

    def fresh(self) -> str:
        """The id of the next generation, which has no database yet; no id is ever given twice.

        Raises:
            StorageError: the disk refused.
        """
        self._point(replace(self.pointer, issued=self.pointer.issued + 1))
        generation = f"g{self.pointer.issued}"
        self._remove(generation)
        return generation

    def stage(self, generation: str) -> None:
        """Name a filled database as the one that is being prepared.

        Raises:
            StorageError: the disk refused.
        """
        self._point(replace(self.pointer, staging=generation))

    def activate(self, generation: str) -> None:
        """Serve that one from now on, and keep the one that was served; what was kept before it goes.

        Raises:
            StorageError: the disk refused. The old one is still named; or, where only the last fsync failed, `pointer`
                names the new one, and after a loss of power it may be either.
        """
        old = self.pointer
        staging = None if old.staging == generation else old.staging
        self._point(replace(old, active=generation, kept=old.active, staging=staging))
        if old.kept not in {None, generation}:
            with suppress(OSError):  # it is named nowhere: the next start removes it
                self._remove(str(old.kept))

    def drop(self, generation: str) -> None:
        """Let go of one that is not served.

        Raises:
            StorageError: the disk refused.
        """
        old = self.pointer
        kept, staging = (None if name == generation else name for name in (old.kept, old.staging))
        self._point(replace(old, kept=kept, staging=staging))
        self._remove(generation)

    def abandon(self, generation: str) -> None:
        """Remove a database that was never named."""
        if generation not in self.pointer.states():
            self._remove(generation)

    def _read(self) -> Pointer | None:
        path = self._folder / _POINTER
        try:
            return Pointer(**json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise StorageError(
                f"cannot read {path}: {error}", hint="put it back; it says which data is served"
            ) from error

    def _first(self) -> Pointer:
        if found := sorted(path.name for path in self._folder.glob("memory-g*.db")):
            hint = f"put {_POINTER} back; it says which data is served"
            raise StorageError(f"{self._folder} holds {', '.join(found)}, but no {_POINTER}", hint=hint)
        pointer = Pointer(str(uuid4()))
        self._point(pointer)
        return pointer

    def _point(self, pointer: Pointer) -> None:
        temporary = self._folder / f".{_POINTER}.new"
        try:
            temporary.unlink(missing_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                json.dump(asdict(pointer), file)
                file.flush()
                os.fsync(descriptor)
            temporary.replace(self._folder / _POINTER)
            self.pointer = pointer
            sync_folder(self._folder)
        except OSError as error:
            raise StorageError(f"cannot write {self._folder / _POINTER}: {error.strerror}") from error

    def _sweep(self) -> None:
        named = {self.path(generation).name for generation in self.pointer.states()}
        for path in self._folder.glob("memory*.db*"):
            if path.name.removesuffix("-wal").removesuffix("-shm").removesuffix("-journal") not in named:
                path.unlink(missing_ok=True)

    def _remove(self, generation: str) -> None:
        path = self.path(generation)
        for ending in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + ending).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the names in the folder durable.

    Raises:
        OSError: the disk refused.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
