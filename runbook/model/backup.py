"""Backups as their folder holds them, and what was proven of one."""

from collections.abc import Mapping
from dataclasses import dataclass

from runbook.errors import RefusedError

PROVES = (
    "the manifest is whole: no byte of it was changed since it was written",
    "every file is there, none is strange, and each has its size",
    "every stored byte and every unpacked byte is the one that was written",
    "every record is valid and in its place, nothing is bound to nothing, and counts and content digest fit",
    "a node took all of it, gives all of it back, and recalls by it what must come to mind",
)
"""What each level of verification proves, beside what the level before it proves."""
HIGHEST = len(PROVES) - 1
CREATED_AT_LEVEL = 2
"""What `backup create` proves by reading back what it wrote."""


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup, as its manifest tells, and what is known of it beside.

    `number` orders the backups of a folder, never a clock. `level` is the highest that was proven, None where nothing
    was. `seal` is its manifest's own hash, `digest` that of its records' content. `damage` is what is wrong with it.
    """

    name: str
    number: int = 0
    target: str = ""
    node: str = ""
    host: str = ""
    kind: str = ""
    snapshot: str = ""
    created_at: str = ""
    counts: Mapping[str, int] | None = None
    stored_bytes: int = 0
    raw_bytes: int = 0
    parent: str | None = None
    recipients: tuple[str, ...] = ()
    consistency: str = "snapshot"
    seal: str = ""
    digest: str = ""
    level: int | None = None
    pinned: bool = False
    damage: str = ""

    @property
    def sequence(self) -> int:
        """Of the last change in it."""
        return int(self.snapshot.rpartition(":")[2] or 0)

    @property
    def generation(self) -> str:
        """The node's generation that it is of."""
        return self.snapshot.rpartition(":")[0]

    @property
    def proven(self) -> bool:
        """Was every stored byte found as it was written? Of an encrypted one, level 1 is all that its writer tells."""
        least = 1 if self.recipients else CREATED_AT_LEVEL
        return self.level is not None and self.level >= least and not self.damage

    @property
    def records(self) -> int:
        """How many records are in it, residue not counted."""
        return sum((self.counts or {}).values())

    @property
    def order(self) -> tuple[int, int, str]:
        """The later one of two has the greater."""
        return self.number, self.sequence, self.name


@dataclass(frozen=True, slots=True)
class Proof:
    """Which level was reached, and why no higher one that was asked for; empty where it was.

    At level 4 `recall` is the share, 0..1, of what had to come to mind and did, over so many `recalls`.
    """

    backup: Backup
    asked: int
    level: int
    why_not: str = ""
    recall: float | None = None
    recalls: int = 0

    @property
    def complete(self) -> bool:
        """Was the level reached that was asked for?"""
        return self.level >= self.asked


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written: for which target, from which host, on whose shoulders, for whose eyes, since when known.

    `parent` is the name of the backup that unchanged shards are shared with, or None. `recipients` are age's.
    `journal` is how many entries the journal has, and the hash of the last. With `fuzzy` records and residue need not
    be of one moment.
    """

    target: str
    host: str
    written_by: str
    parent: str | None = None
    recipients: tuple[str, ...] = ()
    journal: tuple[int, str] | None = None
    fuzzy: bool = False


class TwoMomentsError(RefusedError):
    """Records and residue are not of one moment: something was written between the two."""
