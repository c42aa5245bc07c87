"""One conversion of an archive by a migration: what goes in, and what came out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runbook.errors import RefusedError
from runbook.model.migration import Concepts


@dataclass(frozen=True, slots=True)
class Job:
    """Convert `source`, a whole archive or one of changes, with the migration of that name.

    `residue` is the archive of an earlier conversion's residue, where the migration reads one. Everything that is made
    lies under `work`, a folder of this job's own; what a run that was killed left there is used again, if it is of the
    same job. `workers` is the number of processes.
    """

    source: Path
    migration: str
    work: Path
    residue: Path | None = None
    concepts: Concepts = Concepts.DROP
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Residue:
    """The residue that a job reads; `concept_memories` is how many concepts were memories meanwhile."""

    sha256: str
    bytes: int
    counts: Mapping[str, int]
    concept_memories: int


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What a job would convert, in how many units; its sources were read strictly to their end.

    `bytes` are those of the source, unpacked; `since` is None where it is a whole archive.
    """

    kind: str
    node: str
    snapshot: str
    created_at: str
    since: int | None
    sha256: str
    bytes: int
    counts: Mapping[str, int]
    residue: Residue | None
    units: int


class AnotherJobError(RefusedError):
    """The folder of the job holds the beginning of another one."""


@dataclass(frozen=True, slots=True)
class Part:
    """One archive that was made, and what is in it; `digest` is that of its content (records without tombstones)."""

    path: Path
    counts: Mapping[str, int]
    digest: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """Records of one type that went nowhere, and why; `examples` names a few of them."""

    record: str
    why: str
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Converted:
    """What came out: the data, the residue where the migration leaves one, and what was dropped."""

    data: Part
    residue: Part | None
    dropped: tuple[Dropped, ...]
    units: int
    reused: int
    """Units that an earlier, killed try had finished."""
