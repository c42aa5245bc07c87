"""One shard of a backup: lines of records in zstd frames that stand alone, each of 8 MiB at most.

A shard ends at 64 MiB; from 32 MiB on also behind a record whose key says so, whatever else was stored or forgotten.
So two backups fall into step again behind a difference, and what they have in common is stored once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

from runbook.archive import limits
from runbook.archive.digest import ContentDigest
from runbook.archive.frames import Packer
from runbook.archive.kinds import Key

_ENDS_IN = 2048
"""One key of so many ends a shard that is large enough: at 4.5 KiB a record, every 9 MiB."""

_GATHERED = 64
"""How many lines are hashed for the content digest at a time, and join those that wait."""

UNTOLD: Key = ("-", "-", "-")
"""Instead of a key that an encrypted backup does not tell."""


@dataclass(frozen=True, slots=True)
class Shard:
    """What a manifest says of a shard. `first` and `last` are type, space and ids of its first and last record.

    Of one that is encrypted, `stored` is what is encrypted, and `first` and `last` are `UNTOLD`.
    """

    name: str
    records: int
    raw_bytes: int
    raw_sha256: str
    stored_bytes: int
    stored_sha256: str
    first: Key
    last: Key


class ShardWriter:
    """Writes one shard.

    Args:
        write: takes bytes, all of them.
        packer: makes the frames.
    """

    def __init__(self, write: Callable[[bytes], object], packer: Packer) -> None:
        self.full = False
        self.digest = ContentDigest()
        self._write = write
        self._packer = packer
        self._waiting = bytearray()  # at once: thousands of small objects that live long would leave holes behind them
        self._waiting_bytes = 0
        self._lines: list[bytes] = []
        self._records = self._raw_bytes = self._stored_bytes = 0
        self._raw, self._stored = sha256(), sha256()
        self._first: Key = ()
        self._last: Key = ()

    def add(self, line: bytes, key: Key) -> None:
        """Add a record's canonical line; `key` is its type, its space and its ids."""
        size = len(line) + 1
        if self._waiting_bytes + size > limits.FRAME_BYTES:
            self._flush()
        self._lines.append(line)
        self._waiting_bytes += size
        if len(self._lines) == _GATHERED:
            self._gather()
        self._first = self._first or key
        self._last = key
        total = self._raw_bytes + self._waiting_bytes
        if total >= limits.SHARD_LEAST_BYTES:
            self.full = total >= limits.SHARD_BYTES or crc32("\n".join(key).encode()) % _ENDS_IN == 0

    def finish(self, name: str) -> Shard:
        """Write what waits; what the shard of that name became."""
        self._flush()
        raw, stored = self._raw.hexdigest(), self._stored.hexdigest()
        return Shard(name, self._records, self._raw_bytes, raw, self._stored_bytes, stored, self._first, self._last)

    def _gather(self) -> None:
        if self._lines:
            self.digest = self.digest.plus(self._lines)
            self._records += len(self._lines)
            self._lines.append(b"")
            self._waiting += b"\n".join(self._lines)
            self._lines.clear()

    def _flush(self) -> None:
        self._gather()
        if not self._waiting:
            return
        self._raw.update(self._waiting)
        self._raw_bytes += len(self._waiting)
        packed = self._packer.frame(self._waiting)
        self._waiting, self._waiting_bytes = bytearray(), 0
        self._stored.update(packed)
        self._stored_bytes += len(packed)
        self._write(packed)


def counted(chunks: Iterable[bytes], into: "Count") -> Iterator[bytes]:
    """The same chunks, once they are hashed and counted."""
    for chunk in chunks:
        into.update(chunk)
        yield chunk


class Count:
    """SHA-256 and number of the bytes that passed."""

    def __init__(self) -> None:
        self.bytes = 0
        self._hash = sha256()

    def update(self, data: bytes) -> None:
        """Add what passed."""
        self.bytes += len(data)
        self._hash.update(data)

    @property
    def sha256(self) -> str:
        """In hexadecimal."""
        return self._hash.hexdigest()
