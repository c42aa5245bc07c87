"""Writes an export as records come, in constant memory. Equal states give equal bytes."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from runbook.archive import canonical, layout, limits
from runbook.archive.digest import BlockHashes
from runbook.archive.kinds import archive_kind
from runbook.archive.layout import Header, Summary
from runbook.errors import DamagedError, RefusedError

if TYPE_CHECKING:
    from runbook.archive.kinds import Key


class ArchiveWriter:
    """Writes the header at once, each record by `add`, and the footer by `finish`; without it no reader takes the file.

    Args:
        write: takes bytes, all of them, such as the `write` of a buffered file.
        header: what the archive is of.
    """

    def __init__(self, write: Callable[[bytes], object], header: Header) -> None:
        kind = archive_kind(header.kind)
        self._write = write
        self._header = header
        self._kinds = kind.records
        self._counts = dict.fromkeys(kind.types(since=header.since is not None), 0)
        self._hashes = BlockHashes()
        self._last: tuple[int, Key] = (-1, ())
        self._waiting = [header.line() + b"\n" + layout.RECORDS_LINE]
        self._waiting_bytes = 0
        self._separator = b"\n"

    def add(self, record: Mapping[str, Any]) -> None:
        """Write a record; its members may come in any order.

        Raises:
            DamagedError: it stands behind one that comes after it, is there twice, is no record of this kind, or is
                larger than a reader takes.
        """
        kind = self._kinds.get(record.get("type", ""))
        if kind is None or kind.name not in self._counts:
            raise DamagedError(f"{record.get('type')!r} is no record of a {self._header.kind} archive")
        key = kind.key_of(record)
        if (kind.rank, key) <= self._last:
            raise DamagedError(f"the {kind.name} {'/'.join(key)} comes out of order, or twice")
        try:
            line = canonical.encode(record, kind)
        except (KeyError, ValueError, TypeError) as error:
            raise DamagedError(f"the {kind.name} {'/'.join(key)} cannot be written: {error!r}"[:300]) from None
        if len(line) > limits.LINE_BYTES:
            raise DamagedError(f"the {kind.name} {'/'.join(key)} has {len(line)} bytes, more than {limits.LINE_BYTES}")
        self._last = (kind.rank, key)
        self._counts[kind.name] += 1
        self._waiting += (self._separator, line)
        self._separator = b",\n"
        self._waiting_bytes += len(line) + 2
        if self._waiting_bytes >= limits.CHUNK_BYTES:
            self._flush()

    def finish(self) -> Summary:
        """Write the footer.

        Raises:
            RefusedError: the archive is larger than a reader takes.
        """
        self._waiting.append(b"\n" + layout.RECORDS_END + b"\n")
        self._flush()
        size, whole = self._hashes.bytes, self._hashes.whole()
        self._write(layout.footer_line(self._counts, size, self._hashes.blocks(), whole) + b"\n")
        return Summary(self._header, self._counts, size, whole)

    def _flush(self) -> None:
        data = b"".join(self._waiting)
        self._waiting, self._waiting_bytes = [], 0
        self._hashes.update(data)
        if self._hashes.bytes > limits.ARCHIVE_BYTES:
            raise RefusedError("the archive would be larger than 1 TiB", hint="export space by space (--space)")
        self._write(data)
