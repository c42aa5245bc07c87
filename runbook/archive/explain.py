"""Why a line is refused: found slowly, by the book, once the fast way has said that something is wrong with it."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from math import isinf
from typing import Any

import orjson

from runbook.archive import canonical, limits
from runbook.archive.canonical import Fault
from runbook.archive.kinds import MASK, RecordKind

_BOM = b"\xef\xbb\xbf"
_NESTING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)
"""Texts and brackets. It never goes back into a text: remembering how would take a hundred times its size."""
_LONGEST_NUMBER = 64
_LONGEST_NAME = 100
_LONGEST_REASON = 200


def unreadable(line: bytes) -> Fault | None:
    """What keeps the line from being JSON as we read it, or None."""
    if line.startswith(_BOM):
        return Fault("", "a byte order mark", 0)
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return Fault("", f"not UTF-8: byte 0x{line[error.start]:02x}", error.start)
    if fault := _too_deep(line):
        return fault
    if found := _strict(text):
        return found
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError as error:
        reason = "a lone surrogate" if "surrogate" in error.msg else f"not JSON: {error.msg}"
        return Fault("", reason, len(text[: error.pos].encode()))
    return None


def _too_deep(line: bytes) -> Fault | None:
    depth = 0
    for token in _NESTING.finditer(line):
        first = token.group()[:1]
        if first in b"[{":
            depth += 1
            if depth > limits.DEPTH:
                return Fault("", f"nested deeper than {limits.DEPTH}", token.start())
        elif first in b"]}":
            depth -= 1
    return None


def _strict(text: str) -> Fault | None:
    found: list[Fault] = []

    def refuse(reason: str, part: str, path: str = "") -> None:
        if not found:  # the first is told; to find the place of each would take the square of the length
            found.append(Fault(path, reason, len(text[: text.find(part)].encode()) if part else None))

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = dict(pairs)
        if len(seen) != len(pairs):
            twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
            refuse("the key is there twice", "", twice[:_LONGEST_NAME])
        return seen

    def number(digits: str) -> float:
        if len(digits) > _LONGEST_NUMBER and digits.removeprefix("-").isdecimal():
            refuse(f"a number of {len(digits)} digits", digits)
            return 0
        value = int(digits) if digits.removeprefix("-").isdecimal() else float(digits)
        if not -(2**63) <= value <= limits.LARGEST_COUNT if isinstance(value, int) else isinf(value):
            refuse(f"{digits[:_LONGEST_NUMBER]} is out of range", digits)
        return value

    def constant(name: str) -> None:
        refuse(f"{name} is not JSON", name)

    try:
        json.loads(text, object_pairs_hook=members, parse_constant=constant, parse_int=number, parse_float=number)
    except json.JSONDecodeError as error:
        return found[0] if found else Fault("", f"not JSON: {error.msg}", len(text[: error.pos].encode()))
    return found[0] if found else None


def not_valid(record: Mapping[str, Any], kind: RecordKind) -> Fault:
    """Why a record that is JSON is not valid by its schema; values are not shown, they are somebody's memory."""
    known = kind.shape.order
    for name in record:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            return Fault(name[:_LONGEST_NAME], f"unknown field{f'; did you mean {close[0]}?' if close else ''}")
    for error in kind.errors(record):
        path = ".".join(str(part) for part in error.instance_path)
        return Fault(path, str(error.message).replace(f'"{MASK}"', MASK)[:_LONGEST_REASON])
    return Fault("", "not valid by its schema")


def not_canonical(line: bytes, record: Mapping[str, Any], kind: RecordKind) -> Fault:
    """Where a valid record is first written in another way than ours."""
    ours = canonical.encode(record, kind)
    pairs = enumerate(zip(line, ours, strict=False))
    offset = next((index for index, (there, here) in pairs if there != here), min(len(line), len(ours)))
    return Fault("", "not written as this format is (order of keys, spaces, escapes, digits)", offset)
