"""Writes an archive out of lines that stand ready, in the archive's order, each already with its comma."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from runbook.archive import layout, limits
from runbook.archive.digest import BlockHashes
from runbook.archive.layout import Header, Summary
from runbook.errors import RefusedError

if TYPE_CHECKING:
    from concurrent.futures import Future

LINE_END = b",\n"
"""What stands behind every record but the last."""


def join(
    write: Callable[[bytes], object], header: Header, counts: Mapping[str, int], pieces: Iterable[bytes]
) -> Summary:
    """Write the archive of these pieces, one behind the other: the lines of its records, the last with its comma too.

    Raises:
        RefusedError: the archive is larger than a reader takes.
    """
    hashes = _SideBySide()

    def put(data: bytes) -> None:
        hashes.update(data)
        if hashes.bytes > limits.ARCHIVE_BYTES:
            raise RefusedError("the archive would be larger than 1 TiB", hint="export space by space (--space)")
        write(data)

    with hashes:
        waiting = header.line() + b"\n" + layout.RECORDS_LINE + b"\n"
        for piece in pieces:
            if len(piece) < len(LINE_END):
                waiting += piece
            else:
                put(waiting)
                waiting = piece
        put(waiting.removesuffix(LINE_END) + b"\n" if waiting.endswith(LINE_END) else waiting)
        put(layout.RECORDS_END + b"\n")
        size, whole = hashes.bytes, hashes.whole()
    write(layout.footer_line(counts, size, hashes.blocks(), whole) + b"\n")
    return Summary(header, counts, size, whole)


class _SideBySide(BlockHashes):
    """The hash of everything is made on another core than those of the blocks: hashing lets other threads run."""

    def __init__(self) -> None:
        super().__init__()
        self._beside = ThreadPoolExecutor(1)
        self._last: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._beside.shutdown()

    def whole(self) -> str:
        """SHA-256 of everything, in hexadecimal."""
        self._wait()
        return super().whole()

    def _add_to_whole(self, data: bytes | memoryview) -> None:
        self._wait()
        self._last = self._beside.submit(super()._add_to_whole, data)

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()
