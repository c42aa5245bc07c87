"""The port `CellSource`: one suite, run on real nodes and on the one in memory."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import pytest
from peers import Peer, closed_port, hang, http
from running_node import RunningNode, StartNode

from runbook.adapters.engram import EngramCells
from runbook.adapters.memory.cells import MemoryCells
from runbook.model.cells import TREATMENT, Cell, NodeCells
from runbook.model.measurement import Silence
from runbook.model.target import Node
from runbook.ports import CellSource
from runbook.wire import Wire

SECONDS = 86_400
"""A day: a test that runs over the end of a bucket is rare."""


class Fleet(Protocol):
    """A node that works: `a`; one that tells of no cells: `old`; two that do not answer: `refused`, `hanging`."""

    def adapter(self) -> CellSource:
        """A new user of the same nodes."""

    def node(self, name: str) -> Node:
        """How to reach it."""

    def recall(self, space: str, times: int) -> None:
        """Recall in that space of `a`; the dual memory is on, and every space is treated."""


@dataclass
class MemoryFleet:
    """Rows in a dictionary."""

    source: MemoryCells = field(default_factory=MemoryCells)

    def __post_init__(self) -> None:
        self.source.silent |= {"refused": "connection refused", "hanging": "timed out: connected, but no answer"}
        self.source.nodes["a"] = NodeCells("a", SECONDS, ())

    def adapter(self) -> CellSource:
        """The same object."""
        return self.source

    def node(self, name: str) -> Node:
        """Only the name counts."""
        return Node(name, f"http://{name}")

    def recall(self, space: str, times: int) -> None:
        """One row of that space, replaced when it grows."""
        known = {cell.space: cell for cell in self.source.nodes["a"].cells}
        n = times + (known[space].n if space in known else 0)
        known[space] = Cell("a", SECONDS, SECONDS, space, TREATMENT, n, n * 1.0, n * 1.1, 0, 0, n, n * 0.5, n * 0.3)
        self.source.nodes["a"] = NodeCells("a", SECONDS, tuple(known.values()))


@dataclass
class RealFleet:
    """One node process, and peers for what a node process does not do."""

    running: RunningNode
    peers: dict[str, str]

    def adapter(self) -> CellSource:
        """A new client."""
        return EngramCells(wire=Wire(connect=1.0, read=0.5), sleep=lambda _: None)

    def node(self, name: str) -> Node:
        """Its port on loopback."""
        if name in self.peers:
            return Node(name, self.peers[name])
        return Node(name, self.running.url, token_file=self.running.token_file)

    def recall(self, space: str, times: int) -> None:
        """As anyone would."""
        for _ in range(times):
            assert self.running.recall("which release was rolled back", space).status == 200


@pytest.fixture(scope="module", params=["memory", "engram"])
def fleet(request: pytest.FixtureRequest, start_shared_node: StartNode) -> Iterator[Fleet]:
    """The same fleet, twice."""
    if request.param == "memory":
        yield MemoryFleet()
        return
    with Peer(lambda _: http("not here", "404 Not Found")) as old, Peer(lambda _: hang) as hanging:
        places = {"old": old.url, "hanging": hanging.url, "refused": f"http://127.0.0.1:{closed_port()}"}
        node = start_shared_node(None, "--cell-seconds", str(SECONDS))
        for space in ("alpha", "beta"):
            assert node.ask("POST", "/api/v1/spaces", {"id": space}).status == 201
            assert node.remember("the release was rolled back", space).status in {200, 201}
        yield RealFleet(node, places)


def cells_of(fleet: Fleet, since: float = 0.0) -> dict[str, Cell]:
    """The rows of `a` by space."""
    found = fleet.adapter().cells([fleet.node("a")], {"a": since})["a"]
    assert isinstance(found, NodeCells)
    assert found.bucket_seconds == SECONDS
    return {cell.space: cell for cell in found.cells}


def test_rows_add_recalls_up_by_space(fleet: Fleet) -> None:
    """Every recall is in one row of its space, with its bucket's length, and the row grows."""
    fleet.recall("alpha", 3)
    before = cells_of(fleet)["alpha"]
    fleet.recall("alpha", 2)
    fleet.recall("beta", 1)
    found = cells_of(fleet)
    assert (found["alpha"].n - before.n, found["beta"].n) == (2, 1)
    for cell in found.values():
        assert (cell.node, cell.seconds, cell.group, cell.errors) == ("a", SECONDS, TREATMENT, 0)
        assert cell.bucket % SECONDS == 0
        assert math.isfinite(cell.log_latency_sum)
        assert cell.log_latency_sum_squares * cell.n >= cell.log_latency_sum**2 * (1 - 1e-9)


def test_only_buckets_that_end_later_are_told(fleet: Fleet) -> None:
    """The running bucket is told until it is over, and no more after that."""
    fleet.recall("alpha", 1)
    bucket = cells_of(fleet)["alpha"].bucket
    assert "alpha" in cells_of(fleet, bucket + SECONDS - 1.0)
    assert cells_of(fleet, bucket + SECONDS) == {}


def test_silence_hides_nobody(fleet: Fleet) -> None:
    """Every node is in the answer, with its rows or the reason why not; one without cells did answer."""
    names = ("refused", "a", "hanging", "old")
    found = fleet.adapter().cells([fleet.node(name) for name in names], {})
    assert tuple(found) == names
    silent = {name: each for name, each in found.items() if isinstance(each, Silence)}
    assert {name: each.answered for name, each in silent.items()} == {"refused": False, "hanging": False, "old": True}
    assert silent["old"].reason == "telling of cells is not supported by this node"
    assert "refused" in silent["refused"].reason
    assert "timed out" in silent["hanging"].reason


def test_rows_of_no_nodes_are_none(fleet: Fleet) -> None:
    """An empty fleet has no rows."""
    assert fleet.adapter().cells([], {}) == {}
