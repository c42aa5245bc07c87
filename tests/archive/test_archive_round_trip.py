"""What is written is what is read, bit for bit; equal states are equal bytes."""

import json
import random
import tempfile

import pytest
from archive_records import (
    binding,
    concept,
    dropped_concept,
    dual,
    embedding,
    episode,
    in_order,
    memory,
    of_type,
    read,
    residue,
    stores,
    written,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook.archive import limits
from runbook.archive.decode import decoded
from runbook.archive.layout import Header
from runbook.archive.reader import ArchiveReader
from runbook.archive.writer import ArchiveWriter
from runbook.errors import DamagedError

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def same(one: object, other: object) -> bool:
    """Equal to the last bit: 0.0 is not -0.0, 1 is not 1.0."""
    return repr(one) == repr(other)


def ordered(record: object) -> object:
    """The same with every map sorted: their order is no data."""
    if isinstance(record, dict):
        return {name: ordered(record[name]) for name in sorted(record)}
    return [ordered(item) for item in record] if isinstance(record, list) else record


@SETTINGS
@given(stores())
def test_a_dual_memory_comes_back_bit_for_bit(records: list[dict[str, object]]) -> None:
    """Export, import, export: the same records, the same bytes; and any JSON tool reads the same."""
    data = written("dual_memory", records)
    found, summary = read(data)
    assert same([ordered(record) for record in found], [ordered(record) for record in records])
    assert written("dual_memory", found) == data
    assert summary.digest is not None
    assert summary.digest.count == len(records) == sum(summary.counts.values())
    assert same(json.loads(data)["records"], found)


@SETTINGS
@given(records=st.lists(of_type("memory"), max_size=4), packed=st.booleans())
def test_a_single_memory_comes_back_bit_for_bit(records: list[dict[str, object]], *, packed: bool) -> None:
    """The same for single memory, plain and packed."""
    records = in_order(records, "single_memory")
    data = written("single_memory", records, packed=packed)
    found, _ = read(data)
    assert same([ordered(record) for record in found], [ordered(record) for record in records])
    assert written("single_memory", found, packed=packed) == data


@pytest.mark.parametrize("kind", ["dual_memory", "single_memory", "residue"])
@pytest.mark.parametrize("packed", [False, True])
def test_an_empty_store_is_an_archive(kind: str, *, packed: bool) -> None:
    """No record is no damage."""
    records, summary = read(written(kind, [], packed=packed))
    assert records == []
    assert set(summary.counts.values()) == {0}


def test_a_residue_comes_back_with_kept_and_dropped_concepts() -> None:
    """Both forms of a concept's residue are read, and no mixture of the two."""
    both = [residue()[0], dropped_concept(), residue()[2]]
    for records in (residue(), both):
        assert same(read(written("residue", records))[0], records)
    half = dropped_concept()
    del half["fields"]["embedding"]
    with pytest.raises(DamagedError):
        read(written("residue", [residue()[0], half]))


def test_the_order_of_members_and_of_maps_is_no_data() -> None:
    """The writer sorts what comes in any order: the bytes are those of the state."""
    backwards = episode(metadata={"b": "1", "a": "2"}, embedding_provenance={"z": {"y": 1, "x": 2}, "a": None})
    other = episode(metadata={"a": "2", "b": "1"}, embedding_provenance={"a": None, "z": {"x": 2, "y": 1}})
    assert written("dual_memory", [dict(reversed(backwards.items()))]) == written("dual_memory", [other])


def test_the_content_digest_is_of_records_not_of_their_order_or_file() -> None:
    """It is the same for plain and packed, and changes with any value."""
    digests = [read(written("dual_memory", dual(), packed=packed))[1].digest for packed in (False, True)]
    other = read(written("dual_memory", [episode(activation=0.25), *dual()[1:]]))[1].digest
    assert digests[0] == digests[1] != other


def test_many_records_are_read_whatever_the_pieces_are() -> None:
    """Lines that lie across chunks and batches of every size are the same records."""
    episodes = [episode(f"ep_{number:05d}", content="x" * (number % 700)) for number in range(700)]
    records = [*episodes, concept(), *[binding(f"ep_{number:05d}") for number in range(0, 700, 3)]]
    data = written("dual_memory", records)
    assert len(data) > 3 * limits.MIB
    found, summary = read(data)
    assert found == records
    cut = random.Random(5)

    def pieces() -> object:
        at = 0
        while at < len(data):
            size = cut.choice([1, 2, 3, 4095, 70_000, limits.MIB])
            yield data[at : at + size]
            at += size

    assert ArchiveReader(pieces(), "pieces", tempfile.TemporaryFile).read() == summary  # type: ignore[arg-type]


def test_a_delta_has_tombstones_and_binds_what_is_elsewhere() -> None:
    """With `since`, and only then, records may refer to what did not change, and say what was forgotten."""
    tombstone = {
        "type": "tombstone",
        "space": "default",
        "of": "episode",
        "id": "ep_0",
        "concept_id": "",
        "sequence": 7,
    }
    data = written("dual_memory", [binding("ep_9"), tombstone], since=3)
    records, summary = read(data)
    assert records == [binding("ep_9"), tombstone]
    assert summary.header.since == 3
    with pytest.raises(DamagedError):
        written("dual_memory", [tombstone])


@pytest.mark.parametrize(
    "records",
    [
        [episode("b"), episode("a")],
        [episode("a"), episode("a")],
        [concept(), episode()],
        [memory()],
        [episode(extra=1)],
        [{name: value for name, value in episode().items() if name != "who"}],
        [episode(content="\ud800")],
        [episode(content="x" * limits.LINE_BYTES)],
        [episode(recall_count=2**64)],
    ],
)
def test_the_writer_writes_nothing_that_a_reader_refuses(records: list[dict[str, object]]) -> None:
    """Out of order, twice, of another kind, with or without a member, or too large: refused before it is in a file."""
    with pytest.raises(DamagedError):
        written("dual_memory", records)


def test_decoded_records_have_numbers() -> None:
    """Each number is the shortest that gives the same float32."""
    line = next(decoded([[episode(embedding=embedding(0.1, -0.0, 1e-45))]]))
    assert b'"embedding":[0.1,-0.0,1e-45,0.25,' in line
    assert len(json.loads(line)["embedding"]) == limits.DIMENSIONS


def test_the_header_says_what_it_is_of() -> None:
    """Every member of it comes back."""
    header = Header("dual_memory", "2026-01-02T03:04:05.000006Z", "näme", "gen-2:99", "fuzzy", 5)
    out: list[bytes] = []
    ArchiveWriter(out.append, header).finish()
    assert read(b"".join(out))[1].header == header
