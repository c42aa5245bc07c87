"""The rows that the judge read as lines of JSON, and back. Pure."""

from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter
from typing import Any, get_type_hints

import orjson

from runbook.engine.proof.manifest import damaged
from runbook.errors import DamagedError
from runbook.model.bundle import CELLS
from runbook.model.cells import GROUPS, Cell

_TYPES = get_type_hints(Cell)
_NAMES = tuple(field.name for field in fields(Cell))
_values = attrgetter(*_NAMES)


def lines_of(rows: Iterable[Cell]) -> list[bytes]:
    """A line for each row, in their order."""
    return [orjson.dumps(dict(zip(_NAMES, _values(row), strict=True))) + b"\n" for row in rows]


def rows_of(raw: bytes) -> tuple[Cell, ...]:
    """The rows that these lines are.

    Raises:
        DamagedError: a line is no row, or they are not ordered by bucket; the line is named.
    """
    found: list[Cell] = []
    for number, line in enumerate(raw.splitlines(), start=1):
        row = _row(number, line)
        if found and row.bucket < found[-1].bucket:
            raise damaged(CELLS, f"line {number}: bucket {row.bucket} comes after {found[-1].bucket}")
        found.append(row)
    return tuple(found)


def _row(number: int, line: bytes) -> Cell:
    try:
        document: Any = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise damaged(CELLS, f"line {number}, column {error.colno}: it is not JSON: {error.msg}") from error
    if not isinstance(document, dict) or tuple(document) != _NAMES:
        raise damaged(CELLS, f"line {number}: it is no row of recalls")
    for name, value in document.items():
        if type(value) is not _TYPES[name]:
            raise _wrong(number, name, value)
    if document["group"] not in GROUPS or document["seconds"] < 1:
        raise _wrong(number, "group", document["group"])
    return Cell(*document.values())


def _wrong(number: int, name: str, value: object) -> DamagedError:
    return damaged(CELLS, f"line {number}: {name} is {value!r}")
