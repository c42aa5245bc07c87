"""What the judge of an A/B comparison reads: recalls added up by time, space and group.

Sums, not samples: of the logarithm of the latency (milliseconds) and of the confidence, and their squares. Bounded:
the oldest rows leave first.
"""

import math
from collections import OrderedDict
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
        self._cells: OrderedDict[tuple[int, str, str], Cell] = OrderedDict()
        self._dirty: set[tuple[int, str, str]] = set()
        for bucket, space, group, numbers in store.reader.execute("SELECT * FROM cell ORDER BY bucket"):
            self._cells[bucket, space, group] = Cell(bucket, space, group, **orjson.loads(numbers))

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
            for (bucket, _, _), cell in sorted(self._cells.items())
            if bucket + self.bucket_seconds > moment
        ]

    def flush(self) -> None:
        """Hand what changed to the writer."""
        if not self._dirty:
            return
        changed = [
            (*key, orjson.dumps({k: v for k, v in _document(self._cells[key]).items() if k not in _KEYS}).decode())
            for key in self._dirty
            if key in self._cells
        ]
        self._dirty.clear()
        oldest = min(self._cells)[0] if len(self._cells) >= MOST else 0

        def write(transaction: Transaction) -> None:
            transaction.executemany("INSERT OR REPLACE INTO cell VALUES (?, ?, ?, ?)", changed)
            transaction.execute("DELETE FROM cell WHERE bucket < ?", (oldest,))

        self._store.write(write)

    def _cell(self, space: str, group: str) -> Cell:
        key = (int(time()) // self.bucket_seconds * self.bucket_seconds, space, group)
        if key not in self._cells:
            if len(self._cells) >= MOST:
                self._cells.popitem(last=False)
            self._cells[key] = Cell(*key)
        self._dirty.add(key)
        return self._cells[key]


def _document(cell: Cell) -> dict[str, object]:
    """The fields of the row, without the deep copies of `asdict`: fifty thousand rows may be asked for at once."""
    return {name: getattr(cell, name) for name in _FIELDS}


_FIELDS = tuple(field.name for field in fields(Cell))
_KEYS = {"bucket", "space", "group"}
