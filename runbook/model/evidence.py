"""What was collected from a node during a run, and what it shows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PartGrowth:
    """One part of a heap in two dumps, in bytes."""

    part: str
    before: int
    after: int

    @property
    def rise(self) -> int:
        """How many bytes it grew by."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Kept:
    """One document that was kept with a run: where, and the SHA-256 of its bytes."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class NodeEvidence:
    """One node: its documents, what grew between the first and the last, and why something is missing."""

    node: str
    kept: tuple[Kept, ...] = ()
    grew: tuple[PartGrowth, ...] = ()
    seconds: float = 0.0
    message: str = ""
