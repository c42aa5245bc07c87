"""The rows of nodes that are dictionaries, and a store of rows that forgets with the process."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from runbook.model.cells import Cell, FleetCells, NodeCells, Pruned
from runbook.model.measurement import Silence
from runbook.model.target import Node

_Key = tuple[int, str, str, str, int]


@dataclass(slots=True)
class MemoryCells:
    """`CellSource` without a network; the fields may be changed at any time.

    Args:
        nodes: the rows of each node by name; one that is not named does not tell of cells.
        silent: why a node does not answer, by name.
    """

    nodes: dict[str, NodeCells] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)

    def cells(self, nodes: Sequence[Node], since: Mapping[str, float]) -> FleetCells:
        """The rows of every node whose bucket ends after `since`, or its silence."""
        return {node.name: self._of(node.name, since.get(node.name, 0.0)) for node in nodes}

    def _of(self, name: str, since: float) -> NodeCells | Silence:
        if name in self.silent:
            return Silence(name, self.silent[name])
        if name not in self.nodes:
            return Silence(name, "telling of cells is not supported by this node", answered=True)
        found = self.nodes[name]
        kept = (cell for cell in found.cells if cell.bucket + cell.seconds > since)
        return NodeCells(name, found.bucket_seconds, tuple(sorted(kept, key=_order)))


class MemoryCellStore:
    """`CellStore` that forgets with the process; it keeps `most` rows."""

    def __init__(self, most: int = 2_000_000) -> None:
        self._rows: dict[_Key, Cell] = {}
        self._newest: dict[str, float] = {}
        self._most = most

    def add(self, found: Sequence[NodeCells]) -> Pruned:
        """Keep the rows; one that is known already is replaced by a longer one. What was let go of for them."""
        for node in found:
            for cell in node.cells:
                known = self._rows.get(_order(cell), cell)
                grown = cell.n + cell.errors >= known.n + known.errors
                self._rows[_order(cell)] = cell if grown else known
                self._newest[cell.node] = max(self._newest.get(cell.node, 0.0), float(cell.bucket))
        return self._prune()

    def newest(self) -> Mapping[str, float]:
        """By node, the beginning of the newest bucket that is kept."""
        return dict(self._newest)

    def rows(self, begin: float, end: float) -> Iterator[Cell]:
        """Every row whose bucket begins in [begin, end), ordered by bucket, node and space."""
        return iter([cell for key, cell in sorted(self._rows.items()) if begin <= key[0] < end])

    def _prune(self) -> Pruned:
        """The oldest leave, whole buckets at a time."""
        if len(self._rows) <= self._most:
            return Pruned()
        until = sorted(self._rows, reverse=True)[self._most][0]
        leaving = [key for key in self._rows if key[0] <= until]
        for key in leaving:
            del self._rows[key]
        return Pruned(len(leaving), until)


def _order(cell: Cell) -> _Key:
    return cell.bucket, cell.node, cell.space, cell.group, cell.seconds
