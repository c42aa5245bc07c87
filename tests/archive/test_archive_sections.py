"""Section by section an archive is read as strictly as in one go, and the regions that come out are all of it."""

import os
from pathlib import Path

import pytest
from archive_records import concept, dual, episode, header, residue
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runbook.adapters.archives.conversion.strictly import Wanted, read_back, read_strictly
from runbook.adapters.archives.exports import opened_export, write_export
from runbook.archive import limits, outline
from runbook.archive.regions import Scanned
from runbook.archive.writer import ArchiveWriter
from runbook.errors import DamagedError

WANTED = Wanted(workers=1, region_bytes=9000)


@pytest.fixture(params=[(1000, 3000), (4096, 8192), (50_000, 50_000)], ids=str)
def small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and sections that lines cross, or that hold several; behind the first 40 000 bytes blocks are larger."""
    block, section = request.param
    for name, size in {"BLOCK_BYTES": block, "COARSE_BLOCK_BYTES": 3 * block, "FINE_BYTES": 40 * block}.items():
        monkeypatch.setattr(limits, name, size)
    monkeypatch.setattr(outline, "SECTION_BYTES", section)


def read(path: Path, wanted: Wanted = WANTED) -> Scanned:
    """In sections."""
    with path.open("rb") as stream:
        return read_strictly(stream, path.name, wanted)


def many() -> list[dict[str, object]]:
    """Enough for several sections, some of them long."""
    episodes = [episode(f"ep_{number}", content="x" * (number % 5) * 1500) for number in range(10, 30)]
    return [*episodes, *(each for each in dual() if each["type"] == "concept")]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("kind", ["dual", "many", "residue", "empty", "changes"])
def test_it_is_read_as_in_one_go(tmp_path: Path, kind: str, workers: int) -> None:
    """Header, counts, hash and digest are the reader's; the regions lie side by side and hold every record."""
    records = {"dual": dual(), "many": many(), "residue": residue(), "empty": [], "changes": many()}[kind]
    about = header("residue" if kind == "residue" else "dual_memory", since=3 if kind == "changes" else None)
    path = tmp_path / "archive.json"
    write_export(path, about, records)
    with opened_export(path) as reader:
        wanted = reader.read()
    found = read(path, Wanted(workers, 9000))
    assert (found.header, found.counts, found.bytes) == (wanted.header, wanted.counts, wanted.bytes)
    assert found.sha256 == wanted.sha256
    with path.open("rb") as stream:
        assert read_back(stream, path.name, wanted, workers) == wanted.digest
    data = path.read_bytes()
    lines = data.split(b"\n")[2:-3] if records else []
    parts = [data[region.offset : region.offset + region.size] for region in found.regions]
    assert b"".join(parts).split(b"\n")[:-1] == lines
    assert [region.offset for region in found.regions[1:]] == [each.offset + each.size for each in found.regions[:-1]]
    assert sum(region.records for region in found.regions) == len(records)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("start", range(3))
def test_every_flipped_byte_is_found(tmp_path: Path, start: int) -> None:
    """Of header, records and footer; by the message of the one who reads in one go."""
    path = tmp_path / "archive.json"
    write_export(path, header("dual_memory"), dual())
    whole = path.read_bytes()
    for place in range(start * 37, len(whole), 311):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(DamagedError, match=r"archive\.json: .*(line|byte)"):
            read(path)


@pytest.mark.usefixtures("small")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(cut=st.floats(0, 1), more=st.sampled_from([b"", b"\n", b"{}", b"],\n"]))
def test_cut_off_or_grown_it_is_no_archive(tmp_path: Path, cut: float, more: bytes) -> None:
    """Wherever it ends."""
    path = tmp_path / "archive.json"
    if not path.exists():
        write_export(path, header("dual_memory"), many())
        (tmp_path / "whole").write_bytes(path.read_bytes())
    whole = (tmp_path / "whole").read_bytes()
    place = int(cut * len(whole))
    path.write_bytes(whole[:place] + more)
    if path.read_bytes() == whole:
        assert read(path).counts["episode"] == 20
        return
    with pytest.raises(DamagedError):
        read(path)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    "records",
    [
        [episode("b"), episode("a")],
        [episode("a"), episode("a")],
        [concept("00000000-0000-4000-8000-000000000001"), episode("a")],
        [each for each in dual() if each["type"] != "concept"],
        [{**episode("a"), "activation": 2.0}],
    ],
    ids=["order", "twice", "types", "binding to nothing", "invalid"],
)
def test_what_every_hash_calls_whole_is_still_refused(tmp_path: Path, records: list[dict[str, object]]) -> None:
    """A footer that fits proves the bytes, not the records."""
    path = tmp_path / "archive.json"
    with path.open("wb") as stream:
        writer = ArchiveWriter(stream.write, header("dual_memory"))
        for record in records:
            writer._last = (-1, ())
            writer.add(record)
        writer.finish()
    with pytest.raises(DamagedError):
        read(path)


def test_its_file_is_read_at_places_only(tmp_path: Path) -> None:
    """So that processes can share it."""
    path = tmp_path / "archive.json"
    write_export(path, header("dual_memory"), dual())
    with path.open("rb", buffering=0) as stream:
        read_strictly(stream, "x", Wanted(2, 9000))
        assert os.lseek(stream.fileno(), 0, os.SEEK_CUR) == 0
