"""One unit of a conversion: one phase of the migration over one range of keys, and the files that it leaves.

Each unit leaves its lines, one file for each place and type, and at last a sealed document with their hashes. What has
no such document, or another seal, or other bytes, was never finished.
"""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from runbook.adapters.archives.conversion.seals import seal, sealed
from runbook.adapters.archives.conversion.sources import Span
from runbook.adapters.files import PRIVATE_FILE, open_regular, storage
from runbook.archive import canonical, limits
from runbook.archive.digest import ContentDigest
from runbook.archive.joining import LINE_END
from runbook.archive.kinds import archive_kind
from runbook.errors import DamagedError
from runbook.model.migration import Key, Migration, Moved, Place, Record, key_of

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Unit:
    """Which phase, which range of it, and about how many records that is."""

    phase: int
    number: int
    span: Span
    records: int

    @property
    def name(self) -> str:
        """As its files are called."""
        return f"{self.phase:02d}-{self.number:06d}"


@dataclass(frozen=True, slots=True)
class Lines:
    """One file of lines that a unit left."""

    place: str
    type: str
    records: int
    bytes: int
    sha256: str
    digest: str

    def file(self, unit: Unit) -> str:
        """Its name."""
        return f"{unit.name}.{self.place}.{self.type}"

    @property
    def content(self) -> ContentDigest:
        """The digest of its records."""
        return ContentDigest(int(self.digest, 16), self.records)


@dataclass(frozen=True, slots=True)
class Drops:
    """Records of one type that the unit dropped for one reason."""

    record: str
    why: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """What a unit left."""

    lines: tuple[Lines, ...] = ()
    drops: tuple[Drops, ...] = ()
    gone: int = 0
    gone_sha256: str = ""


@dataclass(slots=True)
class _Output:
    """A file of lines that grows."""

    stream: BinaryIO
    waiting: list[bytes] = field(default_factory=list)
    waiting_size: int = 0
    records: int = 0
    size: int = 0
    hash: Any = field(default_factory=sha256)
    digest: ContentDigest = field(default_factory=ContentDigest)
    last: Key = ()

    def add(self, line: bytes) -> None:
        self.waiting.append(line)
        self.waiting_size += len(line)
        if self.waiting_size >= limits.CHUNK_BYTES:
            self.flush()

    def flush(self) -> None:
        if self.waiting:
            self.digest = self.digest.plus(self.waiting)
            self.records += len(self.waiting)
            data = LINE_END.join([*self.waiting, b""])
            self.hash.update(data)
            self.size += len(data)
            self.stream.write(data)
            self.waiting, self.waiting_size = [], 0


class UnitWriter:
    """Takes what a phase yields, and what it notes as gone; `finish` says what came of it.

    Raises:
        DamagedError: a record is not what its archive may hold, or stands out of order.
        OSError: the disk refused.
    """

    def __init__(self, work: Path, unit: Unit, migration: Migration) -> None:
        self._work = work
        self._unit = unit
        self._kinds = {Place.DATA: archive_kind(migration.target), Place.RESIDUE: archive_kind("residue")}
        self._outputs: dict[tuple[Place, str], _Output] = {}
        self._drops: dict[tuple[str, str], list[Any]] = {}
        self._gone_file: _Output | None = None

    def take(self, moved: Iterator[Moved]) -> None:
        """All of it."""
        for each in moved:
            if each.place is Place.DROPPED:
                self._drop(each)
            else:
                self._put(each.place, each.record)

    def add(self, type_: str, key: Key) -> None:
        """As `Index`: note the record of that type and key."""
        if self._gone_file is None:
            self._gone_file = _Output(_create(self._work / f"{self._unit.name}.gone"))
        self._gone_file.add(orjson.dumps((type_, *key)))

    def finish(self) -> Finished:
        """Write what waits."""
        files = [*self._outputs.values(), *([self._gone_file] if self._gone_file else [])]
        for output in files:
            with output.stream:
                output.flush()
        lines = tuple(
            Lines(place.value, type_, out.records, out.size, out.hash.hexdigest(), f"{out.digest.total:064x}")
            for (place, type_), out in self._outputs.items()
        )
        drops = tuple(Drops(*about, count, tuple(some)) for about, (count, some) in sorted(self._drops.items()))
        gone = self._gone_file
        return Finished(lines, drops, gone.records if gone else 0, gone.hash.hexdigest() if gone else "")

    def _drop(self, moved: Moved) -> None:
        found = self._drops.setdefault((moved.record["type"], moved.why), [0, []])
        found[0] += 1
        if len(found[1]) < EXAMPLES:
            found[1].append("/".join(key_of(moved.record)))

    def _put(self, place: Place, record: Record) -> None:
        type_ = record["type"]
        kind = self._kinds[place].records.get(type_)
        if kind is None:
            raise DamagedError(f"{type_!r} is no record of a {self._kinds[place].name} archive")
        output = self._outputs.get((place, type_))
        if output is None:
            output = _Output(_create(self._work / f"{self._unit.name}.{place.value}.{type_}"))
            self._outputs[place, type_] = output
        key = kind.key_of(record)
        if key <= output.last:
            raise DamagedError(f"the {type_} {'/'.join(key)} comes out of order, or twice")
        output.last = key
        try:
            line = canonical.encode(record, kind)
        except (KeyError, ValueError, TypeError) as error:
            raise DamagedError(f"the {type_} {'/'.join(key)} cannot be written: {error!r}"[:300]) from None
        if len(line) > limits.LINE_BYTES:
            raise DamagedError(f"the {type_} {'/'.join(key)} has {len(line)} bytes, more than {limits.LINE_BYTES}")
        output.add(line)


def _create(path: Path) -> BinaryIO:
    with storage(path, "write"):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, PRIVATE_FILE)
        return os.fdopen(descriptor, "wb")


def seal_unit(work: Path, unit: Unit, job: str, finished: Finished) -> None:
    """Write the unit's document: from here on it is finished.

    Raises:
        StorageError: the disk refused.
    """
    seal(work / f"{unit.name}.json", {"unit": unit.name, "job": job, **asdict(finished)})


def kept(work: Path, unit: Unit, job: str) -> Finished | None:
    """What an earlier try of this very job left of the unit, if that is whole.

    Raises:
        StorageError: it cannot be read.
    """
    document = sealed(work / f"{unit.name}.json")
    if document is None or (document["unit"], document["job"]) != (unit.name, job):
        return None
    found = Finished(
        tuple(Lines(**each) for each in document["lines"]),
        tuple(Drops(**{**each, "examples": tuple(each["examples"])}) for each in document["drops"]),
        document["gone"],
        document["gone_sha256"],
    )
    hashes = {lines.file(unit): lines.sha256 for lines in found.lines}
    if found.gone:
        hashes[f"{unit.name}.gone"] = found.gone_sha256
    return found if all(_hash_of(work / name) == wanted for name, wanted in hashes.items()) else None


def _hash_of(path: Path) -> str:
    """SHA-256 of the file; empty where there is none that can be read."""
    found = sha256()
    try:
        with os.fdopen(open_regular(path), "rb", buffering=0) as stream:
            while chunk := stream.read(limits.CHUNK_BYTES):
                found.update(chunk)
    except OSError:
        return ""
    return found.hexdigest()
