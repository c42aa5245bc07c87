"""What a unit makes, record by record: checked as strictly as a reader would, and written in lines."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from runbook.adapters.archives.conversion.unit import EXAMPLES, GONE, KEYS, Drops, Finished, Lines, Unit
from runbook.adapters.files import PRIVATE_FILE
from runbook.archive import canonical, limits
from runbook.archive.canonical import Fault
from runbook.archive.checker import check_embeddings, damaged
from runbook.archive.digest import ContentDigest
from runbook.archive.joining import LINE_END
from runbook.archive.kinds import ArchiveKind, RecordKind, archive_kind
from runbook.errors import DamagedError
from runbook.model.migration import Key, Migration, Moved, Place, Record, key_of

_KEYS_AT_ONCE = 4096


class UnitWriter:
    """Takes what a phase yields, and what it notes as gone; `finish` says what came of it. `since`: it is of changes.

    Raises:
        DamagedError: a record is not what its archive may hold, or stands out of order.
        OSError: the disk refused.
    """

    def __init__(self, work: Path, unit: Unit, migration: Migration, *, since: bool) -> None:
        self._files = work / unit.name
        self._since = since
        self._kinds = {Place.DATA: archive_kind(migration.target), Place.RESIDUE: archive_kind("residue")}
        self._outputs: dict[tuple[Place, str], _Output] = {}
        self._drops: dict[tuple[str, str], list[Any]] = {}
        self._gone: _Keys | None = None

    def take(self, moved: Iterator[Moved]) -> None:
        """All of it."""
        for place, record, why in moved:
            if place is Place.DROPPED:
                self._drop(record, why)
            else:
                output = self._outputs.get((place, record["type"]))
                (output or self._output(place, record["type"])).put(record)

    def add(self, type_: str, key: Key) -> None:
        """As `Index`: note the record of that type and key."""
        if self._gone is None:
            self._gone = _Keys(_create(self._files.with_suffix(f".{GONE}")))
        self._gone.add((type_, *key))

    def finish(self) -> Finished:
        """Write what waits."""
        lines = tuple(Lines(place.value, type_, *out.finish()) for (place, type_), out in self._outputs.items())
        drops = tuple(Drops(*about, count, tuple(some)) for about, (count, some) in sorted(self._drops.items()))
        return Finished(lines, drops, "" if self._gone is None else self._gone.finish())

    def _drop(self, record: Record, why: str) -> None:
        found = self._drops.setdefault((record["type"], why), [0, []])
        found[0] += 1
        if len(found[1]) < EXAMPLES:
            found[1].append("/".join(key_of(record)))

    def _output(self, place: Place, type_: str) -> "_Output":
        kind = self._kinds[place]
        if type_ not in kind.types(since=self._since):
            raise DamagedError(f"{type_!r} is no record of this {kind.name} archive")
        path = self._files.with_suffix(f".{place.value}.{type_}")
        keys = _Keys(_create(path.with_name(f"{path.name}.{KEYS}"))) if refers(kind, since=self._since) else None
        found = self._outputs[place, type_] = _Output(kind.records[type_], _create(path), keys)
        return found


def refers(kind: ArchiveKind, *, since: bool) -> bool:
    """Must what is bound in such an archive be in it?"""
    return not since and "binding" in kind.records


@dataclass(slots=True)
class _Output:
    """A file of lines that grows."""

    kind: RecordKind
    stream: BinaryIO
    keys: "_Keys | None"
    last: Key = ()
    digest: ContentDigest = field(default_factory=ContentDigest)
    waiting: list[bytes] = field(default_factory=list)
    waiting_bytes: int = 0
    embeddings: list[tuple[int, str]] = field(default_factory=list)

    def put(self, record: Record) -> None:
        kind = self.kind
        try:
            line, key = canonical.encode(record, kind), kind.key_of(record)
            valid = kind.is_valid(record)
        except (KeyError, ValueError, TypeError) as error:
            raise DamagedError(f"a {kind.name} cannot be written: {error!r}"[:300]) from None
        fault = canonical.fault_of(record, kind.shape) if valid else Fault("", "not valid by its schema")
        if fault or len(line) > limits.LINE_BYTES:
            raise damaged(f"the {kind.name} {'/'.join(key)}", fault or Fault("", "larger than a reader takes"))
        if key <= self.last:
            raise DamagedError(f"the {kind.name} {'/'.join(key)} comes out of order, or twice")
        self.last = key
        if self.keys is not None:
            self.keys.add(key)
        if (embedding := canonical.embedding_of(record, kind)) is not None:
            self.embeddings.append((len(self.waiting), embedding))
        self.waiting.append(line)
        self.waiting_bytes += len(line)
        if self.waiting_bytes >= limits.CHUNK_BYTES:
            self._flush()

    def finish(self) -> tuple[int, str, str]:
        """How many records, their digest, and the hash of the file of their keys."""
        with self.stream:
            self._flush()
        keys = "" if self.keys is None else self.keys.finish()
        return self.digest.count, f"{self.digest.total:064x}", keys

    def _flush(self) -> None:
        if self.waiting:
            check_embeddings(self.embeddings, lambda *_: f"a {self.kind.name}")
            self.digest = self.digest.plus(self.waiting)
            self.waiting.append(b"")
            self.stream.write(LINE_END.join(self.waiting))
            self.waiting, self.waiting_bytes, self.embeddings = [], 0, []


@dataclass(slots=True)
class _Keys:
    """A file of keys that grows: a line each, its parts apart by tabs, which no space and no id has."""

    stream: BinaryIO
    waiting: list[str] = field(default_factory=list)
    hash: Any = field(default_factory=sha256)

    def add(self, key: Key) -> None:
        self.waiting.append("\t".join(key))
        if len(self.waiting) >= _KEYS_AT_ONCE:
            self._flush()

    def finish(self) -> str:
        """The hash of the file."""
        with self.stream:
            self._flush()
        digest: str = self.hash.hexdigest()
        return digest

    def _flush(self) -> None:
        self.waiting.append("")
        data = "\n".join(self.waiting).encode()
        self.hash.update(data)
        self.stream.write(data)
        self.waiting = []


def _create(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, PRIVATE_FILE)
    return os.fdopen(descriptor, "wb")
