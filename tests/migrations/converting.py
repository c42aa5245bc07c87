"""Conversions for tests: archives as files, small units, and a conversion as a process that can be killed."""

import base64
import json
import struct
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from runbook.adapters.archives.conversion import FileConverter
from runbook.adapters.archives.conversion.ranges import Cut
from runbook.adapters.archives.exports import opened_export, write_export
from runbook.archive.layout import Header
from runbook.model.conversion import Converted, Job
from runbook.model.migration import Concepts, Record

NOW = "2026-11-22T17:00:00.000000Z"
SMALL = Cut(region_bytes=6000, unit_bytes=6000)
"""About one record a region, and one or two a unit."""
THERE, BACK = "m0001_dual_to_single", "m0002_single_to_dual"


def write(
    path: Path, records: list[Record], kind: str = "dual_memory", *, since: int | None = None, node: str = "node-1"
) -> Path:
    """An archive of these records."""
    write_export(path, Header(kind, NOW, node, "g1:7", since=since), records)
    return path


def read(path: Path) -> list[Record]:
    """Every record of an archive."""
    with opened_export(path) as reader:
        return [record for batch in reader.batches() for record in batch]


def exact(records: list[Record]) -> str:
    """Every bit of them, whatever the order of keys in free maps."""
    return json.dumps(records, sort_keys=True)


def convert(job: Job, cut: Cut = SMALL) -> Converted:
    """Carry it out."""
    return FileConverter(cut).convert(job, lambda *_: None)


def store(episodes: int = 14, concepts: int = 3) -> list[Record]:
    """A data set of two spaces, in the archive's order; each episode is bound to each concept of its space."""
    spaces = ("default", "tenant-a")
    found = [_episode(space, f"ep_{number:03d}") for space in spaces for number in range(episodes)]
    names = {
        space: [str(UUID(int=7919 * (10 * place + each + 1), version=4)) for each in range(concepts)]
        for place, space in enumerate(spaces)
    }
    found += [_concept(space, name) for space in spaces for name in sorted(names[space])]
    for space in spaces:
        for number in range(episodes):
            found += [_binding(space, f"ep_{number:03d}", name) for name in sorted(names[space])]
    return found


def _embedding(seed: int) -> str:
    return base64.b64encode(struct.pack("<768f", *([-0.0, 1e-45] + [seed / 7] * 766))).decode()


def _episode(space: str, id_: str) -> Record:
    confidences = dict.fromkeys(("encoding_confidence", "vividness_confidence", "reliability_confidence"), 0.5)
    return {
        "type": "episode",
        "id": id_,
        "space": space,
        "content": f"of {id_} in {space}",
        "when": NOW,
        "where": None,
        "who": ["Ada"],
        "embedding": _embedding(len(id_)),
        "embedding_provenance": {"b": 1, "a": 2},
        **confidences,
        "activation": 0.25,
        "consolidation_score": 5e-324,
        "last_recall": NOW,
        "recall_count": 2**64 - 1,
        "decay_rate": 0.05,
        "created_at": NOW,
        "metadata": {"mood": "calm"},
    }


def _concept(space: str, id_: str) -> Record:
    return {
        "type": "concept",
        "id": id_,
        "space": space,
        "embedding": _embedding(3),
        "coherence": 0.5,
        "instance_count": 9,
        "formed_at": NOW,
        "confidence": 0.75,
        "activation": 0.5,
        "last_access": NOW,
        "created_at": NOW,
    }


def _binding(space: str, episode: str, concept: str) -> Record:
    ends = {"type": "binding", "space": space, "episode_id": episode, "concept_id": concept}
    return {**ends, "strength": 0.5, "contribution": 0.25, "created_at": NOW, "last_activated": NOW}


def started(job: Job) -> subprocess.Popen[str]:
    """That conversion in a process of its own, which prints a line whenever units are done."""
    words = [job.source, job.migration, job.work, job.residue or "", job.concepts.value, job.workers]
    command = [sys.executable, __file__, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told(done: int, total: int) -> None:
    """One line, at once."""
    sys.stdout.write(f"{done} {total}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    source, migration, work, residue, concepts, workers = sys.argv[1:]
    left = Path(residue) if residue else None
    FileConverter(SMALL).convert(Job(Path(source), migration, Path(work), left, Concepts(concepts), int(workers)), told)
