"""The converter over files gives what the migrations give in memory, whatever the units, the workers and the kills."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from generated_records import dual
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from records_in_memory import InMemory
from records_in_memory import convert as in_memory

from runbook.adapters.archives.conversion import FileConverter
from runbook.adapters.archives.conversion.ranges import Cut
from runbook.adapters.archives.exports import opened_export, write_export
from runbook.archive.layout import Header
from runbook.model.conversion import Converted, Job
from runbook.model.migration import Concepts, Migration, Record

NOW = "2026-11-22T17:00:00.000000Z"
SMALL = Cut(region_bytes=6000, unit_bytes=6000)
"""About one record a region and a unit."""
few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def write(path: Path, records: list[Record], kind: str = "dual_memory", since: int | None = None) -> Path:
    """An archive of these records."""
    write_export(path, Header(kind, NOW, "node-1", "g1:7", since=since), records)
    return path


def read(path: Path) -> list[Record]:
    """Every record of an archive."""
    with opened_export(path) as reader:
        return [record for batch in reader.batches() for record in batch]


def convert(job: Job, cut: Cut = SMALL) -> Converted:
    """Carry it out."""
    return FileConverter(cut).convert(job, lambda *_: None)


@few
@given(records=dual(), concepts=st.sampled_from(Concepts), workers=st.sampled_from([1, 1, 1, 2]))
def test_through_files_and_back_is_the_identity(records: list[Record], concepts: Concepts, workers: int) -> None:
    """Byte for byte: the file that comes back is the file that went in; and in between, it is what memory gives."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = write(folder / "backup.json", records)
        there = convert(Job(source, "m0001_dual_to_single", folder / "there", concepts=concepts, workers=workers))
        assert there.residue is not None
        wanted = in_memory(_migration("single_memory"), InMemory(records), concepts)
        assert exact(read(there.data.path)) == exact(wanted.data)
        assert exact(read(there.residue.path)) == exact(wanted.residue)
        back = convert(
            Job(there.data.path, "m0002_single_to_dual", folder / "back", residue=there.residue.path, workers=workers)
        )
        assert back.data.path.read_bytes() == source.read_bytes()
        assert back.dropped == ()


def exact(records: list[Record]) -> str:
    """Every bit of them."""
    return json.dumps(records, sort_keys=True)


def _migration(target: str) -> Migration:
    from runbook.material import migration  # noqa: PLC0415

    return migration(target)
