"""The converter over files gives what the migrations give in memory, whatever the units, the workers and the form."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from converting import BACK, NOW, SMALL, THERE, convert, exact, read, store, write
from generated_records import dual
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records_in_memory import InMemory
from records_in_memory import convert as in_memory

from runbook.adapters.archives.backups import create_backup, lines_of
from runbook.adapters.archives.conversion import FileConverter
from runbook.adapters.archives.conversion.ranges import Cut
from runbook.adapters.archives.kept import keep_archive
from runbook.archive.layout import Header
from runbook.archive.manifest import About
from runbook.archive.writer import ArchiveWriter
from runbook.errors import DamagedError, NotSupportedError, RefusedError
from runbook.model.conversion import Job
from runbook.model.migration import Concepts, Migration, Record, UnknownMappingError

few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@few
@given(records=dual(), concepts=st.sampled_from(Concepts), workers=st.sampled_from([1, 1, 1, 2]))
def test_through_files_and_back_is_the_identity(
    to_single: Migration, records: list[Record], concepts: Concepts, workers: int
) -> None:
    """Byte for byte the file comes back that went in, empty ones too; in between it is what memory gives."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = write(folder / "backup.json", records)
        there = convert(Job(source, THERE, folder / "there", concepts=concepts, workers=workers))
        assert there.residue is not None
        wanted = in_memory(to_single, InMemory(records), concepts)
        assert exact(read(there.data.path)) == exact(wanted.data)
        assert exact(read(there.residue.path)) == exact(wanted.residue)
        back = convert(Job(there.data.path, BACK, folder / "back", there.residue.path, workers=workers))
        assert back.data.path.read_bytes() == source.read_bytes()
        assert back.dropped == ()


@pytest.mark.parametrize("concepts", list(Concepts))
def test_neither_units_nor_workers_are_seen_in_the_result(tmp_path: Path, concepts: Concepts) -> None:
    """One unit or sixty, one process or three: the same bytes; and there are as many units as was said before."""
    source = write(tmp_path / "backup.json", store())
    job = Job(source, THERE, tmp_path / "whole", concepts=concepts)
    whole = convert(job, Cut())
    for workers in (1, 3):
        other = FileConverter(SMALL)
        small = replace(job, work=tmp_path / f"by {workers}", workers=workers)
        told = other.survey(small)
        found = other.convert(small, lambda *_: None)
        assert found.units == told.units > 20
        for ours, theirs in ((found.data, whole.data), (found.residue, whole.residue)):
            assert ours is not None
            assert theirs is not None
            assert ours.path.read_bytes() == theirs.path.read_bytes()
            assert replace(ours, path=theirs.path) == theirs
        assert {path.name for path in small.work.iterdir()} == {
            "job.json",
            "converted.json",
            "data.json",
            "residue.json",
        }


def test_it_is_packed_or_a_backup_all_the_same(tmp_path: Path) -> None:
    """The residue of a backup goes with it."""
    source = write(tmp_path / "backup.json", store())
    plain = convert(Job(source, THERE, tmp_path / "plain", concepts=Concepts.KEEP))
    assert plain.residue is not None
    keep_archive(iter([source.read_bytes()]), tmp_path / "backup.json.zst", packed=True)
    packed = convert(Job(tmp_path / "backup.json.zst", THERE, tmp_path / "packed", concepts=Concepts.KEEP))
    assert packed.data.path.read_bytes() == plain.data.path.read_bytes()
    about = About("prod", "2026-11-22T17:00:00.000000Z", "node-1", "g1:7", "runbook 0.1.0")
    lines = (
        lines_of(read(part.path), kind) for part, kind in ((plain.data, "single_memory"), (plain.residue, "residue"))
    )
    bundle = create_backup(tmp_path / "backups", about, "single_memory", *lines)
    back = convert(Job(bundle, BACK, tmp_path / "back", bundle))
    assert back.data.path.read_bytes() == source.read_bytes()


def test_what_was_forgotten_and_written_since_is_told(tmp_path: Path, to_dual: Migration) -> None:
    """Counted by type and reason, with some examples, across all units; the data is what memory gives."""
    there = convert(Job(write(tmp_path / "backup.json", store()), THERE, tmp_path / "there"))
    assert there.residue is not None
    memories, left = read(there.data.path), read(there.residue.path)
    now = [{**each, "content": "other words"} if each["id"] == "ep_003" else each for each in memories]
    now = [each for each in now if each["id"] not in {"ep_001", "ep_002"}]
    changed = write(tmp_path / "now.json", now, "single_memory")
    found = convert(Job(changed, BACK, tmp_path / "back", there.residue.path, workers=2))
    wanted = in_memory(to_dual, InMemory(now, left))
    assert exact(read(found.data.path)) == exact(wanted.data)
    assert [(each.record, each.count) for each in found.dropped] == [("binding", 18), ("episode", 4), ("episode", 2)]
    assert found.dropped[1].examples == ("default/ep_001", "default/ep_002", "tenant-a/ep_001", "tenant-a/ep_002")
    assert found.dropped[0].examples[0].startswith("default/ep_001/")
    assert len(found.dropped[0].examples) == 5


