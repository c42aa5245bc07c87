"""The generations of a running node: one is served, one is filled beside it, and the switch is one step.

The step is done by the writer between two transactions, so every change is in the old generation, and then
`if_sequence` knows of it, or in the new one.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson

from runbook.errors import LockedError, RefusedError, StorageError
from runbook.sandbox import importing, schema
from runbook.sandbox.exporting import Origin
from runbook.sandbox.generations import Generations, sync_folder
from runbook.sandbox.importing import Imported
from runbook.sandbox.memory import Memory, load
from runbook.sandbox.space import Space
from runbook.sandbox.store import Store
from runbook.sandbox.tuning import FLAGS_OFF, Settings

T = TypeVar("T")

_OWN = ("version", "sequence", "kind", "changed_at")
"""What `meta` says of a generation; everything else there is the node's and goes along."""


_FORGOTTEN = (
    "INSERT OR IGNORE INTO tombstone SELECT * FROM old.tombstone AS t WHERE t.kind = 'episode' AND NOT EXISTS "
    "(SELECT 1 FROM main.episode AS e WHERE e.space = t.space AND e.id = t.id)"
)
_SEQUENCE = "(SELECT value FROM old.meta WHERE key = 'sequence')"
_CARRY = (
    "DELETE FROM setting",
    "INSERT INTO setting SELECT * FROM old.setting",
    "DELETE FROM cell",
    "INSERT INTO cell SELECT * FROM old.cell",
    f"DELETE FROM meta WHERE key NOT IN {_OWN}",  # noqa: S608 - a constant
    f"INSERT INTO meta SELECT * FROM old.meta WHERE key NOT IN {_OWN}",  # noqa: S608 - a constant
    "INSERT OR REPLACE INTO space SELECT * FROM old.space",
    _FORGOTTEN,
    f"UPDATE meta SET value = max(value, {_SEQUENCE}) WHERE key = 'sequence'",  # noqa: S608 - a constant
)
"""What goes along into a generation that is to be served; the sequence never goes back."""


class GenerationError(RefusedError):
    """No generation of that name can be used for this."""


class SequenceError(RefusedError):
    """Something was written since. `sequence` is that of the last change."""

    def __init__(self, expected: int, sequence: int) -> None:
        super().__init__(
            f"the last change is {sequence}, not {expected}: something was written since",
            hint="carry over what was written, then ask again",
        )
        self.sequence = sequence


