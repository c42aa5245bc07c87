"""The port `DataNode`: what it promises, proven on the adapter and real nodes."""

import base64
import struct
import tempfile
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest
from running_node import RunningNode, StartNode
from whole_data import SPACE, binding, concept, episode, write

from runbook.adapters.engram import EngramData
from runbook.archive.layout import Summary
from runbook.archive.reader import ArchiveReader
from runbook.errors import DamagedError, RefusedError
from runbook.model.generation import State, WrittenSinceError
from runbook.model.target import Node
from runbook.ports import DataNode

UUID = "00000000-0000-4000-8000-000000000001"
ARCHIVE = write("dual_memory", [episode("a"), episode("b"), concept(UUID), binding("a", UUID)])
CHANGES = write("dual_memory", [episode("c")], since=1)


@pytest.fixture
def running(start_node: StartNode) -> RunningNode:
    """A node with a memory of one space."""
    found = start_node()
    found.ask("POST", "/api/v1/spaces", {"id": SPACE})
    found.remember("The heron waits at the river", SPACE, id="heron")
    found.settle()
    return found


@pytest.fixture
def data(running: RunningNode) -> DataNode:
    """The same node through the port."""
    return EngramData(Node("n1", running.url, token_file=running.token_file))


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


def test_a_freeze_says_where_the_node_stands_and_ends(running: RunningNode, data: DataNode) -> None:
    """While it lasts no write is taken; afterwards they are."""
    assert data.freeze(timedelta(seconds=60)) == data.holdings().active.sequence
    assert running.remember("x", SPACE).status == 503
    data.unfreeze()
    assert running.remember("x", SPACE).status == 201


def numbers(record_embedding: str) -> Sequence[float]:
    """Of an archive's text."""
    return struct.unpack("<768f", base64.b64decode(record_embedding))


def test_a_recall_leaves_no_trace(running: RunningNode, data: DataNode) -> None:
    """Not in the metrics, and not in the episode; a space that there is not is refused."""
    with data.export("dual_memory") as chunks:
        ((record,),) = ArchiveReader(chunks, "it", tempfile.TemporaryFile).batches()
    before, counted = exported(data), running.metrics()
    (best,) = data.recall(SPACE, numbers(record["embedding"]), 10)
    assert best.id == "heron"
    assert 0.0 < best.confidence <= 1.0
    assert exported(data) == before
    recalls = {name: value for name, value in running.metrics().items() if name.startswith("engram_recall")}
    assert recalls.items() <= counted.items()
    with pytest.raises(RefusedError, match="nowhere"):
        data.recall("nowhere", numbers(record["embedding"]), 1)
