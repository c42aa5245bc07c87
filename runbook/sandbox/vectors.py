"""Rows of float32 in blocks: memory grows with what is stored, freed rows are used again, search is brute force.

At 10 000 rows a search is ten matrix-vector products, under a millisecond; an index would cost exactness.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runbook.sandbox.embedding import DIMENSIONS, Vector

BLOCK = 1024
"""Rows per block; the system hands out its pages as rows are written."""
ROW_BYTES = DIMENSIONS * 4 + 5
"""What one row takes in memory."""


@dataclass(frozen=True, slots=True)
class _Block:
    rows: NDArray[np.float32]
    scale: NDArray[np.float32]  # 1 / length of the row; 0 for a row without direction
    alive: NDArray[np.bool_]


class Vectors:
    """Vectors by row number. Not safe for threads: whoever shares it holds a lock."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._free: list[int] = []
        self._used = 0

    def __len__(self) -> int:
        return self._used - len(self._free)

    @property
    def resident_bytes(self) -> int:
        """Bytes of the rows that were ever written (a freed row stays, until it is used again)."""
        return self._used * ROW_BYTES

    def add(self, vector: Vector) -> int:
        """Store the vector; its row number."""
        if self._free:
            row = self._free.pop()
        else:
            row = self._used
            self._used += 1
            if row // BLOCK == len(self._blocks):
                self._blocks.append(
                    _Block(
                        np.empty((BLOCK, DIMENSIONS), dtype=np.float32),
                        np.zeros(BLOCK, dtype=np.float32),
                        np.zeros(BLOCK, dtype=np.bool_),
                    )
                )
        self.replace(row, vector)
        return row

    def replace(self, row: int, vector: Vector) -> None:
        """Store the vector in that row."""
        block, at = self._blocks[row // BLOCK], row % BLOCK
        block.rows[at] = vector
        length = float(np.linalg.norm(vector.astype(np.float64)))
        with np.errstate(over="ignore"):
            scale = np.float32(1.0 / length) if length > 0.0 else np.float32(0.0)
        block.scale[at] = scale if np.isfinite(scale) else 0.0
        block.alive[at] = True

    def remove(self, row: int) -> None:
        """Forget the row; its number will be given out again.

        Raises:
            KeyError: there is no such row.
        """
        self.retire(row)
        self.release(row)

    def retire(self, row: int) -> None:
        """Find the row no more; it is kept, until it is released.

        Raises:
            KeyError: there is no such row.
        """
        if not 0 <= row < self._used or not self._blocks[row // BLOCK].alive[row % BLOCK]:
            raise KeyError(row)
        self._blocks[row // BLOCK].alive[row % BLOCK] = False

    def release(self, row: int) -> None:
        """Give the number of a retired row out again."""
        self._free.append(row)

    def get(self, row: int) -> Vector:
        """The vector, bit for bit (a view: copy what must outlive the lock)."""
        return np.asarray(self._blocks[row // BLOCK].rows[row % BLOCK], dtype=np.float32)

    def unit(self, rows: list[int]) -> NDArray[np.float32]:
        """Copies of those rows, scaled to unit length, one below the other."""
        matrix = np.empty((len(rows), DIMENSIONS), dtype=np.float32)
        for at, row in enumerate(rows):
            block = self._blocks[row // BLOCK]
            np.multiply(block.rows[row % BLOCK], block.scale[row % BLOCK], out=matrix[at])
        return matrix

    def cosines(self, query: Vector) -> NDArray[np.float32]:
        """The cosine of every row with the query (a unit vector), -inf where a row is free."""
        scores = np.empty(self._used, dtype=np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            for number, block in enumerate(self._blocks):
                start = number * BLOCK
                count = min(BLOCK, self._used - start)
                part = scores[start : start + count]
                np.dot(block.rows[:count], query, out=part)
                np.multiply(part, block.scale[:count], out=part)
                part[~block.alive[:count]] = -np.inf
        return scores


def best(scores: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """The rows with the highest finite scores, best first; equal scores by row."""
    if count < len(scores):
        found = np.argpartition(scores, -count)[-count:] if count > 0 else np.empty(0, dtype=np.intp)
    else:
        found = np.arange(len(scores))
    found = found[np.isfinite(scores[found])]
    return np.asarray(found[np.lexsort((found, -scores[found]))], dtype=np.intp)
