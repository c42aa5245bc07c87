"""The port `DataNode`: one suite, run on the real adapter with real nodes and on the engine without a network."""

import asyncio
import base64
import struct
import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from embedded_data import EmbeddedData
from running_node import RunningNode, StartNode
from whole_data import SPACE, binding, concept, episode, write

from runbook.adapters.engram import EngramData
from runbook.archive.layout import Summary
from runbook.archive.reader import ArchiveReader
from runbook.errors import DamagedError, RefusedError
from runbook.model.generation import State, WrittenSinceError
from runbook.model.target import Node
from runbook.ports import DataNode
from runbook.sandbox.embedding import embed
from runbook.sandbox.engine import Engine
from runbook.sandbox.gate import FrozenError
from runbook.sandbox.records import Episode

TEXT = "The heron waits at the river"
UUID = "00000000-0000-4000-8000-000000000001"
ARCHIVE = write("dual_memory", [episode("a"), episode("b"), concept(UUID), binding("a", UUID)])
CHANGES = write("dual_memory", [episode("c")], since=1)


class World(Protocol):
    """A node with one memory of one space, behind the port."""

    data: DataNode

    def write(self) -> bool:
        """Try to; did the node take it?"""

    def recalled(self) -> object:
        """What the node would tell of recalls."""


class RealWorld:
    """A process of its own, over HTTP."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        node.ask("POST", "/api/v1/spaces", {"id": SPACE})
        node.remember(TEXT, SPACE, id="heron")
        node.settle()
        self.data: DataNode = EngramData(Node("n1", node.url, token_file=node.token_file))

    def write(self) -> bool:
        return self._node.remember("another text", SPACE).status == 201

    def recalled(self) -> object:
        found = self._node.metrics()
        return {name: value for name, value in found.items() if name.startswith("engram_recall")}


class EmbeddedWorld:
    """The sandbox's engine in this process."""

    def __init__(self, folder: Path) -> None:
        self.engine = Engine(folder)
        asyncio.run(self.engine.create_space(SPACE))
        self._remember("heron", TEXT)
        self.data: DataNode = EmbeddedData(self.engine)

    def _remember(self, id_: str, text: str) -> None:
        self.engine.memory.remember([Episode(SPACE, id_, text, 1, embed(text).tobytes(), 1)]).result()

    def write(self) -> bool:
        try:
            self._remember("another", "another text")
        except FrozenError:
            return False
        return True

    def recalled(self) -> object:
        return None  # whoever counts recalls is not part of it


