"""Two archives side by side, in constant memory: both are sorted, so one walk finds what differs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from runbook.archive.kinds import Key, Record, archive_kind

EXAMPLES = 5
"""How many records of each kind of difference are named."""

_Placed = tuple[int, Key, Record]
_BEHIND_ALL = (1 << 30, ())


@dataclass(slots=True)
class Difference:
    """Of one type of record: how many only the first has, only the second, and both but not alike; some of them."""

    only_first: int = 0
    only_second: int = 0
    changed: int = 0
    examples: dict[str, list[Key]] = field(default_factory=lambda: {"first": [], "second": [], "changed": []})

    def note(self, where: str, key: Key) -> None:
        """Count one, and name it while there is room."""
        if where == "changed":
            self.changed += 1
        elif where == "first":
            self.only_first += 1
        else:
            self.only_second += 1
        if len(self.examples[where]) < EXAMPLES:
            self.examples[where].append(key)


def differences(kind: str, first: Iterable[list[Record]], second: Iterable[list[Record]]) -> dict[str, Difference]:
    """By type, what differs between two archives of that kind; both are read to their ends."""
    names = list(archive_kind(kind).records)
    found: dict[str, Difference] = {}
    ours, theirs = _placed(kind, first), _placed(kind, second)
    left, right = next(ours, None), next(theirs, None)
    while left is not None or right is not None:
        here = _BEHIND_ALL if left is None else left[:2]
        there = _BEHIND_ALL if right is None else right[:2]
        rank, key = min(here, there)
        if here != there or left is None or right is None or not _alike(left[2], right[2]):
            where = "changed" if here == there else "first" if here < there else "second"
            found.setdefault(names[rank], Difference()).note(where, key)
        if here <= there:
            left = next(ours, None)
        if there <= here:
            right = next(theirs, None)
    return found


def _alike(ours: Record, theirs: Record) -> bool:
    """To the bit: -0.0 is equal to 0.0, and another number. Both were found to be canonical."""
    return orjson.dumps(ours) == orjson.dumps(theirs)


def _placed(kind: str, batches: Iterable[list[Record]]) -> Iterator[_Placed]:
    kinds = archive_kind(kind).records
    for batch in batches:
        for record in batch:
            of = kinds[record["type"]]
            yield of.rank, of.key_of(record), record
