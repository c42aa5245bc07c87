"""The data of one node as a whole: its generations, what was put into one, and what a recall found."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from runbook.errors import RefusedError


class State(StrEnum):
    """What a generation is to its node."""

    ACTIVE = "active"  # served
    KEPT = "kept"  # served before; the way back
    STAGING = "staging"  # being prepared


@dataclass(frozen=True, slots=True)
class Generation:
    """One whole set of a node's data. `sequence` is that of its last change, `counts` how many rows of each type."""

    id: str
    state: State
    kind: str
    sequence: int
    counts: Mapping[str, int]

    @property
    def records(self) -> int:
        """How many records it holds; what a conversion left beside them is not counted."""
        return sum(count for name, count in self.counts.items() if name != "residue")


@dataclass(frozen=True, slots=True)
class Holdings:
    """All generations of a node, the served one first. `node` is its own id, for as long as its data folder lives."""

    node: str
    generations: tuple[Generation, ...]

    @property
    def active(self) -> Generation:
        """The one that is served."""
        return self.generations[0]

    def of(self, state: State) -> Generation | None:
        """The one in that state, or None."""
        return next((each for each in self.generations if each.state is state), None)

    def named(self, id_: str) -> Generation | None:
        """The one of that id, or None."""
        return next((each for each in self.generations if each.id == id_), None)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a node took in: into which generation, of which kind that is, what the archive was, and its SHA-256."""

    generation: str
    kind: str
    took: str
    counts: Mapping[str, int]
    sha256: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """One result of a recall; `confidence` is 0..1."""

    id: str
    confidence: float


class WrittenSinceError(RefusedError):
    """Something was written since, so the generation was not switched. `sequence` is that of the last change."""

    def __init__(self, message: str, sequence: int, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.sequence = sequence
