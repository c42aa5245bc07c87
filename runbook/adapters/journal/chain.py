"""Walking the chain: every line fits its own hash, and follows the line before it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from runbook.adapters.journal.head import EMPTY, Head
from runbook.adapters.journal.line import Line, read
from runbook.model.journal import Damage

_SECTOR = 512  # bytes: what a disk writes whole or not at all


@dataclass(frozen=True, slots=True)
class Link:
    """A sound line, and the end of the journal as it is after it."""

    line: Line
    end: Head


@dataclass(frozen=True, slots=True)
class Torn:
    """An entry at the end that was never finished: no newline, or a hole in it. `line` is the line it would be."""

    line: int
    byte: int
    raw: bytes

    def __str__(self) -> str:
        what = "with a hole" if self.raw.endswith(b"\n") else "without a newline"
        return f"line {self.line}: {len(self.raw)} bytes {what} at byte {self.byte}, never acknowledged"


@dataclass(frozen=True, slots=True)
class Position:
    """How far a walk has come: the last sound line, and the lines and bytes behind it that were damaged."""

    end: Head = EMPTY
    offset: int = 0
    number: int = 0
    unread: int = 0


def walk(stream: BinaryIO, size: int, start: Head = EMPTY) -> Iterator[Link | Damage | Torn]:
    """Every line from `start` to byte `size`, in order: sound, damaged or (the last one only) torn.

    After a damaged line the walk goes on with the next readable one, so that each damage is named once.
    """
    for item, _ in walk_on(stream, size, Position(start, start.size, start.seq)):
        yield item


def walk_on(stream: BinaryIO, size: int, at: Position) -> Iterator[tuple[Link | Damage | Torn, Position]]:
    """The same from any position, and with each line the position behind it; a torn line is never passed."""
    stream.seek(at.offset)
    end, offset, number, unread = at.end, at.offset, at.number, at.unread
    while offset < size and (raw := stream.readline(size - offset)):
        number += 1
        found = _follow(raw, end, unread)
        behind = offset + len(raw)
        if isinstance(found, Line):
            end, unread = Head(found.seq, behind, found.hash), 0
            yield Link(found, end), Position(end, behind, number)
        elif _never_finished(raw, offset, size):
            yield Torn(number, offset, raw), Position(end, offset, number - 1, unread)
        else:
            end, unread = _after_damage(raw, end, unread)
            yield Damage(number, offset, found), Position(end, behind, number, unread)
        offset = behind


def _follow(raw: bytes, end: Head, unread: int) -> Line | str:
    """The line, where it reads and follows `end` with `unread` unreadable lines between them; or what is wrong."""
    line = read(raw)
    if isinstance(line, str):
        return line
    expected = end.seq + unread + 1
    if line.seq > expected:
        return f"it is entry {line.seq}: {line.seq - expected} entries before it are missing"
    if line.seq <= end.seq:
        return f"it is entry {line.seq}, which belongs further up: entries were reordered, inserted or repeated"
    if not unread and line.prev != end.hash:
        return f"entry {line.seq} was made after another entry {end.seq}: it was spliced in, or the one before it was"
    return line


def _after_damage(raw: bytes, end: Head, unread: int) -> tuple[Head, int]:
    line = read(raw)
    if isinstance(line, str):
        return end, unread + 1
    if line.seq <= end.seq:
        return end, unread
    return Head(line.seq, end.size, line.hash), 0


def _never_finished(raw: bytes, offset: int, size: int) -> bool:
    """It has no newline; or, being the last one, it has it and a sector before it was lost in a power cut: zeros."""
    if not raw.endswith(b"\n"):
        return not _lost_its_newline(raw)
    edges = range(offset // _SECTOR * _SECTOR + _SECTOR, offset + len(raw), _SECTOR)
    return offset + len(raw) >= size and any(
        not raw[max(edge - _SECTOR - offset, 0) : edge - offset].strip(b"\0") for edge in edges
    )


def _lost_its_newline(raw: bytes) -> bool:
    return isinstance(read(raw[:-1] + b"\n"), Line)
