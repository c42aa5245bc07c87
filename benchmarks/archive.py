"""What archives cost, beside zstd, openssl and jq on the same bytes: ratios of CPU and of wall time.

All are measured in turns in one run, and the least of five counts. Ours run in this process, theirs in their own; both
read from the page cache and write to the same disk. Usage: archive.py [RECORDS [FOLDER]]; 50 000 records are 190 MB.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from runbook.adapters.archives.backups import create_backup, lines_of
from runbook.adapters.archives.conversion import FileConverter
from runbook.adapters.archives.exports import opened_export
from runbook.adapters.archives.parts import PartWriter
from runbook.adapters.archives.publishing import publish
from runbook.adapters.archives.verify import verify_backup
from runbook.adapters.clock import SystemClock
from runbook.adapters.files import durable_file
from runbook.adapters.journal import FileJournal
from runbook.archive.canonical import embedding_text
from runbook.archive.layout import Header
from runbook.archive.manifest import About
from runbook.archive.writer import ArchiveWriter
from runbook.engine.conversion import Conversion, ConversionPorts, carry_out
from runbook.engine.conversion_plan import plan_of
from runbook.material import migration
from runbook.model.conversion import Job
from runbook.model.conversion_plan import Places

ROUNDS = 5
NOW = "2026-11-22T17:00:00.000000Z"
HEADER = Header("dual_memory", NOW, "node-1", "g1:50000")
ABOUT = About("prod", NOW, "node-1", "g1:50000", "benchmark")
WORDS = [
    "the",
    "ferry",
    "left",
    "late",
    "and",
    "Ada",
    "told",
    "how",
    "she",
    "had",
    "met",
    "the",
    "owner",
    "of",
    "the",
    "blue",
    "boat",
    "in",
    "the",
    "harbour",
    "of",
    "Oban",
]

Record = dict[str, Any]
Seconds = tuple[float, float]


def stored(count: int) -> Iterator[tuple[Record, bytes]]:
    """Records as a store has them, embeddings as bytes: of fifty, 40 episodes, one concept and 9 bindings."""
    draw = np.random.default_rng(4)
    episodes, concepts = count * 40 // 50, max(1, count // 50)

    def vector() -> bytes:
        found = draw.standard_normal(768, dtype=np.float32)
        return (found / np.linalg.norm(found)).astype("<f4").tobytes()

    where = {"when": NOW, "where": None, "who": ["Ada"], "embedding": "", "embedding_provenance": {"model": "hash"}}
    rates = {"last_recall": NOW, "recall_count": 3, "decay_rate": 0.05, "created_at": NOW, "metadata": {"mood": "calm"}}
    for number in range(episodes):
        content = " ".join(draw.choice(WORDS, 30)) if number % 8 == 0 else " ".join(WORDS[number % 8 :] + WORDS)
        sure = {"encoding_confidence": number / episodes, "vividness_confidence": 0.5, "reliability_confidence": 0.7}
        live = {"activation": 1 - number / episodes, "consolidation_score": 0.25}
        head = {"type": "episode", "id": f"ep_{number:09d}", "space": "default", "content": content}
        yield {**head, **where, **sure, **live, **rates}, vector()
    names = sorted(str(UUID(int=int.from_bytes(draw.bytes(16)), version=4)) for _ in range(concepts))
    for name in names:
        head = {
            "type": "concept",
            "id": name,
            "space": "default",
            "embedding": "",
            "coherence": 0.5,
            "instance_count": 9,
        }
        times = {"last_access": NOW, "created_at": NOW}
        yield {**head, "formed_at": NOW, "confidence": 0.5, "activation": 0.5, **times}, vector()
    for number in range(count - episodes - concepts):
        ends = {"episode_id": f"ep_{number:09d}", "concept_id": names[number % concepts]}
        times = {"created_at": NOW, "last_activated": NOW}
        yield {"type": "binding", "space": "default", **ends, "strength": 0.5, "contribution": 0.25, **times}, b""


def complete(records: Iterator[tuple[Record, bytes]] | list[tuple[Record, bytes]]) -> Iterator[Record]:
    for record, vector in records:
        if vector:
            record["embedding"] = embedding_text(vector)
        yield record


def export(path: Path, records: Iterator[tuple[Record, bytes]] | list[tuple[Record, bytes]]) -> None:
    path.unlink(missing_ok=True)
    with durable_file(path) as stream:
        writer = ArchiveWriter(stream.write, HEADER)
        for record in complete(records):
            writer.add(record)
        writer.finish()


def read(path: Path) -> None:
    with opened_export(path) as reader:
        reader.read()


def ours(action: Callable[[], object]) -> Seconds:
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.process_time() - cpu, time.perf_counter() - wall


def theirs(*commands: list[str]) -> Seconds:
    cpu, wall = 0.0, time.perf_counter()
    for command in commands:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{command[0]} failed")
        cpu += used.ru_utime + used.ru_stime
    return cpu, time.perf_counter() - wall


def rows(folder: Path, records: list[tuple[Record, bytes]]) -> dict[str, tuple[str, list[Callable[[], Seconds]]]]:
    """The goal of each row, and how ours and theirs are measured."""
    plain, again, raw, packed = (folder / name for name in ("export.json", "again.json", "raw", "packed"))
    export(plain, records)
    lines = list(lines_of(complete(records), "dual_memory"))
    raw.write_bytes(b"\n".join([*(line for line, _ in lines), b""]))
    backup = create_backup(folder, ABOUT, "dual_memory", lines)
    shards = sorted(str(path) for path in backup.glob("*.zst"))

    def create() -> None:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            PartWriter(Path(place), "records", "dual_memory").write(lines)

    zstd = ["zstd", "-1", "--single-thread", "-q", "-f", str(raw), "-o", str(packed)]
    check = [
        ["zstd", "-dcq", *shards],
        ["openssl", "dgst", "-sha256", *shards],
        ["openssl", "dgst", "-sha256", str(raw)],
    ]
    hashed = ["openssl", "dgst", "-sha256", str(plain)]
    return {
        "backup create / zstd -1": ("CPU <= 1.15", [lambda: ours(create), lambda: theirs(zstd)]),
        "verify 2 / (zstd -d + 2 openssl)": (
            "CPU <= 1.25",
            [lambda: ours(lambda: verify_backup(backup, 2)), lambda: theirs(*check)],
        ),
        "verify 3 of a backup / jq -c": (
            "<= 0.25",
            [lambda: ours(lambda: verify_backup(backup, 3)), lambda: theirs(["jq", "-c", ".", str(raw)])],
        ),
        "verify 3 of an export / jq -c": (
            "<= 0.25",
            [lambda: ours(lambda: read(plain)), lambda: theirs(["jq", "-c", ".", str(plain)])],
        ),
        "export / openssl sha256": ("CPU <= 4", [lambda: ours(lambda: export(again, records)), lambda: theirs(hashed)]),
    }


def convert(source: Path, workers: int) -> Seconds:
    """To single memory, with its plan, the journal and all verification; CPU is that of every process."""
    work = source.with_name("work")
    places = Places(str(work / "single.json"), str(work / "single.residue.json"))
    journal = FileJournal(source.with_name("state"), SystemClock(), "nobody", "here")
    began, cpu = time.perf_counter(), cpu_of_all()
    job = Job(source, "m0001_dual_to_single", work, workers=workers)
    converter = FileConverter()
    plan = plan_of(migration("single_memory"), converter.survey(job), job.concepts, places)
    ports = ConversionPorts(converter, journal, lambda found: publish(found, work / "single.json"), lambda *_: None)
    carry_out(ports, Conversion(plan, job, "benchmark", "", "", resumed=False))
    taken = cpu_of_all() - cpu, time.perf_counter() - began
    shutil.rmtree(work)
    return taken


def cpu_of_all() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def memory(count: int, folder: Path) -> None:
    """Printed by a process of its own: the most that it ever held, for an export and its verification."""
    path = folder / f"{count}.json"
    export(path, stored(count))
    read(path)
    print(held_at_most())


def memory_of_conversion(count: int, folder: Path) -> None:
    """The same of a conversion: of the process itself, and of the largest of its workers, which share much with it."""
    path = folder / f"{count}.json"
    convert(path, 2)
    path.unlink()
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{held_at_most()} MiB, each worker {worker}")


def held_at_most() -> int:
    held = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(held.split()[1]) // 1024


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    place = sys.argv[2] if len(sys.argv) > 2 else None
    alone = {"memory": memory, "conversion": memory_of_conversion}
    if len(sys.argv) > 3:
        alone[sys.argv[3]](count, Path(str(place)))
        return
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        measured = rows(folder, list(stored(count)))
        times: dict[str, list[list[Seconds]]] = {row: [[], []] for row in measured}
        conversions: dict[int, list[Seconds]] = {1: [], 2: []}
        for _ in range(ROUNDS):
            for row, (_, sides) in measured.items():
                for side, measure in enumerate(sides):
                    times[row][side].append(measure())
            for workers, taken in conversions.items():
                taken.append(convert(folder / "export.json", workers))
        size = (folder / "export.json").stat().st_size
        print(f"{count} records, {size / 1e6:.0f} MB; the least of {ROUNDS}, in turns")
        print(f"{'':34}{'CPU s':>8}{'theirs':>8}{'ratio':>7}{'wall s':>9}{'theirs':>8}{'ratio':>7}  goal")
        for row, (goal, _) in measured.items():
            (cpu, wall), (their_cpu, their_wall) = (
                (min(one[0] for one in side), min(one[1] for one in side)) for side in times[row]
            )
            figures = (
                f"{cpu:8.3f}{their_cpu:8.3f}{cpu / their_cpu:7.2f}{wall:9.3f}{their_wall:8.3f}{wall / their_wall:7.2f}"
            )
            print(f"{row:34}{figures}  {goal}")
        for workers, taken in conversions.items():
            cpu, wall = (min(each[side] for each in taken) for side in (0, 1))
            figures = f"{count / wall:.0f} records/s, {wall:.2f} s wall, {cpu / count * 1e6:.0f} us of CPU a record"
            print(f"migrate offline, --workers {workers}: {figures}{'  goal >= 40000' if workers == 2 else ''}")
        for number in (count, 10 * count):
            for what, words in (("memory", "export and verify"), ("conversion", "migrate offline")):
                command = [sys.executable, __file__, str(number), name, what]
                held = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
                print(f"{words} {number} records: {held} MiB resident at most (goal 128, and flat)")


if __name__ == "__main__":
    main()
