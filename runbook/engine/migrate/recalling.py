"""Does the node still remember the same? A sample of its own texts is recalled before and after the switch."""

from collections.abc import Sequence

from runbook.archive.nearest import COUNT, Cue, Nearest, Sample
from runbook.archive.reader import ArchiveReader
from runbook.ports import DataNode

BOUND = 0.5
"""Less than this share of what came to mind before is another memory; or one that was recalled through concepts."""
EXACT = 0.9
"""So much of the nearest texts must come to mind where recall goes by likeness alone."""

Minds = tuple[tuple[str, ...], ...]
"""For each cue the ids that came to mind, best first."""


def sample(reader: ArchiveReader) -> tuple[Cue, ...]:
    """Some texts of the archive, the same ones whenever it is asked."""
    found = Sample()
    for batch in reader.batches():
        found.see(batch)
    return tuple(found.cues)


def recalled(node: DataNode, cues: Sequence[Cue], count: int = COUNT) -> Minds:
    """What comes to the node's mind now; it leaves no trace there."""
    return tuple(tuple(each.id for each in node.recall(cue.space, cue.embedding, count)) for cue in cues)


def overlap(before: Minds, after: Minds) -> float:
    """The mean share of what came to mind before that does so after; 1 where nothing came to mind before."""
    shares = [len(set(old) & set(new)) / len(old) for old, new in zip(before, after, strict=True) if old]
    return sum(shares) / len(shares) if shares else 1.0


def exactness(reader: ArchiveReader, cues: Sequence[Cue], minds: Minds) -> float:
    """The share of the nearest texts of the archive that came to mind."""
    nearest = Nearest(cues, [each[:COUNT] for each in minds])
    for batch in reader.batches():
        nearest.see(batch)
    return nearest.share()
