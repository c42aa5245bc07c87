"""The plan of a migration: what would be converted, what would be lost, where that is kept; with a digest of it all."""

from collections.abc import Mapping
from dataclasses import dataclass

from runbook.model.conversion import Surveyed
from runbook.model.migration import Concepts, Filled, Loss


@dataclass(frozen=True, slots=True)
class Carried:
    """A line of what goes on: how many records of one type become what, and how many of their fields go along."""

    record: str
    becomes: str
    count: int
    fields: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where things go: to a file and the residue beside it, or to a node, which keeps the residue itself."""

    output: str = ""
    residue: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class ConversionPlan:
    """What one migration would do. `version` is that of the tool; `disk_bytes` and `seconds` are estimates.

    `digest` is that of everything else in here but the seconds.
    """

    version: str
    migration: str
    target: str
    concepts: Concepts
    source: Surveyed
    places: Places
    carried: tuple[Carried, ...]
    losses: tuple[Loss, ...]
    filled: tuple[Filled, ...]
    disk_bytes: int
    seconds: float
    digest: str = ""

    @property
    def totals(self) -> Mapping[str, int]:
        """How many records of each type are converted."""
        return self.source.counts
