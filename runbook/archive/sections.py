"""An archive read strictly in sections, side by side: each proves its bytes and records, then they are put together.

A section is some whole blocks of the footer, so that their hashes prove it. A line that crosses into the next section
is put together from both, and checked alone. What comes out is where the records of each type, and of each range of
keys, stand. Who wants to know what is wrong and where reads the archive with `reader`; here it is only found.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from runbook.archive import limits
from runbook.archive.canonical import Fault
from runbook.archive.checker import RecordChecker, damaged
from runbook.archive.digest import ContentDigest, block_range
from runbook.archive.joining import LINE_END
from runbook.archive.kinds import ArchiveKind, Key, RecordKind, archive_kind
from runbook.archive.outline import Outline, Read
from runbook.archive.regions import Region, prefix

Take = Callable[[int, bytes], object]
"""Takes some whole lines, and where they begin."""


@dataclass(frozen=True, slots=True)
class Section:
    """Where the whole lines of a section stand, and what belongs to lines that cross its borders."""

    start: int
    end: int
    head: bytes = b""
    tail: bytes = b""


@dataclass(slots=True)
class Proven:
    """What the lines of one section were found to hold; `keys` are lines of keys, type by type."""

    section: Section
    regions: list[Region] = field(default_factory=list)
    first: tuple[int, Key] | None = None
    last: tuple[int, Key] = (-1, ())
    keys: list[tuple[str, bytes]] = field(default_factory=list)


def section_of(outline: Outline, blocks: range, read: Read, step: int, take: Take) -> Section:
    """The section of these blocks, read so many bytes at a time.

    Its whole lines go to `take` as they come; they count only when this has returned.

    Raises:
        DamagedError: a hash does not fit.
        Whatever `take` raises.
    """
    begin, stop = block_range(blocks[0])[0], min(block_range(blocks[-1])[1], outline.hashed)
    lines = _Lines(take, max(begin, outline.start), begins=begin <= outline.start)
    for number in blocks:
        low, high = block_range(number)
        found = sha256()
        for offset in range(low, min(high, stop), step):
            chunk = read(offset, min(step, high - offset, stop - offset))
            found.update(chunk)
            lines.add(chunk[max(outline.start - offset, 0) : max(outline.end - offset, 0)])
        if found.hexdigest() != outline.blocks[number]:
            raise damaged(outline.name, Fault(f"footer.blocks[{number}]", "other bytes than were written"))
    return Section(lines.start, lines.end, lines.head, lines.rest)


class _Lines:
    """Cuts bytes as they come into what ends a line that began before, whole lines, and what begins a line."""

    def __init__(self, take: Take, start: int, *, begins: bool) -> None:
        self.head = b""
        self.rest = b""
        self.start = self.end = start
        self._take = take
        self._begun = begins

    def add(self, chunk: bytes) -> None:
        """What comes next."""
        data = self.rest + chunk
        if not self._begun:
            cut = data.find(b"\n") + 1
            self._begun = bool(cut)
            self.head += data[:cut] if cut else data
            self.start = self.end = self.end + (cut or len(data))
            data = data[cut:] if cut else b""
        cut = data.rfind(b"\n") + 1
        if cut:
            self._take(self.end, data[:cut])
            self.end += cut
        self.rest = data[cut:]


def digest_of_lines(body: bytes) -> ContentDigest:
    """That of whole lines; the comma of the last may be missing."""
    lines = body.removesuffix(b"\n").removesuffix(b",").split(LINE_END)
    return ContentDigest().plus(lines) if body else ContentDigest()


class Prover:
    """Checks the whole lines of a section strictly, as they come.

    Raises:
        DamagedError: in `take`: a record is not what it must be.
    """

    def __init__(self, outline: Outline) -> None:
        self._found = Proven(Section(0, 0))
        self._outline = outline
        self._kind = archive_kind(outline.header.kind)
        self._checker = RecordChecker(self._kind, None, since=outline.header.since is not None, digest=False)

    def take(self, start: int, lines: bytes) -> None:
        """The next lines, and where they begin."""
        for part in _of_one_type(lines, self._kind):
            self._add(start, part)
            start += len(part)

    def proven(self, section: Section) -> Proven:
        """What was found, once that section is proven."""
        self._found.section = section
        return self._found

    def _add(self, start: int, part: bytes) -> None:
        ends = start + len(part) == self._outline.end
        lines = (part[:-1] if ends else part.removesuffix(LINE_END)).split(LINE_END)
        if len(lines) != part.count(b"\n") or part.endswith(LINE_END) is ends:
            raise self._damaged("a comma is missing, or one too many")
        first, kind = self._records(lines)
        found, last = self._found, self._checker.last
        found.first = found.first or (kind.rank, first)
        found.last = last
        ends_of = prefix(kind.name, first), prefix(kind.name, last[1])
        found.regions.append(Region(kind.name, start, len(part), len(lines), *ends_of, sha256(part).hexdigest()))

    def _records(self, lines: list[bytes]) -> tuple[Key, RecordKind]:
        """The key of the first of them, and their type."""
        first: Key = ()
        kind = None
        for start in range(0, len(lines), limits.BATCH_RECORDS):
            records = self._checker.check(lines[start : start + limits.BATCH_RECORDS], self._place)
            kind = kind or self._kind.records[records[0]["type"]]
            first = first or kind.key_of(records[0])
            if self._outline.refers:
                keys = "\n".join(["\t".join(kind.key_of(record)) for record in records])
                self._found.keys.append((kind.name, keys.encode()))
        if kind is None:
            raise self._damaged("there is nothing where a record must be")
        return first, kind

    def _place(self, index: int, offset: int) -> str:
        del index, offset
        return self._outline.name

    def _damaged(self, reason: str) -> Exception:
        return damaged(self._outline.name, Fault("", reason))


def _of_one_type(data: bytes, kind: ArchiveKind) -> Iterator[bytes]:
    """The lines, cut wherever the type changes. They are sorted by it: where first and last are of one, all are."""
    starts = [b'{"type":"%s"' % name.encode() for name in kind.records]
    low = 0
    while low < len(data):
        ours = next((start for start in starts if data.startswith(start, low)), b"")
        cut = len(data)
        if not data.startswith(ours, max(data.rfind(b"\n", low, cut - 1) + 1, low)):
            others = (data.find(b"\n" + start, low) + 1 for start in starts if start != ours)
            cut = min((other for other in others if other), default=cut)
        yield data[low:cut]
        low = cut
