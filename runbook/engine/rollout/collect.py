"""Rows are read off the nodes and kept, from the newest on; who was silent is told, and whose clock is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runbook.model.cells import NodeCells, Pruned
from runbook.model.measurement import Silence
from runbook.model.target import Node
from runbook.ports import CellSource, CellStore

_AHEAD_SECONDS = 60.0
"""A node's clock may be ahead of ours by that much: what it tells then is true, only early."""


@dataclass(frozen=True, slots=True)
class Collected:
    """One reading of all nodes: who was silent, how many rows were kept, and what people have to know of it."""

    silent: tuple[Silence, ...]
    rows: int
    told: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Did every node tell its rows?"""
        return not self.silent


def collect(source: CellSource, store: CellStore, nodes: Sequence[Node], now: float) -> Collected:
    """Read what is new on each node, and keep it. `now` is in seconds since 1970.

    The newest bucket is read again, since it may have grown. Rows of the future are not kept: that node's clock is
    wrong, and the bucket will be told again when it is over.

    Raises:
        RefusedError: a token is not kept as it must be.
        StorageError, DamagedError: as the store raises.
    """
    newest = store.newest()
    since = {node.name: min(newest.get(node.name, 0.0), now) for node in nodes}
    found = source.cells(nodes, since)
    spoken = [each for each in found.values() if isinstance(each, NodeCells)]
    silent = tuple(each for each in found.values() if isinstance(each, Silence))
    kept = [_until(each, now) for each in spoken]
    pruned = store.add(kept)
    told = [_ahead(each, now) for each in spoken] + [_pruned(pruned)]
    return Collected(silent, sum(len(each.cells) for each in kept), tuple(filter(None, told)))


def _until(node: NodeCells, now: float) -> NodeCells:
    return replace(node, cells=tuple(cell for cell in node.cells if cell.bucket <= now + _AHEAD_SECONDS))


def _ahead(node: NodeCells, now: float) -> str:
    last = max((cell.bucket for cell in node.cells), default=0)
    if last <= now + _AHEAD_SECONDS:
        return ""
    return f"{node.node}: its clock is {last - now:.0f} s ahead of this machine's; rows of the future are left out"


def _pruned(pruned: Pruned) -> str:
    if not pruned.rows:
        return ""
    return f"{pruned.rows} of the oldest rows were let go of, to keep the store within its bound"
