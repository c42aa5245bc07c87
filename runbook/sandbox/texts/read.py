"""Real text from a file or a pipe: lines, JSON lines or paragraphs, plain or gzip (dictzip is gzip).

The form is found out by looking. In paragraphs, an indented block belongs to the text before it, so that an entry of a
dictionary (a headword at the margin, its body indented) is one text.
"""

import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import IO, Any, cast

from runbook.errors import DamagedError, UsageError

LONGEST = 20_000
"""Characters; a longer text is split between words, since a node takes no more than 100 000 bytes."""
_LONGEST_LINE = 16 << 20
_LOOK = 64 << 10
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")


def read_texts(stream: IO[bytes], name: str) -> Iterator[str]:
    """Each text of the stream, white space evened out, none empty.

    Args:
        stream: bytes; it need not be seekable.
        name: the file's name, for errors.

    Raises:
        DamagedError: not UTF-8, not complete, or a line that is not JSON among JSON lines; line or byte is named.
    """
    try:
        look, whole = _looked(_unpacked(stream))
        for text in _texts(look.decode("utf-8", "replace"), _lines(whole, name), name):
            yield from _pieces(" ".join(text.split()))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DamagedError(f"{name} is damaged gzip: {error}", hint="fetch or pack the file again") from error


def read_file(path: Path) -> list[str]:
    """Every text of the file; `-` is standard input.

    All of it is read before anything is done with it, so that a damaged file changes nothing.

    Raises:
        UsageError: the file cannot be read, or there is no text in it.
        DamagedError: as `read_texts`.
    """
    name = "standard input" if path == Path("-") else str(path)
    try:
        with nullcontext(sys.stdin.buffer) if path == Path("-") else path.open("rb") as stream:
            texts = list(read_texts(stream, name))
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror or error}") from error
    if not texts:
        raise UsageError(f"there is no text in {name}")
    return texts


class _Joined(io.RawIOBase):
    """What was read to look at it, and then the rest."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


def _looked(stream: IO[bytes]) -> tuple[bytes, io.BufferedReader]:
    head = stream.read(_LOOK)
    return head, io.BufferedReader(_Joined(head, stream), _LOOK)


def _unpacked(stream: IO[bytes]) -> IO[bytes]:
    head, whole = _looked(stream)
    return cast("IO[bytes]", gzip.GzipFile(fileobj=whole)) if head.startswith(b"\x1f\x8b") else whole


def _lines(stream: io.BufferedReader, name: str) -> Iterator[str]:
    position = 0
    while line := stream.readline(_LONGEST_LINE):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            where = position + error.start
            raise DamagedError(
                f"{name} is not UTF-8 at byte {where}", hint="convert it, for example with iconv"
            ) from error
        if "\0" in text:
            raise DamagedError(f"{name} is not text: a zero byte at {position + line.index(0)}")
        yield text if position else text.removeprefix("\ufeff")
        position += len(line)


def _texts(look: str, lines: Iterable[str], name: str) -> Iterator[str]:
    if look.removeprefix("\ufeff").lstrip().startswith("{"):
        return _from_json_lines(lines, name)
    if _BLANK_LINE.search(look):
        return _from_paragraphs(lines)
    return (line for line in lines if line.strip())


def _from_json_lines(lines: Iterable[str], name: str) -> Iterator[str]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            document: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DamagedError(f"{name}, line {number}: not JSON: {error}") from error
        text = document if isinstance(document, str) else _content(document)
        if text is None:
            raise DamagedError(f'{name}, line {number}: no text under "content" or "text"')
        if _NO_TEXT.search(text):
            raise DamagedError(f"{name}, line {number}: half a surrogate pair or a zero character in the text")
        yield text


def _content(document: Any) -> str | None:
    found = document.get("content", document.get("text")) if isinstance(document, dict) else None
    return found if isinstance(found, str) else None


def _from_paragraphs(lines: Iterable[str]) -> Iterator[str]:
    gathered: list[str] = []
    after_blank = True
    for line in lines:
        if not line.strip():
            after_blank = True
            continue
        if after_blank and gathered and not line[0].isspace():
            yield "".join(gathered)
            gathered = []
        gathered.append(line)
        after_blank = False
    yield "".join(gathered)


def _pieces(text: str) -> Iterator[str]:
    while len(text) > LONGEST:
        cut = text.rfind(" ", 1, LONGEST)
        cut = LONGEST if cut < 0 else cut
        yield text[:cut]
        text = text[cut:].lstrip()
    if text:
        yield text
