"""A conversion that was killed, refused by the disk, or overtaken by a change: resumed, or refused, and never wrong."""

import os
import random
import resource
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from converting import BACK, SMALL, THERE, convert, started, store, write
from running_node import wait_until

from runbook.adapters.archives.conversion import FileConverter
from runbook.errors import DamagedError, StepFailedError, StorageError
from runbook.model.conversion import AnotherJobError, Converted, Job
from runbook.model.migration import Concepts


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is converted."""
    return write(tmp_path_factory.mktemp("source") / "backup.json", store())


@pytest.fixture(scope="module")
def whole(source: Path) -> Converted:
    """What an uninterrupted conversion makes of it."""
    return convert(Job(source, THERE, source.parent / "whole"))


def kill_after(job: Job, lines: int) -> None:
    """Begin the conversion and kill it dead once it has told so often that units are done; its workers go too."""
    process = started(job)
    assert process.stdout is not None
    for _ in range(lines):
        process.stdout.readline()
    process.kill()
    process.communicate()
    wait_until(lambda: not workers_of(job), "the workers outlived their parent")


def workers_of(job: Job) -> list[str]:
    """Processes that have the job's folder on their command line."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(job.work).encode() in place.read_bytes():
                found.append(place.parent.name)
        except OSError:
            continue
    return found


def same(ours: Converted, theirs: Converted) -> bool:
    """Are both archives the same, byte for byte?"""
    pairs = ((ours.data, theirs.data), (ours.residue, theirs.residue))
    return all(left and right and left.path.read_bytes() == right.path.read_bytes() for left, right in pairs)


@pytest.mark.parametrize(("lines", "workers"), [(1, 1), (9, 1), (2, 2), (20, 2)])
def test_killed_and_resumed_is_as_if_nothing_had_been(
    source: Path, whole: Converted, tmp_path: Path, lines: int, workers: int
) -> None:
    """Byte for byte, and what was done is not done again: at most one unit for each worker."""
    job = Job(source, THERE, tmp_path / "work", workers=workers)
    kill_after(job, lines)
    found = convert(replace(job, workers=3 - workers))
    assert same(found, whole)
    assert found.reused >= lines
    assert found.dropped == whole.dropped


def test_killed_again_and_again_at_random_it_still_comes_to_its_end(
    source: Path, whole: Converted, tmp_path: Path
) -> None:
    """And then once more: the finished job is not done again."""
    draw = random.Random(7)
    job = Job(source, THERE, tmp_path / "work", workers=2)
    for _ in range(4):
        kill_after(job, draw.randrange(12))
    assert same(convert(job), whole)
    again = convert(job)
    assert same(again, whole)
    assert again.reused == again.units


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "unseal"])
def test_a_unit_that_is_not_what_it_was_is_done_again(
    source: Path, whole: Converted, tmp_path: Path, damage: str
) -> None:
    """Lost to a crash of the machine, say: units are not synced one by one."""
    job = Job(source, THERE, tmp_path / "work")
    kill_after(job, 5)
    victim = min(job.work.glob("*-*.json" if damage == "unseal" else "*.data.memory"))
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    match damage:
        case "remove":
            victim.unlink()
        case "cut":
            victim.write_bytes(data[:-10])
        case _:
            victim.write_bytes(data)
    found = convert(job)
    assert same(found, whole)
    assert found.reused >= 4


def test_another_job_does_not_go_into_the_folder_of_one(source: Path, tmp_path: Path) -> None:
    """Another choice about concepts, another source: what is different is named, and nothing is touched."""
    job = Job(source, THERE, tmp_path / "work")
    kill_after(job, 3)
    before = {path.name: path.read_bytes() for path in job.work.iterdir()}
    with pytest.raises(AnotherJobError, match="--concepts changed since") as refused:
        convert(replace(job, concepts=Concepts.KEEP))
    assert "rm -r" in refused.value.hint
    with pytest.raises(AnotherJobError, match="the source changed since"):
        convert(replace(job, source=write(tmp_path / "other.json", store(3, 1))))
    assert {path.name: path.read_bytes() for path in job.work.iterdir()} == before


def test_a_source_that_changes_meanwhile_is_found(source: Path, tmp_path: Path) -> None:
    """Between the survey and the conversion, in one byte, with the same size."""
    copy = tmp_path / "backup.json"
    copy.write_bytes(source.read_bytes())
    job = Job(copy, THERE, tmp_path / "work", workers=2)
    converter = FileConverter(SMALL)
    converter.survey(job)
    data = copy.read_bytes()
    copy.write_bytes(data.replace(b"of ep_009", b"OF ep_009", 1))
    with pytest.raises(DamagedError, match="changed while it was converted"):
        converter.convert(job, lambda *_: None)
    assert not (job.work / "data.json").exists()


def test_a_worker_that_is_killed_from_outside_is_told(source: Path, whole: Converted, tmp_path: Path) -> None:
    """As the kernel does when memory is short; the next try goes on."""
    job = Job(source, THERE, tmp_path / "work", workers=2)
    parent = os.getpid()

    def progress(done: int, total: int) -> None:
        del done, total
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        for child in (each for each in children if str(parent) != each):
            os.kill(int(child), signal.SIGKILL)

    with pytest.raises(StepFailedError, match="killed from outside"):
        FileConverter(SMALL).convert(job, progress)
    assert same(convert(job), whole)


def test_a_disk_that_refuses_is_told_and_nothing_is_lost(source: Path, whole: Converted, tmp_path: Path) -> None:
    """No file may grow beyond a limit, so that the archive itself cannot be written; then the limit is lifted."""
    job = Job(source, THERE, tmp_path / "work")
    limit, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, most))
    try:
        with pytest.raises(StorageError, match="larger than is allowed"):
            convert(job)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
        signal.signal(signal.SIGXFSZ, before)
    assert not (job.work / "data.json").exists()
    assert not list(job.work.glob(".*.draft"))
    found = convert(job)
    assert same(found, whole)
    assert found.reused == found.units


def test_the_way_back_is_resumed_too(source: Path, whole: Converted, tmp_path: Path) -> None:
    """With its index of what is gone."""
    assert whole.residue is not None
    job = Job(whole.data.path, BACK, tmp_path / "work", whole.residue.path, workers=2)
    kill_after(job, 12)
    assert convert(job).data.path.read_bytes() == source.read_bytes()


def test_interrupted_it_ends_with_its_workers(source: Path, tmp_path: Path) -> None:
    """Ctrl-C, which reaches the whole group: only the parent takes notice."""
    job = Job(source, THERE, tmp_path / "work", workers=2)
    process = started(job)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode in {-signal.SIGINT, 1, 130, 0}, (out, err)
    assert err.count("Traceback") <= 1  # the parent's own; the workers say nothing
    wait_until(lambda: not workers_of(job), "the workers outlived their parent")
