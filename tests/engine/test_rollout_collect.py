"""Rows are collected from the newest that are kept on, each counted once, and who was silent or wrong is told."""

from dataclasses import replace
from pathlib import Path

import pytest
from cells_scene import SPACES, Traffic
from running_node import RunningNode, StartNode

from runbook.adapters.cell_store import FileCellStore
from runbook.adapters.engram import EngramCells
from runbook.adapters.memory.cells import MemoryCells, MemoryCellStore
from runbook.engine.judging.collect import Collected, collect
from runbook.model.cells import Cell, NodeCells, Pruned
from runbook.model.measurement import Silence
from runbook.model.target import Node

NODES = [Node(name, f"http://{name}") for name in ("n0", "n1")]


def source(*cells: Cell) -> MemoryCells:
    """Nodes with these rows."""
    return MemoryCells(
        {name: NodeCells(name, 2, tuple(each for each in cells if each.node == name)) for name in ("n0", "n1")}
    )


def row(bucket: int, node: str = "n0", n: int = 10) -> Cell:
    """A row of the first space."""
    return replace(Traffic().cell(SPACES[0], bucket, node=node), n=n)


def test_the_newest_bucket_is_read_again() -> None:
    """It may have grown; what is older is not asked for any more."""
    store, nodes = MemoryCellStore(), source(row(100), row(102, n=3))
    assert collect(nodes, store, NODES, 103.0) == Collected((), 2)
    nodes.nodes["n0"] = NodeCells("n0", 2, (row(100, n=99), row(102, n=8), row(104, n=1)))
    assert collect(nodes, store, NODES, 105.0).rows == 2
    assert [cell.n for cell in store.rows(0, 200)] == [10, 8, 1]


def test_who_was_silent_is_told_and_the_others_are_kept() -> None:
    """One node that hangs costs nobody else's rows; what it had to tell is read when it answers again."""
    store, nodes = MemoryCellStore(), source(row(100), row(100, "n1"))
    nodes.silent["n1"] = "timed out"
    found = collect(nodes, store, NODES, 103.0)
    assert (found.silent, found.rows, found.is_whole) == ((Silence("n1", "timed out"),), 1, False)
    nodes.silent.clear()
    assert collect(nodes, store, NODES, 103.0).is_whole
    assert len(list(store.rows(0, 200))) == 2


def test_rows_of_the_future_are_not_kept_and_told() -> None:
    """Else a clock that was ahead for a moment would hide all rows until then."""
    store, nodes = MemoryCellStore(), source(row(100), row(5_000))
    found = collect(nodes, store, NODES, 103.0)
    assert found.rows == 1
    assert found.told == ("n0: its clock is 4897 s ahead of this machine's; rows of the future are left out",)
    nodes.nodes["n0"] = NodeCells("n0", 2, (row(100), row(104)))
    assert collect(nodes, store, NODES, 105.0) == Collected((), 2)


def test_our_own_clock_that_was_ahead_loses_nothing() -> None:
    """Rows that were kept while this machine's clock was wrong do not keep later ones from being read."""
    store, nodes = MemoryCellStore(), source(row(5_000))
    collect(nodes, store, NODES, 5_001.0)
    nodes.nodes["n0"] = NodeCells("n0", 2, (row(104), row(5_000)))
    assert collect(nodes, store, NODES, 105.0).rows == 1
    assert 104 in {cell.bucket for cell in store.rows(0, 200)}


def test_what_the_store_let_go_of_is_told() -> None:
    """A bound that costs rows says so."""
    found = collect(source(row(100), row(102), row(104)), MemoryCellStore(most=2), NODES, 105.0)
    assert found.told == ("1 of the oldest rows were let go of, to keep the store within its bound",)
    assert Pruned() == Pruned(0, None)


@pytest.mark.end_to_end
def test_a_node_that_is_restarted_counts_each_recall_once(start_node: StartNode, tmp_path: Path) -> None:
    """Its rows survive the restart, so what is read before and after adds up to what was asked, and not to more."""

    def ask(node: RunningNode, times: int) -> None:
        for _ in range(times):
            assert node.recall("which release was rolled back").status == 200

    def told(node: RunningNode) -> int:
        address = Node("n0", node.url, token_file=node.token_file)
        collect(EngramCells(), store, [address], 4e9)
        return sum(cell.n for cell in store.rows(0, 4e9))

    store = FileCellStore(tmp_path, "prod")
    first = start_node(tmp_path / "node", "--cell-seconds", "2")
    ask(first, 5)
    assert told(first) == 5
    ask(first, 3)
    assert first.stop() == 0
    again = start_node(tmp_path / "node", "--cell-seconds", "2")
    ask(again, 2)
    assert told(again) == 10
