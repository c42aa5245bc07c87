"""Rows are read off the nodes and kept, from the newest on; who was silent is told, and whose clock is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runbook.model.cells import NodeCells, Pruned
from runbook.model.measurement import Silence
from runbook.model.target import Node
from runbook.ports import CellSource, CellStore

_AHEAD_SECONDS = 60.0
"""A node's clock may be ahead of ours by that much: what it tells then is true, only early."""

_AT_ONCE = 8
"""Nodes that were never read tell all they have, some 50 000 rows each: so many of them are held at a time."""


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
    since = {node.name: min(newest[node.name], now) for node in nodes if node.name in newest}
    known = [node for node in nodes if node.name in since]
    new = [node for node in nodes if node.name not in since]
    groups = [known, *(new[at : at + _AT_ONCE] for at in range(0, len(new), _AT_ONCE))]
    parts = [_read(source, store, group, since, now) for group in groups if group]
    silent = {each.node: each for part in parts for each in part.silent}
    return Collected(
        tuple(silent[node.name] for node in nodes if node.name in silent),
        sum(part.rows for part in parts),
        tuple(told for part in parts for told in part.told),
    )


def _read(
    source: CellSource, store: CellStore, nodes: Sequence[Node], since: Mapping[str, float], now: float
) -> Collected:
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
    summed = f"{pruned.summed} old rows were added up to hours" if pruned.summed else ""
    gone = f"{pruned.rows} of the oldest rows were let go of" if pruned.rows else ""
    told = " and ".join(filter(None, (summed, gone)))
    return f"{told}, to keep the store within its bound" if told else ""
