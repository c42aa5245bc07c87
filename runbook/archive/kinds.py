"""The kinds of archive and their types of record, read from the very schema files that both validators use."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from operator import itemgetter
from typing import Any

from runbook import material
from runbook.errors import NotSupportedError

NAMES = ("dual_memory", "single_memory", "residue")
VERSION = 1
TOMBSTONE = "tombstone"
MASK = "what is there"

Record = dict[str, Any]
Key = tuple[str, ...]

_KEYS: Mapping[str, Key] = {
    "binding": ("space", "episode_id", "concept_id"),
    TOMBSTONE: ("space", "of", "id", "concept_id"),
}
_USUAL_KEY = ("space", "id")


class Shape:
    """What the schema says of an object's members, beyond what a JSON Schema validator can check.

    `maps` are free objects; `inner` is the one member with members of its own, where there is one.
    """

    def __init__(self, members: Mapping[str, Any], required: Iterable[str]) -> None:
        def of(*references: str) -> Key:
            wanted = {f"#/$defs/{reference}" for reference in references}
            return tuple(name for name, member in members.items() if member.get("$ref") in wanted)

        known = {name: member for name, member in members.items() if "properties" in member}
        free = (name for name, member in members.items() if "additionalProperties" in member and name not in known)
        self._members = members
        self.order: Key = tuple(members)
        self.required: Key = tuple(required)
        self.floats, self.counts, self.times, self.ids = of("share", "rate"), of("count"), of("time"), of("id")
        self.maps: Key = (*free, *of("provenance"))
        self.embedding = "embedding" in members
        self.inner = {name: Shape(member["properties"], member["required"]) for name, member in known.items()}
        self.number_types = (float,) * len(self.floats) + (int,) * len(self.counts)
        self.number_values = _values(self.floats + self.counts)
        self.time_values = _values(self.times)
        self._less: dict[Key, Shape] = {}

    def without(self, names: Key) -> "Shape":
        """The shape of an object without these members."""
        if names not in self._less:
            left = {name: member for name, member in self._members.items() if name not in names}
            self._less[names] = Shape(left, self.required)
        return self._less[names]


def _values(names: Key) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """A fast way to the values of these members."""
    if not names:
        return lambda _: ()
    return itemgetter(*names) if len(names) > 1 else lambda value: (value[names[0]],)


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One type of record: how it is written, sorted and checked."""

    name: str
    rank: int
    key_of: Callable[[Mapping[str, Any]], Key]
    """What a record is sorted by within its type."""
    shape: Shape
    is_valid: Callable[[Any], bool]
    errors: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class ArchiveKind:
    """One kind of archive, with its records in the order in which they stand."""

    name: str
    schema_sha256: str
    records: Mapping[str, RecordKind]

    def types(self, *, since: bool) -> tuple[str, ...]:
        """The types that a footer counts: tombstones only where the archive is of what changed since."""
        return tuple(name for name in self.records if since or name != TOMBSTONE)


def schema_name(kind: str) -> str:
    """The name of the schema of a kind, as `material.schema` takes it."""
    return f"{kind}.v{VERSION}"


def schema_bytes(kind: str) -> bytes:
    """The schema file of a kind."""
    return (material.folder("schemas") / f"{schema_name(kind)}.schema.json").read_bytes()


@cache
def archive_kind(name: str) -> ArchiveKind:
    """The kind of that name.

    Raises:
        NotSupportedError: there is none.
    """
    if name not in NAMES:
        raise NotSupportedError(f"{name!r} is no kind of archive", hint=f"there are {', '.join(NAMES)}")
    document = material.schema(schema_name(name))
    definitions = document["$defs"]
    types = [item["$ref"].rpartition("/")[2] for item in document["properties"]["records"]["items"]["oneOf"]]
    records = {type_: _record_kind(type_, rank, definitions) for rank, type_ in enumerate(types)}
    return ArchiveKind(name, sha256(schema_bytes(name)).hexdigest(), records)


def _record_kind(name: str, rank: int, definitions: Mapping[str, Any]) -> RecordKind:
    import jsonschema_rs  # noqa: PLC0415 - heavy, and only those who read records need it

    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": f"#/$defs/{name}"}
    validator = jsonschema_rs.validator_for({**schema, "$defs": definitions}, mask=MASK)
    key = _KEYS.get(name, _USUAL_KEY)
    return RecordKind(
        name,
        rank,
        itemgetter(*key),
        Shape(definitions[name]["properties"], definitions[name]["required"]),
        validator.is_valid,
        validator.iter_errors,
    )
