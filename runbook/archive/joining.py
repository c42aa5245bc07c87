"""Writes an archive out of lines that stand ready, in the archive's order, each already with its comma."""

from collections.abc import Callable, Iterable, Mapping

from runbook.archive import layout, limits
from runbook.archive.digest import BlockHashes
from runbook.archive.layout import Header, Summary
from runbook.errors import RefusedError

LINE_END = b",\n"
"""What stands behind every record but the last."""


def join(
    write: Callable[[bytes], object], header: Header, counts: Mapping[str, int], pieces: Iterable[bytes]
) -> Summary:
    """Write the archive of these pieces, one behind the other: the lines of its records, the last with its comma too.

    Raises:
        RefusedError: the archive is larger than a reader takes.
    """
    hashes = BlockHashes()

    def put(data: bytes) -> None:
        hashes.update(data)
        if hashes.bytes > limits.ARCHIVE_BYTES:
            raise RefusedError("the archive would be larger than 1 TiB", hint="export space by space (--space)")
        write(data)

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
