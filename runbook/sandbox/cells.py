"""What the judge of an A/B comparison reads: recalls added up by time, space and group.

Sums, not samples: of the logarithm of the latency (milliseconds) and of the confidence, and their squares. Bounded:
the oldest buckets leave first, whole. Whoever judges over longer collects them meanwhile.
"""

import math
from dataclasses import dataclass, fields
from time import time

import orjson

from runbook.sandbox.store import Store, Transaction

MOST = 50_000
SLO_SECONDS = 0.015
"""A recall that takes longer is over the service level objective."""


@dataclass(slots=True)
class Cell:
    """One row. It is counted up in place, so it is not frozen; `n` counts the recalls that answered."""

    bucket: int
    space: str
    group: str
    n: int = 0
    log_latency_sum: float = 0.0
    log_latency_sum_squares: float = 0.0
    errors: int = 0
    over_slo: int = 0
    confidence_n: int = 0
    confidence_sum: float = 0.0
    confidence_sum_squares: float = 0.0


class Cells:
    """The rows of one node. The event loop alone uses them."""

    def __init__(self, store: Store, bucket_seconds: int) -> None:
        self.bucket_seconds = bucket_seconds
        self._store = store
        self._buckets: dict[int, dict[tuple[str, str], Cell]] = {}
        self._rows = 0
        self._dirty: set[tuple[int, str, str]] = set()
        for bucket, space, group, numbers in store.reader.execute("SELECT * FROM cell ORDER BY bucket"):
            self._take(Cell(bucket, space, group, **orjson.loads(numbers)))

    def recalled(self, space: str, group: str, seconds: float, confidence: float | None) -> None:
        """Count a recall that answered."""
        cell = self._cell(space, group)
        logarithm = math.log(max(seconds * 1000.0, 1e-6))
        cell.n += 1
        cell.log_latency_sum += logarithm
        cell.log_latency_sum_squares += logarithm * logarithm
        cell.over_slo += seconds > SLO_SECONDS
        if confidence is not None:
            cell.confidence_n += 1
            cell.confidence_sum += confidence
            cell.confidence_sum_squares += confidence * confidence

    def failed(self, space: str, group: str) -> None:
        """Count a recall that did not answer."""
        self._cell(space, group).errors += 1

    def since(self, moment: float) -> list[dict[str, object]]:
        """The rows whose bucket ends after that moment (seconds since 1970), oldest first."""
        return [
            _document(cell)
            for bucket in sorted(self._buckets)  # a clock may have been set back
            if bucket + self.bucket_seconds > moment
            for _, cell in sorted(self._buckets[bucket].items())
        ]

    def flush(self) -> None:
        """Hand what changed to the writer."""
        if not self._dirty:
            return
        changed = [
            (bucket, space, group, orjson.dumps(_numbers(cell)).decode())
            for bucket, space, group in self._dirty
            if (cell := self._buckets.get(bucket, {}).get((space, group)))
        ]
        self._dirty.clear()
        oldest = min(self._buckets) if self._rows >= MOST else 0

        def write(transaction: Transaction) -> None:
            transaction.executemany("INSERT OR REPLACE INTO cell VALUES (?, ?, ?, ?)", changed)
            transaction.execute("DELETE FROM cell WHERE bucket < ?", (oldest,))

        self._store.write(write)

    def _cell(self, space: str, group: str) -> Cell:
        bucket = int(time()) // self.bucket_seconds * self.bucket_seconds
        self._dirty.add((bucket, space, group))
        known = self._buckets.get(bucket, {}).get((space, group))
        return known or self._take(Cell(bucket, space, group))

    def _take(self, cell: Cell) -> Cell:
        if self._rows >= MOST and cell.bucket not in self._buckets:
            self._rows -= len(self._buckets.pop(min(self._buckets)))
        self._buckets.setdefault(cell.bucket, {})[cell.space, cell.group] = cell
        self._rows += 1
        return cell


def _document(cell: Cell) -> dict[str, object]:
    """The fields of the row, without the deep copies of `asdict`: fifty thousand rows may be asked for at once."""
    return {name: getattr(cell, name) for name in _FIELDS}


def _numbers(cell: Cell) -> dict[str, object]:
    return {name: value for name, value in _document(cell).items() if name not in _KEYS}


_FIELDS = tuple(field.name for field in fields(Cell))
_KEYS = {"bucket", "space", "group"}