def test_changes_are_converted_without_all_the_rest(tmp_path: Path) -> None:
    """With the residue of everything, an archive of changes gives what it touches, and tells of nothing else."""
    there = convert(Job(write(tmp_path / "backup.json", store()), THERE, tmp_path / "there"))
    assert there.residue is not None
    memories = {each["id"]: each for each in read(there.data.path) if each["space"] == "default"}
    recalled, rewritten = memories["ep_001"] | {"access_count": 3}, memories["ep_002"] | {"content": "other words"}
    gone = {"type": "tombstone", "space": "default", "of": "memory", "id": "ep_003", "concept_id": "", "sequence": 9}
    delta = write(tmp_path / "delta.json", [recalled, rewritten, gone], "single_memory", since=7)
    found = convert(Job(delta, BACK, tmp_path / "back", there.residue.path))
    records = read(found.data.path)
    assert [each["id"] for each in records if each["type"] == "episode"] == ["ep_001", "ep_002"]
    assert {each["episode_id"] for each in records if each["type"] == "binding"} == {"ep_001"}
    assert [each for each in records if each["type"] == "tombstone"] == [{**gone, "of": "episode"}]
    bound = "what it binds was forgotten or written anew since"
    assert [(each.record, each.why, each.count) for each in found.dropped] == [
        ("binding", bound, 6),
        ("episode", "its memory was forgotten since", 1),
        ("episode", "its memory was written anew since", 1),
    ]


def test_a_concept_called_like_an_episode_is_refused_when_it_is_kept(tmp_path: Path) -> None:
    """One memory cannot be both; and what was refused leaves no archive."""
    records = store(2, 1)
    name = next(each["id"] for each in records if each["type"] == "concept")
    records = [
        each if each["id"] != "ep_001" else {**each, "id": name} for each in records if each["type"] == "episode"
    ]
    twin = [each for each in store(2, 1) if each["type"] == "concept"]
    source = write(tmp_path / "backup.json", sorted([*records], key=lambda each: (each["space"], each["id"])) + twin)
    with pytest.raises(RefusedError, match="are both called") as refused:
        convert(Job(source, THERE, tmp_path / "work", concepts=Concepts.KEEP))
    assert "--concepts drop" in refused.value.hint
    assert not (tmp_path / "work" / "data.json").exists()


def test_residue_of_something_else_is_damage(tmp_path: Path) -> None:
    """Of another node, of another mapping, or no residue at all."""
    there = convert(Job(write(tmp_path / "backup.json", store(2, 1)), THERE, tmp_path / "there"))
    assert there.residue is not None
    left = read(there.residue.path)
    other = write(tmp_path / "other.json", left, "residue", node="node-2")
    with pytest.raises(DamagedError, match="residue of the node node-2"):
        convert(Job(there.data.path, BACK, tmp_path / "a", other))
    foreign = write(tmp_path / "foreign.json", [{**each, "mapping": "m0009_else"} for each in left], "residue")
    with pytest.raises(UnknownMappingError, match="m0009_else"):
        convert(Job(there.data.path, BACK, tmp_path / "b", foreign, workers=2))
    with pytest.raises(RefusedError, match="not residue"):
        convert(Job(there.data.path, BACK, tmp_path / "c", there.data.path))


def test_an_archive_of_another_kind_is_refused(tmp_path: Path) -> None:
    """And so is a migration that there is not."""
    source = write(tmp_path / "backup.json", store(1, 0))
    with pytest.raises(RefusedError, match="m0002_single_to_dual converts single_memory"):
        convert(Job(source, BACK, tmp_path / "work"))
    with pytest.raises(NotSupportedError, match="m0007"):
        convert(Job(source, "m0007_to_nowhere", tmp_path / "work"))


@pytest.mark.parametrize("place", [0.02, 0.3, 0.5, 0.8, 0.99])
def test_a_flipped_byte_is_found_before_anything_is_made(tmp_path: Path, place: float) -> None:
    """Wherever it is; the message names the place."""
    source = write(tmp_path / "backup.json", store())
    data = bytearray(source.read_bytes())
    data[int(len(data) * place)] ^= 1
    source.write_bytes(data)
    with pytest.raises(DamagedError, match=r"backup\.json.*(line|byte)"):
        convert(Job(source, THERE, tmp_path / "work"))
    assert [path.name for path in (tmp_path / "work").iterdir()] == []


def test_an_edge_that_leads_nowhere_is_damage(tmp_path: Path) -> None:
    """A binding to a concept that is not in the archive, which every hash calls whole."""
    records = store(2, 2)
    lost = next(each for each in records if each["type"] == "concept")
    source = tmp_path / "backup.json"
    with source.open("wb") as stream:
        writer = ArchiveWriter(stream.write, Header("dual_memory", NOW, "node-1", "g1:7"))
        for record in records:
            if record is not lost:
                writer.add(record)
        writer.finish()
    with pytest.raises(DamagedError, match="binds what is not in this archive"):
        convert(Job(source, THERE, tmp_path / "work"))
