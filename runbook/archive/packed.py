"""Packed exports: zstd frames of 8 MiB, and behind them the SHA-256 of what is stored.

zstd can store the same bytes in several ways, so that a changed bit may unpack to what it was before. The hash finds
that too. It lies in a skippable frame, which other tools pass over (RFC 8878, section 3.1.2). A file that was packed by
`zstd` has none; it is read as well, since the footer of the archive proves what it unpacks to.
"""

from collections.abc import Callable
from hashlib import sha256

from runbook.archive import limits
from runbook.archive.frames import TRAILER, Packer


class PackedWriter:
    """Packs what is written.

    Args:
        write: takes the packed bytes, all of them.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._out = write
        self._packer = Packer()
        self._waiting = bytearray()
        self._stored = sha256()

    def write(self, data: bytes) -> int:
        """Take all of the data."""
        self._waiting += data
        while len(self._waiting) >= limits.FRAME_BYTES:
            self._frame(bytes(self._waiting[: limits.FRAME_BYTES]))
            del self._waiting[: limits.FRAME_BYTES]
        return len(data)

    def finish(self) -> None:
        """Write the last frame and the hash."""
        if self._waiting:
            self._frame(bytes(self._waiting))
            self._waiting.clear()
        self._out(TRAILER + self._stored.digest())

    def _frame(self, data: bytes) -> None:
        packed = self._packer.frame(data)
        self._stored.update(packed)
        self._out(packed)
