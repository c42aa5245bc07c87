"""zstd, frame by frame and block by block, so that no input can make more of itself than was allowed.

The structure is that of RFC 8878, section 3.1.1: a header, blocks of at most 128 KiB unpacked, a checksum. Each block
is given to the decoder alone; so the end of a frame is known exactly, what follows it is seen, and what one call can
unpack is bounded.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import TYPE_CHECKING

from runbook.archive import limits
from runbook.archive.canonical import Fault
from runbook.archive.checker import damaged
from runbook.errors import DamagedError

if TYPE_CHECKING:
    import zstandard

MAGIC = b"\x28\xb5\x2f\xfd"
TRAILER = b"\x50\x2a\x4d\x18\x20\x00\x00\x00"
"""Before the SHA-256 of everything stored: the head of a skippable frame of 32 bytes."""
LEVEL = 1
_LARGEST_BLOCK = 128 * limits.KIB
_RLE, _RESERVED = 1, 3
_LONGEST_HEADER = 14
_CHECKSUM = 4
_UNUSED_BITS = 0b11000
_DICTIONARY_BITS = 0b11


class Packer:
    """Makes one frame of up to 8 MiB: level 1, with checksum and size."""

    def __init__(self, level: int = LEVEL) -> None:
        import zstandard  # noqa: PLC0415 - heavy, and only needed where something is packed

        self._compressor = zstandard.ZstdCompressor(level=level, write_checksum=True, write_content_size=True)

    def frame(self, data: bytes | bytearray) -> bytes:
        """The data as one frame."""
        return self._compressor.compress(data)


class _Source:
    """Bytes in the sizes that are asked for, from chunks as they come."""

    def __init__(self, chunks: Iterable[bytes], name: str) -> None:
        self._chunks = iter(chunks)
        self._name = name
        self._buffer = b""
        self._at = 0
        self.offset = 0
        self.hash = sha256()

    def take(self, size: int) -> bytes:
        """Exactly that many bytes."""
        found = self.peek(size)
        if len(found) < size:
            raise self.refusal("it ends in the middle of a zstd frame")
        self._at += size
        self.offset += size
        self.hash.update(found)
        return found

    def peek(self, size: int) -> bytes:
        """Up to that many of the next bytes, which stay."""
        while len(self._buffer) - self._at < size and (more := next(self._chunks, b"")):
            self._buffer = self._buffer[self._at :] + more
            self._at = 0
        return self._buffer[self._at : self._at + size]

    def refusal(self, reason: str) -> DamagedError:
        """The error that names this place."""
        return damaged(f"{self._name}: byte {self.offset}", Fault("", reason))


def unpacked(chunks: Iterable[bytes], name: str, *, ours: bool = False) -> Iterator[bytes]:
    """What the frames hold, at most 128 KiB at a time.

    Args:
        chunks: the stored bytes, none of them empty.
        name: of the file, for messages.
        ours: take only what this tool writes: every frame with its size, of at most 8 MiB.

    Raises:
        DamagedError: it is damaged, cut off, no zstd, without checksum, or needs a larger window than 8 MiB.
    """
    import zstandard  # noqa: PLC0415 - heavy, and only needed where something is unpacked

    decompressor = zstandard.ZstdDecompressor(max_window_size=limits.WINDOW_BYTES)
    source = _Source(chunks, name)
    total = 0
    while (start := source.peek(len(TRAILER))) and (ours or start != TRAILER):
        for data in _frame(source, decompressor, ours=ours):
            total += len(data)
            if total > limits.ARCHIVE_BYTES:
                raise source.refusal("it unpacks to more than 1 TiB")
            if data:
                yield data
    if start:
        _check_trailer(source)


def _check_trailer(source: _Source) -> None:
    wanted = source.hash.digest()
    if source.take(len(TRAILER) + len(wanted))[len(TRAILER) :] != wanted:
        raise source.refusal("the stored bytes before this are not those that were written")
    if source.peek(1):
        raise source.refusal("something stands behind the end")


def _frame(source: _Source, decompressor: "zstandard.ZstdDecompressor", *, ours: bool) -> Iterator[bytes]:
    decoder = decompressor.decompressobj()
    yield _fed(source, decoder, _header(source, ours=ours))
    last = False
    while not last:
        head = source.take(3)
        word = int.from_bytes(head, "little")
        last, kind, size = bool(word & 1), (word >> 1) & 3, word >> 3
        if kind == _RESERVED or size > _LARGEST_BLOCK:
            raise source.refusal("no zstd block stands here")
        yield _fed(source, decoder, head + source.take(1 if kind == _RLE else size))
    yield _fed(source, decoder, source.take(_CHECKSUM))
    if not decoder.eof:
        raise source.refusal("the zstd frame does not end where its blocks do")


def _fed(source: _Source, decoder: "zstandard.ZstdDecompressionObj", data: bytes) -> bytes:
    import zstandard  # noqa: PLC0415 - imported by the caller already

    try:
        return decoder.decompress(data)
    except zstandard.ZstdError as error:
        reason = str(error).removeprefix("zstd decompressor error: ")
        raise source.refusal(f"damaged zstd frame: {reason}") from None


def _header(source: _Source, *, ours: bool) -> bytes:
    """The bytes of the frame's header, taken."""
    import zstandard  # noqa: PLC0415 - imported by the caller already

    start = source.peek(_LONGEST_HEADER)
    if not start.startswith(MAGIC) or len(start) <= len(MAGIC):
        raise source.refusal("no zstd frame stands here")
    flags = start[len(MAGIC)]
    try:
        found = zstandard.get_frame_parameters(start)
        size = zstandard.frame_header_size(start)
    except zstandard.ZstdError:
        raise source.refusal("the header of a zstd frame is damaged or cut off") from None
    if flags & (_UNUSED_BITS | _DICTIONARY_BITS) or not found.has_checksum:
        raise source.refusal("a zstd frame without checksum, or of a kind that is not read here")
    if found.window_size > limits.WINDOW_BYTES:
        raise source.refusal(f"a zstd frame with a window of {found.window_size} bytes; at most {limits.WINDOW_BYTES}")
    if ours and not 0 < found.content_size <= limits.FRAME_BYTES:
        raise source.refusal("a zstd frame of another size than this tool writes")
    return source.take(size)
