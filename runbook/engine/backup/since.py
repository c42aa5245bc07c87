"""What a node says of the time since a backup: what was written, and what was forgotten."""

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from runbook.archive.forgetting import TEXTS, Forgotten
from runbook.model.generation import Generation
from runbook.ports import DataNode
from runbook.ports.backups import BackupPorts


@dataclass(frozen=True, slots=True)
class Since:
    """`sequence` is up to where it says so, `written` counts texts that were written or changed."""

    sequence: int
    written: int
    tombstones: tuple[dict[str, Any], ...] = ()


def since(
    ports: BackupPorts, node: DataNode, active: Generation, sequence: int, forgotten: Forgotten | None = None
) -> Since:
    """Read strictly what changed since then: what was forgotten goes to `forgotten`, or else into the answer."""
    written, tombstones = 0, []
    with node.export(active.kind, since=sequence, generation=active.id) as chunks:
        counted = ports.talk.counted(f"what changed on {node.name} since", chunks)
        with closing(ports.bench.reading(counted, f"the changes of {node.name}")) as reader:
            for batch in reader.batches():
                written += sum(each["type"] in TEXTS for each in batch)
                gone = [each for each in batch if each["type"] == "tombstone"]
                for each in gone:
                    if forgotten is not None:
                        forgotten.add(each)
                if forgotten is None:
                    tombstones += [each for each in gone if each["of"] in TEXTS]
            reached = int(reader.header.snapshot.rpartition(":")[2])
    return Since(reached, written, tuple(tombstones))
