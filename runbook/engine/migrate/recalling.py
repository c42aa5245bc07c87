"""Does the node still remember the same? A sample of its own texts is recalled before and after the switch."""

import base64
import heapq
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from runbook.engine.migrate.contents import TEXTS
from runbook.model.migration import Record
from runbook.ports import DataNode

SAMPLE = 20
COUNT = 10
BOUND = 0.5
"""Less than this share of what came to mind before is not the same memory."""

Minds = tuple[tuple[str, ...], ...]
"""For each cue the ids that came to mind, best first."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One text of the archive, asked for by its own embedding."""

    space: str
    id: str
    embedding: tuple[float, ...]


def sample(records: Iterable[Record]) -> tuple[Cue, ...]:
    """Some texts of the archive, the same ones whenever it is asked: those whose keys have the smallest hashes."""
    texts = (each for each in records if each["type"] in TEXTS)
    return tuple(map(_cue, heapq.nsmallest(SAMPLE, texts, key=_place)))


def _place(record: Record) -> bytes:
    return sha256(f"{record['space']}\0{record['id']}".encode("utf-8", "surrogatepass")).digest()


def _cue(record: Record) -> Cue:
    raw = base64.b64decode(record["embedding"])
    return Cue(record["space"], record["id"], struct.unpack(f"<{len(raw) // 4}f", raw))


def recalled(node: DataNode, cues: Sequence[Cue], count: int = COUNT) -> Minds:
    """What comes to the node's mind now; it leaves no trace there."""
    return tuple(tuple(each.id for each in node.recall(cue.space, cue.embedding, count)) for cue in cues)


def overlap(before: Minds, after: Minds) -> float:
    """The mean share of what came to mind before that does so after; 1 where nothing came to mind before."""
    shares = [len(set(old) & set(new)) / len(old) for old, new in zip(before, after, strict=True) if old]
    return sum(shares) / len(shares) if shares else 1.0
