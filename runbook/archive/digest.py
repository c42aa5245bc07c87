"""Hashes of archives: of what was written, block by block, and of what it means, in whatever order."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from runbook.archive import limits

_MODULUS = 1 << 256


@dataclass(frozen=True, slots=True)
class ContentDigest:
    """The sum modulo 2^256 of the SHA-256 of each record's canonical line, and their number: independent of order."""

    total: int = 0
    count: int = 0

    def plus(self, lines: Iterable[bytes]) -> "ContentDigest":
        """This one, and these lines too (without line ends)."""
        hashes = [int.from_bytes(sha256(line).digest()) for line in lines]
        return ContentDigest((self.total + sum(hashes)) % _MODULUS, self.count + len(hashes))

    def __add__(self, other: "ContentDigest") -> "ContentDigest":
        return ContentDigest((self.total + other.total) % _MODULUS, self.count + other.count)

    def __sub__(self, other: "ContentDigest") -> "ContentDigest":
        return ContentDigest((self.total - other.total) % _MODULUS, self.count - other.count)

    def document(self) -> dict[str, object]:
        """As a manifest has it."""
        return {"sum": f"{self.total:064x}", "count": self.count}

    def __str__(self) -> str:
        return f"{self.total:064x}-{self.count}"


class BlockHashes:
    """SHA-256 of everything and of each block: 1 MiB in the first GiB, 16 MiB after it."""

    def __init__(self) -> None:
        self.bytes = 0
        self._all = sha256()
        self._block = sha256()
        self._left = limits.BLOCK_BYTES
        self._done: list[str] = []

    def update(self, data: bytes | memoryview) -> None:
        """Add what comes next."""
        self._add_to_whole(data)
        view = memoryview(data)
        while len(view) >= self._left:
            self._block.update(view[: self._left])
            self.bytes += self._left
            view = view[self._left :]
            self._done.append(self._block.hexdigest())
            self._block = sha256()
            self._left = limits.BLOCK_BYTES if self.bytes < limits.FINE_BYTES else limits.COARSE_BLOCK_BYTES
        self._block.update(view)
        self.bytes += len(view)
        self._left -= len(view)

    def _add_to_whole(self, data: bytes | memoryview) -> None:
        self._all.update(data)

    def whole(self) -> str:
        """SHA-256 of everything, in hexadecimal."""
        return self._all.hexdigest()

    def blocks(self) -> list[str]:
        """Those of the blocks; the last may be short, and none is empty."""
        start, _ = block_range(len(self._done))
        return [*self._done, self._block.hexdigest()] if self.bytes > start else list(self._done)


def block_range(index: int) -> tuple[int, int]:
    """The offsets of the first byte of a block and of the first after it."""
    fine = limits.FINE_BYTES // limits.BLOCK_BYTES
    if index < fine:
        return index * limits.BLOCK_BYTES, (index + 1) * limits.BLOCK_BYTES
    start = limits.FINE_BYTES + (index - fine) * limits.COARSE_BLOCK_BYTES
    return start, start + limits.COARSE_BLOCK_BYTES
