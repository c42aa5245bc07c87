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
_FIRST_YEAR = "0001"
_NESTS = frozenset((dict, list))


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


def _ordered(value: Mapping[str, Any], shape: Shape) -> Mapping[str, Any]:
    there = tuple(value)
    if there == shape.order:
        found = value
    else:
        found = {name: value[name] for name in shape.order if name in value}
        if len(found) != len(value):
            raise ValueError(f"unknown members: {', '.join(sorted(set(value) - set(found)))}")
        if len(found) < len(shape.order) and (missing := [name for name in shape.required if name not in found]):
            raise KeyError(*missing)
    changed: dict[str, Any] = {}
    for name, inner in shape.inner.items():
        if (ordered := _ordered(value[name], inner)) is not value[name]:
            changed[name] = ordered
    for name in shape.maps:
        free = value[name]
        if free and _may_vary(free):
            changed[name] = orjson.Fragment(orjson.dumps(free, option=orjson.OPT_SORT_KEYS))
    return {**found, **changed} if changed else found


def _may_vary(free: Mapping[str, Any]) -> bool:
    """Can the map be written in more than one order?"""
    return len(free) > 1 or not _NESTS.isdisjoint(map(type, free.values()))


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
    """Do the members stand in the order of the schema, and is nothing nested too deep? For records that are valid."""
    there = tuple(value)
    if there != shape.order and there != tuple(name for name in shape.order if name in value):
        return False
    for name in shape.maps:
        found = value[name]
        if found and _may_vary(found):
            line = orjson.dumps(found)
            if line != orjson.dumps(found, option=orjson.OPT_SORT_KEYS):
                return False
            if line.count(b"{") + line.count(b"[") >= limits.DEPTH - 1:
                return False  # perhaps, and perhaps these are within texts: `explain` looks closely
    return not shape.inner or all(is_ordered(value[name], inner) for name, inner in shape.inner.items())


def fault_of(value: Mapping[str, Any], shape: Shape, path: str = "") -> Fault | None:
    """What is wrong with a record that is valid by its schema: what JSON Schema cannot say."""
    if len(value) != len(shape.order):  # some members may be missing
        shape = shape.without(tuple(name for name in shape.order if name not in value))
    if tuple(map(type, shape.number_values(value))) != shape.number_types:
        return _number_fault(value, shape, path)
    for moment in shape.time_values(value):
        if (moment[8:10] > _SAFE_DAY or moment < _FIRST_YEAR) and not _is_day(moment):
            name = next(name for name in shape.times if value[name] == moment)
            return Fault(f"{path}{name}", "there is no such day")
    if long := next((name for name in shape.ids if not _is_short(value[name])), None):
        return Fault(f"{path}{long}", f"longer than {limits.ID_BYTES} bytes")
    for name, inner in shape.inner.items():
        return fault_of(value[name], inner, f"{path}{name}.")
    return None


def _number_fault(value: Mapping[str, Any], shape: Shape, path: str) -> Fault:
    for name in shape.floats:
        if type(value[name]) is not float:
            return Fault(f"{path}{name}", "a number that may have a fraction is written with one, such as 1.0")
    name = next(name for name in shape.counts if type(value[name]) is not int)
    return Fault(f"{path}{name}", "a count is written without a fraction")


def _is_short(text: str) -> bool:
    return text.isascii() or len(text.encode()) <= limits.ID_BYTES


def _is_day(moment: str) -> bool:
    try:
        date.fromisoformat(moment[:10])
    except ValueError:
        return False
    return True
