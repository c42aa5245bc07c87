"""The kinds of archive and their types of record, read from the very schema files that both validators use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
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


@dataclass(frozen=True, slots=True)
class Shape:
    """What the schema says of an object's members, beyond what a JSON Schema validator can check."""

    order: Key
    required: Key
    floats: Key
    counts: Key
    times: Key
    ids: Key
    embedding: bool
    maps: Key
    inner: "Mapping[str, Shape]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One type of record: how it is written, sorted and checked."""

    name: str
    rank: int
    key: Key
    shape: Shape
    is_valid: Callable[[Any], bool]
    errors: Callable[[Any], Any]

    def key_of(self, record: Mapping[str, Any]) -> Key:
        """What it is sorted by within its type."""
        return tuple(record[name] for name in self.key)


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
    return RecordKind(name, rank, key, _shape(definitions[name]), validator.is_valid, validator.iter_errors)


def _shape(schema: Mapping[str, Any]) -> Shape:
    members = schema["properties"]

    def of(*references: str) -> Key:
        wanted = {f"#/$defs/{reference}" for reference in references}
        return tuple(name for name, member in members.items() if member.get("$ref") in wanted)

    free = tuple(
        name for name, member in members.items() if "additionalProperties" in member and "properties" not in member
    )
    return Shape(
        order=tuple(members),
        required=tuple(schema["required"]),
        floats=of("share", "rate"),
        counts=of("count"),
        times=of("time"),
        ids=of("id"),
        embedding="embedding" in members,
        maps=free + of("provenance"),
        inner={name: _shape(member) for name, member in members.items() if "properties" in member},
    )
