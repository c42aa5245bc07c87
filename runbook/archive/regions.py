"""Where in an archive the records of each type, and of each range of keys, stand: found without decoding them all.

Every hash of the footer is compared. What the lines say is not looked at, save the first and the last of each region:
that is for `reader`, or for whoever checks region after region.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

import orjson

from runbook.archive import ending, heading, layout, limits
from runbook.archive.canonical import Fault
from runbook.archive.checker import damaged
from runbook.archive.digest import BlockHashes
from runbook.archive.kinds import ArchiveKind, Key, archive_kind
from runbook.archive.layout import Header

_HEAD_LINES = 2

Prefix = tuple[str, str]
"""Space and id; of a binding that of its episode."""


@dataclass(frozen=True, slots=True)
class Region:
    """Some consecutive lines of records of one type; the first and the last are told by their space and id."""

    type: str
    offset: int
    size: int
    records: int
    first: Prefix
    last: Prefix
    sha256: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """The regions of one archive, in order. `sha256` is that of its footer."""

    header: Header
    regions: tuple[Region, ...]
    counts: Mapping[str, int]
    bytes: int
    sha256: str


def scan(chunks: Iterable[bytes], name: str) -> Scanned:
    """The regions of an archive that comes unpacked: one of each chunk, two where the type changes within it.

    Raises:
        DamagedError: its hashes do not fit, or it is not what this format is; the message does not name the line.
        NotSupportedError: it is of a newer version.
    """
    pieces = _whole_lines(chunks, name)
    first = next(pieces, b"")
    while first.count(b"\n") < _HEAD_LINES and (more := next(pieces, b"")):
        first += more
    head, _, rest = first.partition(b"\n")
    header = heading.header(head, lambda offset: f"{name}: line 1, byte {offset}")
    start, end, _ = rest.partition(b"\n")
    if start + end != layout.RECORDS_LINE + b"\n":
        raise damaged(name, Fault("", 'only the layout that this tool writes is read: line 2 must be `"records":[`'))
    return _Scan(name, header, first, len(head) + len(start) + 2).run(pieces)


class _Scan:
    def __init__(self, name: str, header: Header, first: bytes, start: int) -> None:
        self._name = name
        self._header = header
        self._kind = archive_kind(header.kind)
        self._counts = dict.fromkeys(self._kind.types(since=header.since is not None), 0)
        self._hashes = BlockHashes()
        self._hashes.update(first[:start])
        self._piece = first[start:]
        self._last: tuple[int, Key] = (-1, ())
        self._regions: list[Region] = []

    def run(self, pieces: Iterator[bytes]) -> Scanned:
        while (end := _end_of_records(self._piece)) < 0:
            self._add(self._piece)
            self._piece = next(pieces, b"")
            if not self._piece:
                raise damaged(self._name, Fault("", "it ends without a footer"))
        self._add(self._piece[:end])
        self._hashes.update(layout.RECORDS_END + b"\n")
        footer = self._piece[end + len(layout.RECORDS_END) + 1 :]
        for piece in pieces:
            footer += piece
            if len(footer) > limits.FOOTER_BYTES:
                raise damaged(self._name, Fault("footer", "larger than one can be"))
        if ending.fault_of(footer.removesuffix(b"\n"), self._counts, self._hashes) or not footer.endswith(b"\n"):
            raise damaged(self._name, Fault("footer", "it does not fit what stands before it"))
        size, whole = self._hashes.bytes, self._hashes.whole()
        return Scanned(self._header, tuple(self._regions), self._counts, size, whole)

    def _add(self, body: bytes) -> None:
        offset = self._hashes.bytes
        self._hashes.update(body)
        for part in _of_one_type(body, self._kind):
            region, first, last = self._region(part, offset)
            if first <= self._last or last < first:
                raise damaged(self._name, Fault("", "the records are not in the order of the format"))
            self._last = last
            self._counts[region.type] += region.records
            self._regions.append(region)
            offset += len(part)

    def _region(self, part: bytes, offset: int) -> tuple[Region, tuple[int, Key], tuple[int, Key]]:
        last = part.rfind(b"\n", 0, len(part) - 1) + 1
        (type_, first_key), (_, last_key) = self._key(part[: part.find(b"\n")]), self._key(part[last:-1])
        rank, whole = self._kind.records[type_].rank, sha256(part).hexdigest()
        region = Region(
            type_, offset, len(part), part.count(b"\n"), prefix(type_, first_key), prefix(type_, last_key), whole
        )
        return region, (rank, first_key), (rank, last_key)

    def _key(self, line: bytes) -> tuple[str, Key]:
        try:
            record = orjson.loads(line.removesuffix(b","))
            type_ = record["type"]
            self._counts[type_]  # such a type may stand here
            key = self._kind.records[type_].key_of(record)
            "".join(key)  # texts, all of them
        except (ValueError, KeyError, TypeError) as error:
            raise damaged(
                self._name, Fault("", f"a line is no record of this archive: {type(error).__name__}")
            ) from None
        return type_, key


def prefix(type_: str, key: Key) -> Prefix:
    """Space and id of what has that key, or of what it begins with."""
    return (key[0], key[2] if type_ == "tombstone" else key[1])


def _end_of_records(piece: bytes) -> int:
    end = layout.RECORDS_END + b"\n"
    if piece.startswith(end):
        return 0
    return piece.find(b"\n" + end) + 1 or -1


def _of_one_type(body: bytes, kind: ArchiveKind) -> Iterator[bytes]:
    """The lines, cut wherever the type changes: no line has a line end within, so that a start of a line is sure."""
    start = 0
    while start < len(body):
        others = (
            body.find(b'\n{"type":"%s"' % name.encode(), start) + 1
            for name in kind.records
            if not body.startswith(b'{"type":"%s"' % name.encode(), start)
        )
        end = min((place for place in others if place), default=len(body))
        yield body[start:end]
        start = end


def _whole_lines(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    kept = b""
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        if cut:
            yield kept + chunk[:cut]
            kept = chunk[cut:]
        else:
            kept += chunk
        if len(kept) > limits.FOOTER_BYTES:
            raise damaged(name, Fault("", "a line that is too long"))
    if kept:
        raise damaged(name, Fault("", "it ends in the middle of a line"))
