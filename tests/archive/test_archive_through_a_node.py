"""What goes through a node comes back: every store that the format can hold, exported, imported, exported again."""

import asyncio
import tempfile
from collections.abc import Iterator

import pytest
from archive_records import Record, in_order, read, stores, written
from embedded_data import EmbeddedData
from hypothesis import HealthCheck, given, settings

from runbook.archive.reader import ArchiveReader
from runbook.sandbox.engine import Engine


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedData]:
    """One node for all of them."""
    engine = Engine(tmp_path_factory.mktemp("node"))
    asyncio.run(engine.create_space("default"))
    yield EmbeddedData(engine)
    engine.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stores())
def test_what_goes_in_comes_out_bit_by_bit(data: EmbeddedData, store: list[Record]) -> None:
    """-0.0, subnormals, 2^63, every plane of Unicode, nothing at all: and once more through a node the same bytes."""
    named = [{**each, "space": "tenant-a"} for each in store]  # a node does not take every name
    archive = written("dual_memory", in_order(named, "dual_memory"))
    records, summary = read(archive)
    once = through(data, archive)
    assert read(once)[0] == records
    assert (read(once)[1].digest, read(once)[1].counts) == (summary.digest, summary.counts)
    again = through(data, once)
    assert body(again) == body(once)


def through(data: EmbeddedData, archive: bytes) -> bytes:
    """Into a staging generation, and out of it."""
    generation = data.fill([archive]).generation
    try:
        with data.export("dual_memory", generation=generation) as chunks:
            found = b"".join(chunks)
    finally:
        data.drop(generation)
    ArchiveReader([found], "it", tempfile.TemporaryFile).read()
    return found


def body(archive: bytes) -> bytes:
    """The records; the header names the generation."""
    return archive[archive.index(b"\n") : archive.rindex(b'"footer"')]
