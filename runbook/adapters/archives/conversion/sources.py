"""What one unit of a conversion reads: a range of keys of an archive whose regions are known, and of its residue."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import orjson

from runbook.adapters.archives.conversion.keys import KeyFile
from runbook.adapters.files import open_regular, storage
from runbook.archive.regions import Prefix, Region, Scanned, prefix
from runbook.errors import DamagedError
from runbook.model.migration import Key, Record, key_of

UNRANGED = "tombstone"
"""Sorted by space and by what was forgotten before its id: it is always read as a whole."""


@dataclass(frozen=True, slots=True)
class Span:
    """Keys from `low` on, before `high`; None where there is no such end."""

    low: Prefix | None = None
    high: Prefix | None = None

    def holds(self, key: Prefix) -> bool:
        """Is the key within?"""
        return (self.low is None or self.low <= key) and (self.high is None or key < self.high)

    def meets(self, region: Region) -> bool:
        """Can some record of the region be within?"""
        return (self.low is None or self.low <= region.last) and (self.high is None or region.first < self.high)


class Ranged:
    """One archive, read by range and type. Every region is hashed anew, so that what changed meanwhile is found.

    Raises:
        DamagedError: while it is read: the file is no longer what it was.
        StorageError: it cannot be read.
    """

    def __init__(self, path: Path, scanned: Scanned) -> None:
        self._path = path
        self._regions: dict[str, list[Region]] = {}
        for region in scanned.regions:
            self._regions.setdefault(region.type, []).append(region)

    def records(self, type_: str, span: Span) -> Iterator[Record]:
        """The records of that type within the span."""
        everything = type_ == UNRANGED
        for region in self._regions.get(type_, ()):
            if everything or span.meets(region):
                whole = everything or (span.holds(region.first) and span.holds(region.last))
                for line in self._data(region).split(b",\n"):
                    if line:
                        record: Record = orjson.loads(line)
                        if whole or span.holds(prefix(type_, key_of(record))):
                            yield record

    def _data(self, region: Region) -> bytes:
        with storage(self._path, "read"), os.fdopen(open_regular(self._path), "rb", buffering=0) as stream:
            stream.seek(region.offset)
            data = stream.read(region.size)
            while len(data) < region.size and (more := stream.read(region.size - len(data))):
                data += more
        if sha256(data).hexdigest() != region.sha256:
            raise DamagedError(
                f"{self._path} changed while it was converted (bytes {region.offset} to {region.offset + region.size})",
                hint="leave it alone, then run the command again",
            )
        return data if data.endswith(b",\n") else data.removesuffix(b"\n")


class UnitSources:
    """`Sources` of one unit. With `touched`, only residue of what the changes touch is there."""

    def __init__(self, data: Ranged, residue: Ranged | None, span: Span, touched: KeyFile | None) -> None:
        self._data = data
        self._residue = residue
        self._span = span
        self._touched = touched

    def data(self, type_: str) -> Iterator[Record]:
        """The records of that type of the data."""
        return self._data.records(type_, self._span)

    def residue(self, type_: str) -> Iterator[Record]:
        """The records of that type that an earlier conversion left; none where there is no residue."""
        if self._residue is None:
            return iter(())
        found = self._residue.records(type_, self._span)
        touched = self._touched
        if touched is None:
            return found
        return (record for record in found if touched.holds("", _prefix(type_, record)))


def _prefix(type_: str, record: Record) -> Key:
    return prefix(type_, key_of(record))
