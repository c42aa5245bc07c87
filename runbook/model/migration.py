"""What a migration is made of. A file in `migrations/` imports this module, and nothing else of the project.

A migration is pure: records in, records out. It is told in phases, each of which yields one type of record of the
archive, in the archive's order (by space, then id), so that its output can be written as it comes, in constant memory.
Whoever drives it opens what it reads, as often as it asks, and gives it an index that may spill to the disk.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from runbook.errors import DamagedError, RefusedError

Record = dict[str, Any]
"""One record of an archive, by its schema's field names; embeddings as the archive has them, base64."""

Key = tuple[str, ...]
"""What a record is sorted by within its type: space and id; of a binding space, episode_id and concept_id; of a
tombstone space, of, id and concept_id."""


class UnknownMappingError(DamagedError):
    """Residue that another mapping made: this one cannot know what its fields mean."""


class Place(StrEnum):
    """Where a record goes: on to the new data, to the residue, or nowhere (then it is reported)."""

    DATA = "data"
    RESIDUE = "residue"
    DROPPED = "dropped"


class Concepts(StrEnum):
    """What becomes of concepts in a memory that has none: only residue, or each a memory as well."""

    DROP = "drop"
    KEEP = "keep"


class Moved(NamedTuple):
    """One record that a phase yields; `why` says why it was dropped."""

    place: Place
    record: Record
    why: str = ""


class Sources(Protocol):
    """What a migration reads. Each call starts from the beginning; every type is sorted by its key."""

    def data(self, type_: str) -> Iterator[Record]:
        """The records of that type of the data."""
        ...

    def residue(self, type_: str) -> Iterator[Record]:
        """The records of that type that an earlier conversion left; none where there is no residue."""
        ...


class Index(Protocol):
    """The keys of what is gone. It is asked after it was filled, may be large, and may spill to the disk."""

    def add(self, type_: str, key: Key) -> None:
        """Note the record of that type and key."""
        ...

    def holds(self, type_: str, key: Key) -> bool:
        """Was it noted?"""
        ...


@dataclass(frozen=True, slots=True)
class Phase:
    """One pass: `run` yields everything that it makes of the records of type `reads`, or of their residue.

    Two phases may yield one type of record, each in its order: `merged` makes one stream of them.

    A `divisible` pass may be run over consecutive ranges of keys, one by one or side by side: the outputs, one behind
    the other, are those of the whole. A range of the data goes with the same range of the residue.
    """

    reads: str
    run: Callable[[Sources, Concepts, Index], Iterator[Moved]]
    divisible: bool = True


@dataclass(frozen=True, slots=True)
class Field:
    """What becomes of one field of the source: `to` names the target's (`memory.id`); empty where it has none.

    Then `kept` says where the value stays: `residue`, or `backup` where the conversion itself keeps it nowhere. A
    record is called by its type, with a word before it where only some of the type are meant (`concept memory`). With
    `only`, the line holds for that choice about concepts.
    """

    record: str
    name: str
    to: str = ""
    kept: str = ""
    only: Concepts | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """A field of the target that is filled although its record has no source for it: with what, in words."""

    record: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration between two kinds of archive. `fields` maps every field of every record of the source."""

    name: str
    source: str
    target: str
    phases: tuple[Phase, ...]
    fields: tuple[Field, ...]
    filled: tuple[Filled, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """A line of the loss table: fields of one type of record that the target cannot carry, and where they are kept."""

    record: str
    fields: tuple[str, ...]
    count: int
    kept: str


def losses(migration: Migration, counts: Mapping[str, int], concepts: Concepts) -> tuple[Loss, ...]:
    """What the migration cannot carry of that many records of each type; types without records are left out."""
    found: dict[tuple[str, str], list[str]] = {}
    for field in migration.fields:
        if not field.to and field.only in {None, concepts}:
            found.setdefault((field.record, field.kept), []).append(field.name)
    return tuple(
        Loss(record, tuple(names), counts[record], kept)
        for (record, kept), names in found.items()
        if counts.get(record, 0)
    )


def key_of(record: Record) -> Key:
    """What the record is sorted by within its type. Texts compare by code point, which is the order of UTF-8."""
    if record["type"] == "binding":
        return (record["space"], record["episode_id"], record["concept_id"])
    if record["type"] == "tombstone":
        return (record["space"], record["of"], record["id"], record["concept_id"])
    return (record["space"], record["id"])


def sorted_by_key(records: Iterator[Record]) -> Iterator[tuple[Key, Record]]:
    """The records with their keys.

    Raises:
        DamagedError: they are not in order, or one is there twice.
    """
    before: Key = ()
    for record in records:
        key = key_of(record)
        if key <= before:
            raise DamagedError(
                f"the {record['type']} {'/'.join(key)} stands behind {'/'.join(before)}",
                hint="an archive is sorted by space and id, each once; export it again",
            )
        before = key
        yield key, record


def joined(left: Iterator[Record], right: Iterator[Record]) -> Iterator[tuple[Record | None, Record | None]]:
    """Both sorted streams side by side: pairs of one key, and None where one of them has no record of that key.

    Raises:
        DamagedError: one of them is not sorted.
    """
    ours, theirs = sorted_by_key(left), sorted_by_key(right)
    mine, other = next(ours, None), next(theirs, None)
    while mine is not None or other is not None:
        if other is None or (mine is not None and mine[0] < other[0]):
            yield (mine[1] if mine else None), None
            mine = next(ours, None)
        elif mine is None or other[0] < mine[0]:
            yield None, other[1]
            other = next(theirs, None)
        else:
            yield mine[1], other[1]
            mine, other = next(ours, None), next(theirs, None)


def merged(left: Iterator[Record], right: Iterator[Record]) -> Iterator[Record]:
    """Both sorted streams as one: a conversion's memories of episodes and those of concepts.

    Raises:
        RefusedError: both have a record of one key, so that one would take the other's place.
        DamagedError: one of them is not sorted.
    """
    for mine, other in joined(left, right):
        if mine is not None and other is not None:
            raise RefusedError(
                f"an episode and a concept are both called {'/'.join(key_of(mine))}: one memory cannot be both",
                hint="migrate with --concepts drop: concepts are kept in the residue then",
            )
        yield from (each for each in (mine, other) if each is not None)
