"""A small data set in lists, as a migration reads it, and the driver that tests use: phase by phase, all at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from runbook.model.migration import Concepts, Key, Migration, Moved, Place, Record, key_of, merged


def in_order(records: Sequence[Record]) -> list[Record]:
    """As an archive has them: by type, then by key."""
    types = ("episode", "concept", "binding", "memory", "tombstone")
    return sorted(records, key=lambda record: (types.index(record["type"]), key_of(record)))


@dataclass
class InMemory:
    """What a migration reads."""

    records: Sequence[Record]
    left: Sequence[Record] = ()

    def data(self, type_: str) -> Iterator[Record]:
        return (dict(record) for record in self.records if record["type"] == type_)

    def residue(self, type_: str) -> Iterator[Record]:
        return (dict(record) for record in self.left if record["type"] == type_)


@dataclass
class Gone:
    """An index in memory."""

    keys: set[tuple[str, Key]] = field(default_factory=set)

    def add(self, type_: str, key: Key) -> None:
        self.keys.add((type_, key))

    def holds(self, type_: str, key: Key) -> bool:
        return (type_, key) in self.keys


@dataclass
class Converted:
    """Everything that a migration yielded, the data in the archive's order."""

    data: list[Record]
    residue: list[Record]
    dropped: list[tuple[Record, str]]


def convert(migration: Migration, source: InMemory, concepts: Concepts = Concepts.DROP) -> Converted:
    """Run all its phases, and merge the data of one type that two phases yielded."""
    gone, moved = Gone(), list[Moved]()
    data: dict[str, list[Record]] = {}
    for phase in migration.phases:
        found = list(phase.run(source, concepts, gone))
        moved += found
        fresh = [each.record for each in found if each.place is Place.DATA]
        for type_ in {record["type"] for record in fresh}:
            mine = [record for record in fresh if record["type"] == type_]
            data[type_] = list(merged(iter(data.get(type_, [])), iter(mine)))
    return Converted(
        [record for type_ in data for record in data[type_]],
        in_order([each.record for each in moved if each.place is Place.RESIDUE]),
        [(each.record, each.why) for each in moved if each.place is Place.DROPPED],
    )
