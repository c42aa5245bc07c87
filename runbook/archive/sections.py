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
from runbook.archive.kinds import ArchiveKind, Key, archive_kind
from runbook.archive.outline import Outline, Read
from runbook.archive.references import References, Spill
from runbook.archive.regions import Region, Scanned, prefix

_REFERRED = ("episode", "concept", "binding")


@dataclass(slots=True)
class Proven:
    """What one section was found to hold. `head` and `tail` are what belongs to lines that cross its borders."""

    start: int
    head: bytes
    tail: bytes
    regions: list[Region] = field(default_factory=list)
    first: tuple[int, Key] | None = None
    last: tuple[int, Key] = (-1, ())
    digests: dict[str, ContentDigest] = field(default_factory=dict)
    keys: list[tuple[str, Key]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Proofs:
    """What is wanted beside the proof: the digest of the content, the hashes of regions, and how large those are."""

    digest: bool
    regions: bool
    region_bytes: int


def prove(outline: Outline, section: range, read: Read, proofs: Proofs) -> Proven:
    """Read one section strictly.

    Raises:
        DamagedError: a hash does not fit, or a record is not what it must be.
    """
    begin, stop = block_range(section[0])[0], min(block_range(section[-1])[1], outline.hashed)
    data = read(begin, stop - begin)
    for number in section:
        low, high = (place - begin for place in block_range(number))
        if sha256(memoryview(data)[low:high]).hexdigest() != outline.blocks[number]:
            raise damaged(outline.name, Fault(f"footer.blocks[{number}]", "other bytes than were written"))
    first, last = max(outline.start - begin, 0), min(outline.end, stop) - begin
    if first > last:
        return Proven(stop, b"", b"")
    low = first if begin <= outline.start else data.find(b"\n", first, last) + 1
    high = data.rfind(b"\n", low, last) + 1
    if begin > outline.start and not low:  # one line fills all of it
        return Proven(begin + last, data[first:last], b"")
    high = max(high, low)
    found = Proven(begin + low, data[first:low], data[high:last])
    found_end = begin + high
    check = _Section(outline, proofs, found)
    for part in _parts(data, low, high, proofs.region_bytes, archive_kind(outline.header.kind)):
        check.add(part, ends=found_end == outline.end and found.start + check.size + len(part) == found_end)
    return check.finish()


class _Section:
    """Checks the lines of one section, region by region."""

    def __init__(self, outline: Outline, proofs: Proofs, found: Proven) -> None:
        self.size = 0
        self._outline = outline
        self._proofs = proofs
        self._found = found
        self._kind = archive_kind(outline.header.kind)
        self._checker = RecordChecker(self._kind, None, since=outline.header.since is not None, digest=proofs.digest)

    def add(self, part: bytes, *, ends: bool) -> None:
        """Some lines of one type; the archive's records end behind them, or not."""
        lines = (part[:-1] if ends else part.removesuffix(LINE_END)).split(LINE_END)
        if len(lines) != part.count(b"\n") or part.endswith(LINE_END) is ends:
            raise self._damaged("a comma is missing, or one too many")
        before = self._checker.digest
        keys: list[Key] = []
        kind = None
        for start in range(0, len(lines), limits.BATCH_RECORDS):
            records = self._checker.check(lines[start : start + limits.BATCH_RECORDS], self._place)
            kind = kind or self._kind.records[records[0]["type"]]
            if self._outline.refers and kind.name in _REFERRED:
                keys += map(kind.key_of, records)
            if not start:
                first = kind.key_of(records[0])
        if kind is None:
            raise self._damaged("there is nothing where a record must be")
        found, last = self._found, self._checker.last
        found.first = found.first or (kind.rank, first)
        found.last = last
        found.keys += ((kind.name, key) for key in keys)
        if self._proofs.digest:
            added = ContentDigest(
                (self._checker.digest.total - before.total) % (1 << 256), self._checker.digest.count - before.count
            )
            found.digests[kind.name] = found.digests.get(kind.name, ContentDigest()) + added
        ends_of = prefix(kind.name, first), prefix(kind.name, last[1])
        offset = found.start + self.size
        told = sha256(part).hexdigest() if self._proofs.regions else ""
        found.regions.append(Region(kind.name, offset, len(part), len(lines), *ends_of, told))
        self.size += len(part)

    def finish(self) -> Proven:
        """What was found."""
        self._checker.close()
        return self._found

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

    def __init__(self, outline: Outline, proofs: Proofs, spill: Spill) -> None:
        self._outline = outline
        self._proofs = proofs
        self._crossing = b""
        self._crossing_start = outline.start
        self._regions: list[Region] = []
        self._last: tuple[int, Key] = (-1, ())
        self._digests: dict[str, ContentDigest] = {}
        self._references = References(spill) if outline.refers else None

    def add(self, proven: Proven) -> None:
        """The next one."""
        if not self._crossing:
            self._crossing_start = proven.start - len(proven.head)
        self._crossing += proven.head
        if len(self._crossing) > limits.LINE_BYTES + len(b",\n"):
            raise damaged(self._outline.name, Fault("", "a record that is too long"))
        if self._crossing.endswith(b"\n"):
            self._add_crossing()
        if self._crossing and (proven.regions or proven.tail):
            raise damaged(self._outline.name, Fault("", "a record does not end"))
        self._put(proven)
        if proven.tail:
            self._crossing_start = proven.start + sum(region.size for region in proven.regions)
            self._crossing = proven.tail

    def close(self) -> None:
        """Let the temporary files of the references vanish."""
        if self._references is not None:
            self._references.close()

    def finish(self) -> Scanned:
        """All of it."""
        counts = dict.fromkeys(self._outline.counts, 0)
        for region in self._regions:
            counts[region.type] += region.records
        if self._crossing or counts != self._outline.counts:
            raise damaged(self._outline.name, Fault("footer.counts", "not what stands before it"))
        found = self._outline
        return Scanned(found.header, tuple(self._regions), counts, found.hashed, found.sha256, self._digests)

    def _add_crossing(self) -> None:
        line, start = self._crossing, self._crossing_start
        self._crossing = b""
        found = Proven(start, b"", b"")
        section = _Section(self._outline, self._proofs, found)
        section.add(line, ends=start + len(line) == self._outline.end)
        self._put(section.finish())

    def _put(self, proven: Proven) -> None:
        if proven.first is None:
            return
        if proven.first <= self._last:
            raise damaged(self._outline.name, Fault("", "the records are not in the order of the format"))
        self._last = proven.last
        self._regions += proven.regions
        for name, digest in proven.digests.items():
            self._digests[name] = self._digests.get(name, ContentDigest()) + digest
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


def _parts(data: bytes, low: int, high: int, size: int, kind: ArchiveKind) -> Iterator[bytes]:
    """The lines, cut wherever the type changes, and into pieces of about that size."""
    starts = [b'{"type":"%s"' % name.encode() for name in kind.records]
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
