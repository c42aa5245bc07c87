"""One unit of a conversion: one phase of the migration over one range of keys, and the files that it leaves.

Each unit leaves its lines, one file for each place and type, and at last a sealed document that proves them. What has
no such document, or another seal, or other bytes, was never finished. Nothing of it is synced one by one: what a crash
of the machine takes away is done again.
"""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from runbook.adapters.archives.conversion.seals import seal_quickly, sealed
from runbook.adapters.archives.conversion.sources import Span
from runbook.adapters.files import open_regular
from runbook.archive import limits
from runbook.archive.digest import ContentDigest
from runbook.archive.joining import LINE_END
from runbook.archive.reader import chunks_of

EXAMPLES = 5
KEYS = "keys"
GONE = "gone"


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
    """One file of lines that a unit left, and where bindings may refer to them a file of their keys."""

    place: str
    type: str
    records: int
    digest: str
    keys_sha256: str

    def file(self, unit: Unit) -> str:
        """Its name."""
        return f"{unit.name}.{self.place}.{self.type}"

    def keys_file(self, unit: Unit) -> str:
        """That of the keys."""
        return f"{self.file(unit)}.{KEYS}"

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
    """What a unit left; `gone_sha256` is empty where it noted nothing as gone."""

    lines: tuple[Lines, ...] = ()
    drops: tuple[Drops, ...] = ()
    gone_sha256: str = ""


def seal_unit(work: Path, unit: Unit, job: str, finished: Finished) -> None:
    """Write the unit's document: from here on it is finished. Raises `OSError`."""
    seal_quickly(work / f"{unit.name}.json", {"unit": unit.name, "job": job, **asdict(finished)})


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
        document["gone_sha256"],
    )
    hashes = {lines.keys_file(unit): lines.keys_sha256 for lines in found.lines if lines.keys_sha256}
    if found.gone_sha256:
        hashes[f"{unit.name}.{GONE}"] = found.gone_sha256
    try:
        whole = all(_hash_of(work / name) == wanted for name, wanted in hashes.items())
        whole = whole and all(digest_of(work / lines.file(unit)) == lines.content for lines in found.lines)
    except OSError:
        return None
    return found if whole else None


def digest_of(path: Path) -> ContentDigest:
    """That of the lines of a file, each of which has its comma. Raises `OSError`."""
    found, rest = ContentDigest(), b""
    for chunk in _chunks(path):
        lines = (rest + chunk).split(LINE_END)
        rest = lines.pop()
        found = found.plus(lines)
    return found.plus([rest]) if rest else found


def _hash_of(path: Path) -> str:
    found = sha256()
    for chunk in _chunks(path):
        found.update(chunk)
    return found.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with os.fdopen(open_regular(path), "rb", buffering=limits.CHUNK_BYTES) as stream:
        yield from chunks_of(stream)
