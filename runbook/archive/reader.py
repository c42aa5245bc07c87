"""Reads an export strictly: one layout, in constant memory, and nothing of it counts before the footer fits.

What it yields comes before the end is known; so nothing may be done with it for good before `summary` is there. Whoever
acts on an archive reads it twice, or into a staging place.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from runbook.archive import ending, frames, heading, layout, limits
from runbook.archive.canonical import Fault
from runbook.archive.checker import Place, RecordChecker, damaged
from runbook.archive.digest import BlockHashes
from runbook.archive.kinds import Record, archive_kind
from runbook.archive.layout import Summary
from runbook.archive.references import Spill
from runbook.errors import DamagedError

if TYPE_CHECKING:
    from runbook.archive.layout import Header

_FIRST_RECORD = 3
_CUT_OFF = "it ends here, without a footer: it was cut off, or whoever wrote it was killed"


def chunks_of(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of a stream, 1 MiB at a time."""
    while chunk := stream.read(limits.CHUNK_BYTES):
        yield chunk


class ArchiveReader:
    """Reads one archive; plain or zstd, told by its first bytes.

    Args:
        chunks: its bytes as they come, none empty, each of 1 MiB at most.
        name: what messages call it.
        spill: opens a temporary file for what bindings may refer to.

    Raises:
        DamagedError: here and while reading: it is not what this format is; the message names line and byte.
        NotSupportedError: it is of a newer version.
    """

    def __init__(self, chunks: Iterable[bytes], name: str, spill: Spill) -> None:
        self.name = name
        self.summary: Summary | None = None
        self._hashes = BlockHashes()
        self._line = 1
        self._offset = 0
        self._comma = True
        self._region = b""
        self._regions = self._whole_lines(plain(iter(chunks), name))
        self.header: Header = heading.header(self._next_line(), self._where)
        self._pass([self._taken])
        if self._next_line() != layout.RECORDS_LINE:
            raise self._refusal('only the layout that this tool writes is read: here `"records":[` must stand')
        self._pass([self._taken])
        self._checker = RecordChecker(archive_kind(self.header.kind), spill, since=self.header.since is not None)

    def close(self) -> None:
        """Let the temporary files vanish; for who may not read to the end."""
        self._checker.close()

    def batches(self) -> Iterator[list[Record]]:
        """Every record, some hundreds at a time; when it ends without an error, `summary` is there."""
        try:
            ended = False
            while not ended:
                lines, ended = self._record_lines()
                for start in range(0, len(lines), limits.BATCH_RECORDS):
                    batch = lines[start : start + limits.BATCH_RECORDS]
                    yield self._checker.check([line.removesuffix(b",") for line in batch], self._place(batch))
                    self._pass(batch)
            self._end()
        finally:
            self._checker.close()

    def read(self) -> Summary:
        """Read all of it, for the proof alone."""
        for _ in self.batches():
            pass
        if self.summary is None:
            raise self._refusal(_CUT_OFF)
        return self.summary

    def _record_lines(self) -> tuple[list[bytes], bool]:
        """Lines of records, with their commas, and whether the records end behind them."""
        if not self._region:
            self._region = next(self._regions, b"")
        if not self._region:
            raise self._refusal(_CUT_OFF)
        lines = self._region.split(b"\n")[:-1]
        ended = layout.RECORDS_END in lines
        if ended:
            lines = lines[: lines.index(layout.RECORDS_END)]
        size = sum(map(len, lines)) + len(lines) + (len(layout.RECORDS_END) + 1 if ended else 0)
        self._hashes.update(memoryview(self._region)[:size])
        self._region = self._region[size:]
        self._check_commas(lines, ended=ended)
        return lines, ended

    def _check_commas(self, lines: list[bytes], *, ended: bool) -> None:
        for index, line in enumerate(lines):
            if not self._comma:
                raise damaged(self._place(lines)(index, 0), Fault("", "a comma is missing before this record"))
            self._comma = line.endswith(b",")
        if ended and self._comma and (lines or self._line > _FIRST_RECORD):
            raise damaged(self._place(lines)(len(lines), 0), Fault("", "a record must follow the comma before this"))

    def _end(self) -> None:
        self._pass([layout.RECORDS_END])
        footer = self._next_line(hashed=False)
        if fault := ending.fault_of(footer, self._checker.counts, self._hashes):
            raise damaged(self._where(fault.offset or 0), fault)
        self._pass([footer])
        if self._region or next(self._regions, b""):
            raise self._refusal("something stands behind the footer")
        size, whole = self._hashes.bytes, self._hashes.whole()
        self.summary = Summary(self.header, self._checker.counts, size, whole, self._checker.digest)

    def _next_line(self, *, hashed: bool = True) -> bytes:
        if not self._region:
            self._region = next(self._regions, b"")
        self._taken, end, self._region = self._region.partition(b"\n")
        if not end:
            raise self._refusal(_CUT_OFF)
        if hashed:
            self._hashes.update(self._taken + end)
        return self._taken

    def _whole_lines(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Some whole lines at a time, with their ends."""
        kept = b""
        for chunk in chunks:
            cut = chunk.rfind(b"\n") + 1
            if cut:
                yield kept + chunk[:cut]
                kept = chunk[cut:]
            else:
                kept += chunk
            limit = limits.FOOTER_BYTES if kept.startswith(layout.FOOTER_START) else limits.LINE_BYTES + 1
            if len(kept) > limit:
                raise self._refusal(f"a line of more than {limit} bytes stands behind this")
        if kept:
            if self._line == 1 and not self._offset:
                heading.header(kept, self._where)  # an archive of another tool, all in one line, is refused as that
            raise self._refusal(_CUT_OFF)

    def _pass(self, lines: list[bytes]) -> None:
        self._line += len(lines)
        self._offset += sum(map(len, lines)) + len(lines)

    def _place(self, lines: list[bytes]) -> Place:
        def place(index: int, offset: int) -> str:
            before = sum(map(len, lines[:index])) + index
            return f"{self.name}: line {self._line + index}, byte {self._offset + before + offset}"

        return place

    def _where(self, offset: int) -> str:
        return self._place([])(0, offset)

    def _refusal(self, reason: str) -> DamagedError:
        return damaged(self._where(0), Fault("", reason))


def plain(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """The chunks themselves, or what they unpack to where the first bytes are those of zstd."""
    start = b""
    while len(start) < len(frames.MAGIC) and (more := next(chunks, b"")):
        start += more
    if start.startswith(frames.MAGIC):
        return frames.unpacked(chain([start], chunks), name)
    return chain([start], chunks) if start else chunks
