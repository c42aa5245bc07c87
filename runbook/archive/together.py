"""Puts the sections of an archive together, in their order, and the lines that cross from one into the next."""

from typing import TYPE_CHECKING

from runbook.archive import limits
from runbook.archive.canonical import Fault
from runbook.archive.checker import damaged
from runbook.archive.joining import LINE_END
from runbook.archive.kinds import Key
from runbook.archive.outline import Outline
from runbook.archive.references import References, Spill
from runbook.archive.regions import Scanned
from runbook.archive.sections import Proven, Prover, Section

if TYPE_CHECKING:
    from runbook.archive.regions import Region


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
            prover = Prover(self._outline)
            prover.take(*line)
            self._put(prover.proven(proven.section))
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
        for name, keys in proven.keys:
            for line in keys.split(b"\n"):
                self._refer(name, tuple(line.decode().split("\t")))

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

    def line_before(self, section: Section) -> tuple[int, bytes] | None:
        """The line that ends where that section's whole lines begin, and where it began itself; None where none does.

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
        return (start, line) if ended else None