@pytest.fixture(params=["real", "embedded"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Each of them."""
    if request.param == "real":
        yield RealWorld(request.getfixturevalue("start_node")())
        return
    found = EmbeddedWorld(tmp_path / "node")
    yield found
    found.engine.close()


@pytest.fixture
def data(world: World) -> DataNode:
    """Its port."""
    return world.data


def pieces(archive: bytes) -> Iterator[bytes]:
    """Small ones."""
    return (archive[start : start + 1000] for start in range(0, len(archive), 1000))


def exported(data: DataNode, kind: str = "dual_memory", *, since: int | None = None, generation: str = "") -> Summary:
    """What the node streams, read strictly."""
    with data.export(kind, since=since, generation=generation) as chunks:
        return ArchiveReader(chunks, "the node", tempfile.TemporaryFile).read()


def test_holdings_tell_the_node_and_its_served_generation(data: DataNode) -> None:
    """With the counts and the sequence number of the last change; the id is that of the exports."""
    found = data.holdings()
    assert (found.active.id, found.active.state, found.active.kind) == ("g1", State.ACTIVE, "dual_memory")
    assert found.active.counts["episode"] == 1
    header = exported(data).header
    assert (header.node, header.snapshot) == (found.node, f"g1:{found.active.sequence}")


def test_an_archive_fills_a_generation_beside_the_served_one(data: DataNode) -> None:
    """Exported from there it has the same content; nothing of what is served has changed."""
    before = exported(data)
    taken = data.fill(pieces(ARCHIVE))
    assert (taken.kind, taken.took, taken.counts) == (
        *("dual_memory", "dual_memory"),
        {"episode": 2, "concept": 1, "binding": 1},
    )
    given = ArchiveReader([ARCHIVE], "given", tempfile.TemporaryFile).read()
    assert given.sha256 == taken.sha256
    assert exported(data, generation=taken.generation).digest == given.digest
    assert exported(data) == before
    staging = data.holdings().of(State.STAGING)
    assert staging is not None
    assert staging.id == taken.generation


def test_changes_are_added_and_the_switch_is_one_step(data: DataNode) -> None:
    """It is refused where something was written since, with the sequence number of that."""
    generation = data.fill(pieces(ARCHIVE)).generation
    assert data.add(generation, pieces(CHANGES)).counts["episode"] == 1
    stands = data.holdings().active.sequence
    with pytest.raises(WrittenSinceError) as refused:
        data.activate(generation, stands - 1)
    assert refused.value.sequence == stands
    assert data.holdings().active.id == "g1"
    assert data.activate(generation, stands) >= stands
    found = data.holdings()
    assert (found.active.id, found.active.counts["episode"]) == (generation, 3)
    kept = found.of(State.KEPT)
    assert kept is not None
    assert kept.id == "g1"


def test_the_kept_generation_takes_what_was_written_since_before_it_is_served_again(data: DataNode) -> None:
    """The way back after a switch; the served one takes nothing that way."""
    taken = data.fill(pieces(ARCHIVE))
    data.activate(taken.generation, data.holdings().active.sequence)
    assert data.add("g1", pieces(CHANGES)).generation == "g1"
    with pytest.raises(RefusedError, match="is served: nothing is added"):
        data.add(taken.generation, pieces(CHANGES))
    data.activate("g1", data.holdings().active.sequence)
    assert data.holdings().active.counts["episode"] == 2


def test_what_is_damaged_fills_nothing(data: DataNode) -> None:
    """The refusal names the place; there is no staging generation."""
    with pytest.raises(DamagedError, match="line"):
        data.fill(pieces(ARCHIVE[:-200]))
    assert data.holdings().of(State.STAGING) is None


def test_a_source_that_fails_leaves_nothing_and_is_told_as_it_is(data: DataNode) -> None:
    """The error of whoever gives the bytes is no error of the node."""

    def broken() -> Iterator[bytes]:
        yield ARCHIVE[:5000]
        raise OSError(5, "the disk reports an error")

    with pytest.raises(OSError, match="the disk reports"):
        data.fill(broken())
    assert data.holdings().of(State.STAGING) is None


def test_a_second_staging_generation_is_refused_until_the_first_is_dropped(data: DataNode) -> None:
    """Nothing takes the place of what is being prepared."""
    first = data.fill([ARCHIVE]).generation
    with pytest.raises(RefusedError, match=first):
        data.fill([ARCHIVE])
    data.drop(first)
    assert data.fill([ARCHIVE]).generation != first


def test_generations_that_do_not_exist_or_are_served_are_refused(data: DataNode) -> None:
    """By their names."""
    with pytest.raises(RefusedError, match="g9"), data.export("dual_memory", generation="g9"):
        pass
    with pytest.raises(RefusedError, match="g9"):
        data.drop("g9")
    with pytest.raises(RefusedError, match="g1"):
        data.drop("g1")
    with pytest.raises(RefusedError, match="dual_memory"), data.export("single_memory"):
        pass


def test_a_freeze_says_where_the_node_stands_and_ends(world: World) -> None:
    """While it lasts no write is taken; afterwards they are."""
    assert world.data.freeze(timedelta(seconds=60)) == world.data.holdings().active.sequence
    assert not world.write()
    world.data.unfreeze()
    assert world.write()


def numbers(record_embedding: str) -> Sequence[float]:
    """Of an archive's text."""
    return struct.unpack("<768f", base64.b64decode(record_embedding))


def test_a_recall_leaves_no_trace(world: World) -> None:
    """Not in the metrics, and not in the episode."""
    data = world.data
    with data.export("dual_memory") as chunks:
        ((record,),) = ArchiveReader(chunks, "it", tempfile.TemporaryFile).batches()
    before, counted = exported(data), world.recalled()
    (best,) = data.recall(SPACE, numbers(record["embedding"]), 10)
    assert best.id == "heron"
    assert 0.0 < best.confidence <= 1.0
    assert exported(data) == before
    assert world.recalled() == counted


def test_a_space_that_there_is_not_is_refused(start_node: StartNode) -> None:
    """By its name."""
    with pytest.raises(RefusedError, match="nowhere"):
        RealWorld(start_node()).data.recall("nowhere", [0.5] * 768, 1)
