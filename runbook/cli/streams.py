"""The standard streams as they may really be: closed, left by their reader, full, or of the plainest encoding."""

import io
import os
import sys
from typing import Any, TextIO

_STDOUT = 1
_left: set[int] = set()
_absent: set[int] = set()


class _Output(io.FileIO):
    """Bytes whose reader may leave: what is written after that goes nowhere, and the command still does its work."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            _left.add(self.fileno())
            return memoryview(data).nbytes


class _Talk(_Output):
    """The same, and no other trouble with it stops a run either: there is nobody left to tell."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def prepare() -> None:
    """Make stdin, stdout and stderr streams that can be used whatever the caller gave us.

    A closed one becomes /dev/null, in this order, so that no file of ours is ever opened under the number of one.
    A letter that the encoding does not have is written as an escape.
    """
    for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        if stream is None:
            _absent.add(number)
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this stream's
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = _wrapped(_Output(1, "w", closefd=False), sys.stdout, by_lines=False)
    sys.stderr = _wrapped(_Talk(2, "w", closefd=False), sys.stderr, by_lines=True)


def reader_left() -> bool:
    """Has whoever read stdout gone? What has no other end than its reader ends then."""
    return _STDOUT in _left


def is_absent() -> bool:
    """Was stdout closed when we were started? What is written there goes nowhere."""
    return _STDOUT in _absent


def abandon_stdout() -> None:
    """Send what waits to be written nowhere: the disk has refused it, and Python would try again at the exit."""
    if isinstance(getattr(sys.stdout, "buffer", None), io.BufferedWriter) and sys.stdout.fileno() == 1:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _wrapped(raw: io.FileIO, given: TextIO | None, *, by_lines: bool) -> io.TextIOWrapper:
    encoding = "utf-8" if given is None else given.encoding
    by_lines = by_lines or raw.isatty()
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors="backslashreplace", line_buffering=by_lines)
