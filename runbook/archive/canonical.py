"""The one way in which a record is written, and whether one that was read is written so.

Compact JSON in UTF-8, members in the order of the schema, free maps sorted by key at every depth, numbers as orjson
writes them: the shortest digits that give the same double, so `0.5`, never `.50` or `5e-1`.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import orjson
import pybase64

from runbook.archive import limits
from runbook.archive.kinds import Record, RecordKind, Shape

_SAFE_DAY = "28"


class Fault(NamedTuple):
    """What is wrong: where in the document, and in the line where that is known."""

    path: str
    reason: str
    offset: int | None = None


def encode(record: Mapping[str, Any], kind: RecordKind) -> bytes:
    """The record's line, without line end.

    Raises:
        KeyError: a member is missing.
        ValueError: it has one that the schema does not know, or what JSON cannot hold.
    """
    return orjson.dumps(_ordered(record, kind.shape))


def _ordered(value: Mapping[str, Any], shape: Shape) -> Record:
    wanted = shape.order if len(value) == len(shape.order) else [name for name in shape.order if name in value]
    found = {name: value[name] for name in wanted}
    if len(found) != len(value):
        raise ValueError(f"unknown members: {', '.join(sorted(set(value) - set(found)))}")
    if len(found) < len(shape.order) and (missing := [name for name in shape.required if name not in found]):
        raise KeyError(*missing)
    for name in shape.maps:
        if value[name]:
            found[name] = orjson.Fragment(orjson.dumps(value[name], option=orjson.OPT_SORT_KEYS))
    for name, inner in shape.inner.items():
        found[name] = _ordered(value[name], inner)
    return found


def embedding_text(raw: bytes) -> str:
    """The bytes of little-endian float32 as an archive has them."""
    return pybase64.b64encode_as_string(raw)


def embedding_of(record: Record, kind: RecordKind) -> str | None:
    """The text of the record's embedding, or None where it has none."""
    if kind.shape.embedding:
        found: str = record["embedding"]
        return found
    fields = record.get("fields") if kind.shape.inner else None
    return fields.get("embedding") if fields else None


def is_ordered(value: Mapping[str, Any], shape: Shape) -> bool:
    """Do the members stand in the order of the schema? For records that are valid by it."""
    if tuple(value) != shape.order and tuple(value) != tuple(name for name in shape.order if name in value):
        return False
    for name in shape.maps:
        found = value[name]
        if found and orjson.dumps(found) != orjson.dumps(found, option=orjson.OPT_SORT_KEYS):
            return False
    return all(is_ordered(value[name], inner) for name, inner in shape.inner.items())


def fault_of(value: Mapping[str, Any], shape: Shape, path: str = "") -> Fault | None:
    """What is wrong with a record that is valid by its schema: what JSON Schema cannot say."""
    for name in shape.floats:
        if type(value.get(name, 0.0)) is not float:
            return Fault(f"{path}{name}", "a number that may have a fraction is written with one, such as 1.0")
    for name in shape.counts:
        if type(value.get(name, 0)) is not int:
            return Fault(f"{path}{name}", "a count is written without a fraction")
    for name in shape.times:
        moment = value.get(name, "")
        if moment[8:10] > _SAFE_DAY or moment[:4] == "0000":
            try:
                date.fromisoformat(moment[:10])
            except ValueError:
                return Fault(f"{path}{name}", "there is no such day")
    for name in shape.ids:
        text = value[name]
        if not text.isascii() and len(text.encode()) > limits.ID_BYTES:
            return Fault(f"{path}{name}", f"longer than {limits.ID_BYTES} bytes")
    for name, inner in shape.inner.items():
        if found := fault_of(value[name], inner, f"{path}{name}."):
            return found
    return None
