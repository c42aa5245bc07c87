"""What a look of the judge was taken of, so that whoever has the rows comes to the same judgement again. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runbook.model.cells import Cell


@dataclass(frozen=True, slots=True)
class Basis:
    """`now` is the moment of the look in seconds since 1970, from before the rows were collected.

    `newest` is the beginning of the newest bucket that the store had of each node (`CellStore.newest`): a node that was
    silent tells its rows later, and they had no part in it. `recalls` is how many recalls of each node the rows
    had whose buckets were over; where a node's clock is behind, its last bucket may have grown since.
    """

    now: float
    newest: Mapping[str, float]
    recalls: Mapping[str, int]

    @property
    def details(self) -> dict[str, Any]:
        """As it is journaled."""
        return {"now": self.now, "newest": dict(self.newest), "recalls": dict(self.recalls)}

    def rows(self, rows: Iterable[Cell]) -> Iterator[Cell]:
        """Those that there were then."""
        return (cell for cell in rows if cell.bucket < self.now and cell.bucket <= self.newest.get(cell.node, -1.0))


def basis_from(now: float, newest: Mapping[str, float], rows: Iterable[Cell]) -> Basis:
    """That of a look which is taken now, of these rows."""
    return Basis(now, newest, recalls_of(rows, now))


def recalls_of(rows: Iterable[Cell], now: float) -> dict[str, int]:
    """How many recalls of each node the rows have whose buckets are over by then, those that failed included."""
    found: dict[str, int] = {}
    for cell in rows:
        if cell.bucket + cell.seconds <= now:
            found[cell.node] = found.get(cell.node, 0) + cell.n + cell.errors
    return found


def basis_of(details: Mapping[str, Any]) -> Basis:
    """What was journaled of it.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is not that.
    """
    newest, recalls = details["newest"], details["recalls"]
    return Basis(
        float(details["now"]),
        {str(node): float(at) for node, at in newest.items()},
        {str(node): int(count) for node, count in recalls.items()},
    )
