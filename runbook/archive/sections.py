"""An archive read strictly in sections, side by side: each proves its bytes and records, then they are put together.

A section is some whole blocks of the footer, so that their hashes prove it. A line that crosses into the next section
is put together from both, and checked alone. What comes out is where the records of each type, and of each range of
keys, stand. Who wants to know what is wrong and where reads the archive with `reader`; here it is only found.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from runbook.archive import limits
from runbook.archive.canonical import Fault
from runbook.archive.checker import RecordChecker, damaged
from runbook.archive.digest import ContentDigest, block_range
from runbook.archive.joining import LINE_END
from runbook.archive.kinds import ArchiveKind, Key, RecordKind, archive_kind
from runbook.archive.outline import Outline, Read
from runbook.archive.references import References, Spill
from runbook.archive.regions import Region, Scanned, prefix


@dataclass(frozen=True, slots=True)
class Section:
    """The bytes of one section, proven by their hashes: whole lines, and what belongs to lines that cross its borders.

    The whole lines stand from `start` to `end`; `body` may be left out where they are not needed any more.
    """

    start: int
    end: int
    head: bytes
    body: bytes
    tail: bytes


@dataclass(slots=True)
class Proven:
    """What the lines of one section were found to hold."""

    section: Section
    regions: list[Region] = field(default_factory=list)
    first: tuple[int, Key] | None = None
    last: tuple[int, Key] = (-1, ())
    keys: list[tuple[str, Key]] = field(default_factory=list)


def section_of(outline: Outline, blocks: range, read: Read) -> Section:
    """The section of these blocks.

    Raises:
        DamagedError: a hash does not fit.
    """
    begin, stop = block_range(blocks[0])[0], min(block_range(blocks[-1])[1], outline.hashed)
    data = read(begin, stop - begin)
    for number in blocks:
        low, high = (place - begin for place in block_range(number))
        if sha256(memoryview(data)[low:high]).hexdigest() != outline.blocks[number]:
            raise damaged(outline.name, Fault(f"footer.blocks[{number}]", "other bytes than were written"))
    first, last = max(outline.start - begin, 0), min(outline.end, stop) - begin
    if first > last:
        return Section(stop, stop, b"", b"", b"")
    low = first if begin <= outline.start else data.find(b"\n", first, last) + 1
    if begin > outline.start and not low:  # one line fills all of it
        return Section(begin + last, begin + last, data[first:last], b"", b"")
    high = max(data.rfind(b"\n", low, last) + 1, low)
    return Section(begin + low, begin + high, data[first:low], data[low:high], data[high:last])


def prove(outline: Outline, section: Section, region_bytes: int) -> Proven:
    """Check the records of the section strictly.

    Raises:
        DamagedError: one is not what it must be.
    """
    check = _Check(outline, section)
    for part in _parts(section.body, region_bytes, archive_kind(outline.header.kind)):
        check.add(part)
    return check.found


def digest_of_lines(body: bytes) -> ContentDigest:
    """That of whole lines; the comma of the last may be missing."""
    lines = body.removesuffix(b"\n").removesuffix(b",").split(LINE_END)
    return ContentDigest().plus(lines) if body else ContentDigest()


class _Check:
    """Checks the lines of one section, region by region."""

    def __init__(self, outline: Outline, section: Section) -> None:
        self.found = Proven(section)
        self._end = section.start
        self._outline = outline
        self._kind = archive_kind(outline.header.kind)
        self._checker = RecordChecker(self._kind, None, since=outline.header.since is not None, digest=False)

    def add(self, part: bytes) -> None:
        """Some lines of one type."""
        start, self._end = self._end, self._end + len(part)
        ends = self._end == self._outline.end
        lines = (part[:-1] if ends else part.removesuffix(LINE_END)).split(LINE_END)
        if len(lines) != part.count(b"\n") or part.endswith(LINE_END) is ends:
            raise self._damaged("a comma is missing, or one too many")
        first, kind = self._records(lines)
        found, last = self.found, self._checker.last
        found.first = found.first or (kind.rank, first)
        found.last = last
        ends_of = prefix(kind.name, first), prefix(kind.name, last[1])
        whole = sha256(part).hexdigest()
        found.regions.append(Region(kind.name, start, len(part), len(lines), *ends_of, whole))

    def _records(self, lines: list[bytes]) -> tuple[Key, RecordKind]:
        """The key of the first of them, and their type."""
        first: Key = ()
        kind = None
        for start in range(0, len(lines), limits.BATCH_RECORDS):
            records = self._checker.check(lines[start : start + limits.BATCH_RECORDS], self._place)
            kind = kind or self._kind.records[records[0]["type"]]
            first = first or kind.key_of(records[0])
            if self._outline.refers:
                self.found.keys += ((kind.name, kind.key_of(record)) for record in records)
        if kind is None:
            raise self._damaged("there is nothing where a record must be")
        return first, kind

    def _place(self, index: int, offset: int) -> str:
        del index, offset
        return self._outline.name

    def _damaged(self, reason: str) -> Exception:
        return damaged(self._outline.name, Fault("", reason))


class Together:
    """Puts the sections of an archive together, in their order.

    Raises:
        DamagedError: in `add` and `finish`: together they are no archive.
    """

    def __init__(self, outline: Outline, spill: Spill) -> None:
        self._outline = outline
        self._crossing = Crossing(outline)
        self._regions: list[Region] = []
        self._last: tuple[int, Key] = (-1, ())
        self._references = References(spill) if outline.refers else None

    def close(self) -> None:
        """Let the temporary files of the references vanish."""
        if self._references is not None:
            self._references.close()

    def add(self, proven: Proven) -> None:
        """The next one."""
        line = self._crossing.line_before(proven.section)
        if line is not None:
            self._put(prove(self._outline, line, len(line.body)))
        self._put(proven)

    def finish(self) -> Scanned:
        """All of it."""
        counts = dict.fromkeys(self._outline.counts, 0)
        for region in self._regions:
            counts[region.type] += region.records
        if self._crossing.is_open or counts != self._outline.counts:
            raise damaged(self._outline.name, Fault("footer.counts", "not what stands before it"))
        found = self._outline
        return Scanned(found.header, tuple(self._regions), counts, found.hashed, found.sha256)

    def _put(self, proven: Proven) -> None:
        if proven.first is None:
            return
        if proven.first <= self._last:
            raise damaged(self._outline.name, Fault("", "the records are not in the order of the format"))
        self._last = proven.last
        self._regions += proven.regions
        for name, key in proven.keys:
            self._refer(name, key)

    def _refer(self, name: str, key: Key) -> None:
        if self._references is None:
            return
        if name == "episode":
            self._references.episode(key)
        elif name == "concept":
            self._references.concept(key)
        elif missing := self._references.missing(key):
            raise damaged(self._outline.name, Fault(missing, "binds what is not in this archive"))


class Crossing:
    """The line that crosses from one section into the next."""

    def __init__(self, outline: Outline) -> None:
        self._name = outline.name
        self._start = 0
        self._line = b""

    @property
    def is_open(self) -> bool:
        """Does a line go on behind the sections so far?"""
        return bool(self._line)

    def line_before(self, section: Section) -> Section | None:
        """The line that ends where the whole lines of that section begin, as a section of its own; None where none.

        Raises:
            DamagedError: it does not end, or is too long.
        """
        if not self._line:
            self._start = section.start - len(section.head)
        line = self._line + section.head
        if len(line) > limits.LINE_BYTES + len(LINE_END):
            raise damaged(self._name, Fault("", "a record that is too long"))
        ended = line.endswith(b"\n")
        if not ended and line and (section.end > section.start or section.tail):
            raise damaged(self._name, Fault("", "a record does not end"))
        start, self._line = self._start, b"" if ended else line
        if section.tail:
            self._start, self._line = section.end, section.tail
        return Section(start, start + len(line), b"", line, b"") if ended else None


def _parts(data: bytes, size: int, kind: ArchiveKind) -> Iterator[bytes]:
    """The lines, cut wherever the type changes, and into pieces of about that size."""
    starts = [b'{"type":"%s"' % name.encode() for name in kind.records]
    low, high = 0, len(data)
    while low < high:
        cut = high if high - low <= size else max(data.rfind(b"\n", low, low + size), data.find(b"\n", low)) + 1
        ours = next((start for start in starts if data.startswith(start, low)), b"")
        if not data.startswith(
            ours, max(data.rfind(b"\n", low, cut - 1) + 1, low)
        ):  # sorted by type: else all are of ours
            others = (data.find(b"\n" + start, low, cut) + 1 for start in starts if start != ours)
            cut = min((other for other in others if other), default=cut)
        yield data[low:cut]
        low = cut