class Holdings:
    """What the generations of one node are, and what is done with them; one thing at a time."""

    def __init__(self, generations: Generations, store: Store, memory: Memory, settings: Settings) -> None:
        self._generations = generations
        self._store = store
        self._memory = memory
        self._settings = settings
        self._busy = threading.Lock()

    @property
    def node(self) -> str:
        """The node's own id, for as long as its folder lives."""
        return self._generations.pointer.node

    def origin(self, generation: str | None = None) -> Origin:
        """Where a generation is; without a name the one that is served.

        Raises:
            GenerationError: there is none of that name.
        """
        pointer = self._generations.pointer
        name = generation or pointer.active
        if name not in pointer.states():
            known = ", ".join(pointer.states())
            raise GenerationError(f"there is no generation {name!r}", hint=f"there are {known}")
        return Origin(pointer.node, name, self._generations.path(name))

    def listed(self) -> list[dict[str, Any]]:
        """Every generation with its state and what is in it, the served one first."""
        found = []
        for generation, state in self._generations.pointer.states().items():
            connection = schema.connect(self._generations.path(generation), new=False)
            try:
                meta = dict(connection.execute("SELECT key, value FROM meta WHERE key IN ('kind', 'sequence')"))
                counts = {name: _count(connection, name) for name in ("episode", "concept", "binding", "residue")}
            finally:
                connection.close()
            found.append({"id": generation, "state": state, **meta, "counts": counts})
        return found

    def fill(self, chunks: Iterable[bytes]) -> tuple[str, Imported]:
        """A whole archive into a generation of its own, which is then the one that is prepared; its id.

        Raises:
            GenerationError: one is being prepared already.
            LockedError: another import runs.
            RefusedError, DamagedError, NotSupportedError: see `importing.fill`. Nothing is left of it.
            StorageError: the disk refused; nothing is left of it.
        """
        with self._one():
            if staging := self._generations.pointer.staging:
                raise GenerationError(f"the generation {staging} is being prepared", hint="activate it, or drop it")
            generation = self._generations.fresh()
            path = self._generations.path(generation)
            try:
                imported = _on_disk(lambda: importing.fill(path, chunks))
                sync_folder(path.parent)
                self._generations.stage(generation)
            except BaseException:
                self._generations.abandon(generation)
                raise
            return generation, imported

    def add(self, generation: str, chunks: Iterable[bytes]) -> Imported:
        """Residue, or what changed since, into the generation that is prepared, or into the one that is kept.

        The kept one takes what was written since the switch, before it is served again.

        Raises:
            GenerationError: it is neither.
            LockedError: another import runs.
            RefusedError, DamagedError, NotSupportedError: see `importing.add`.
            StorageError: the disk refused; nothing of it was taken.
        """
        with self._one():
            path = self.origin(generation).path
            if generation == self._generations.pointer.active:
                raise GenerationError(f"the generation {generation} is served: nothing is added to it")
            return _on_disk(lambda: importing.add(path, chunks))

    def activate(self, generation: str, if_sequence: int) -> int:
        """Serve that generation, unless something was written since; where its sequence goes on.

        Raises:
            GenerationError: there is none of that name, or it is served already.
            SequenceError: something was written since.
            StorageError: the disk refused; then the old one is served.
        """
        with self._one():
            path = self.origin(generation).path
            if generation == self._generations.pointer.active:
                raise GenerationError(f"the generation {generation} is served already")
            return self._store.alone(lambda: self._switch(generation, path, if_sequence)).result()

    def drop(self, generation: str) -> None:
        """Let go of a generation that is not served.

        Raises:
            GenerationError: there is none of that name, or it is served.
            StorageError: the disk refused.
        """
        with self._one():
            self.origin(generation)
            if generation == self._generations.pointer.active:
                raise GenerationError(f"the generation {generation} is served", hint="activate another one first")
            self._generations.drop(generation)

    def _switch(self, generation: str, path: Path, if_sequence: int) -> int:
        if self._store.sequence != if_sequence:
            raise SequenceError(if_sequence, self._store.sequence)
        kind, spaces = _on_disk(lambda: _prepared(path, self._generations.active))
        try:
            self._store.switch(path, lambda: self._generations.activate(generation))
        except StorageError as error:
            if self._generations.pointer.active == generation:
                # Named, and nobody knows whether for good: what the old one took now might be gone after a restart.
                self._store.stop(StorageError(error.message, hint="nothing was stored; restart the node"))
            raise
        self._memory.take_over(kind, spaces)
        self._settings.serve(single=kind == schema.SINGLE)
        return self._store.sequence

    @contextmanager
    def _one(self) -> Iterator[None]:
        if not self._busy.acquire(blocking=False):
            raise LockedError("another import or switch of generations is under way", hint="wait until it is done")
        try:
            yield
        finally:
            self._busy.release()


def _on_disk(work: Callable[[], T]) -> T:
    try:
        return work()
    except (sqlite3.Error, OSError) as error:
        raise StorageError(f"the disk refused: {error}", hint="nothing was changed; free space and retry") from error


def _count(connection: sqlite3.Connection, table: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - a constant
    return int(count)


def _prepared(path: Path, old: Path) -> tuple[str, dict[str, Space]]:
    """Carry what is the node's into the generation, durably, and read it; what it holds, and its spaces."""
    connection = schema.connect(path, new=False)
    try:
        schema.create(connection)
        connection.execute("ATTACH ? AS old", (str(old),))
        connection.execute("BEGIN IMMEDIATE")
        for statement in _CARRY:
            connection.execute(statement)
        kind = schema.kind_of(connection)
        if kind == schema.SINGLE:
            off = [(key, orjson.dumps(value).decode()) for key, value in FLAGS_OFF.items()]
            connection.executemany("INSERT OR REPLACE INTO setting VALUES (?, ?)", off)
        connection.execute("COMMIT")
        return kind, load(connection)
    finally:
        connection.close()
