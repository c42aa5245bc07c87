"""What a look of the judge was taken of, so that whoever has the rows comes to the same judgement again. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runbook.model.cells import Cell


@dataclass(frozen=True, slots=True)
class Basis:
    """`now` is the moment of the look in seconds since 1970, from before the rows were collected.

    `newest` is the beginning of the newest bucket that the store had of each node (`CellStore.newest`): a node that was
    silent tells its rows later, and they had no part in it.
    """

    now: float
    newest: Mapping[str, float]

    @property
    def details(self) -> dict[str, Any]:
        """As it is journaled."""
        return {"now": self.now, "newest": dict(self.newest)}

    def rows(self, rows: Iterable[Cell]) -> Iterator[Cell]:
        """Those that there were then."""
        return (cell for cell in rows if cell.bucket < self.now and cell.bucket <= self.newest.get(cell.node, -1.0))


def basis_of(details: Mapping[str, Any]) -> Basis:
    """What was journaled of it.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is not that.
    """
    return Basis(float(details["now"]), {str(node): float(at) for node, at in details["newest"].items()})
