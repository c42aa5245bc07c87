"""Counts the access log of a splitter, line by line: memory does not grow with the log. Knows nothing of Ansible.

Lines may be anything: a client writes part of each. What is no line of ours is counted, and looked at no further.
"""

import gzip
import json
import os
import re
import stat
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

GROUPS = ("control", "treatment")
NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
LONGEST_LINE = 64 << 10
MOST_SPACES = 8000
LARGEST_NAMES = 200_000
"""Letters of all names together: what is collected of one host must stay under half a megabyte."""
FIRST_ERROR = 500
_TIME = b'{"time":'
_ROTATED = re.compile(r"(?:\.[0-9]{1,6}|-[0-9]{8,20})(?:\.gz)?")
_STATUS = re.compile(r"[0-9]{3}")
_ZIPPED = b"\x1f\x8b"
_MOST_FILES = 400
_WHENEVER = float("inf")


class LogError(Exception):
    """The log cannot be read; the message says why."""


class Counting:
    """What was counted so far, of lines from `since` (inclusive) to `until` (exclusive), in seconds since 1970."""

    def __init__(self, since: float = 0.0, until: float = _WHENEVER) -> None:
        self._since, self._until = since, until
        self._letters = 0
        self._rows: dict[str, list[Any]] = {}
        self._unlisted, self._nameless = _by_group(3), _by_group(3)
        self._other = _by_group(2)
        self._mirrored = [0, 0]
        self._newest: float | None = None
        self.lines = self.garbage = self.torn = 0

    def take(self, line: bytes) -> None:
        """One whole line, without its end."""
        self.lines += 1
        at = _time_of(line)
        if at is not None and not self._since <= at < self._until:
            return  # most of a long log: not worth reading
        try:
            self._count(json.loads(line))
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
            self.garbage += 1

    def document(self) -> "dict[str, Any]":
        """All of it. A space: its name, when it was first heard of, and recalls, errors, own errors by group."""
        rows = sorted(([name, *row] for name, row in self._rows.items()), key=lambda row: (row[1], row[0]))
        return {
            "lines": self.lines,
            "garbage": self.garbage,
            "torn": self.torn,
            "newest": self._newest,
            "spaces": rows,
            "unlisted": self._unlisted,
            "nameless": self._nameless,
            "other": self._other,
            "mirrored": self._mirrored,
        }

    def _count(self, found: Any) -> None:
        at, call, group, space = float(found["time"]), found["call"], found["group"], found["space"]
        if group not in GROUPS or not isinstance(space, str) or not _STATUS.fullmatch(found["status"]):
            raise ValueError(group)
        if not self._since <= at < self._until:
            return
        failed = int(found["status"]) >= FIRST_ERROR
        own = failed and not any(letter.isdigit() for letter in found["upstream_seconds"])
        if call == "recall":
            self._recall(space, group, at, failed=failed, own=own)
        elif call == "other":
            _add(self._other[group], 0, failed)
        elif call == "mirror":
            _add(self._mirrored, 0, failed)
        else:
            raise ValueError(call)
        self._newest = at if self._newest is None else max(self._newest, at)

    def _recall(self, space: str, group: str, at: float, *, failed: bool, own: bool) -> None:
        if not NAME.fullmatch(space):
            return _add(self._nameless[group], 0, failed, own)
        row = self._rows.get(space)
        if row is None:
            if len(self._rows) >= MOST_SPACES or self._letters + len(space) > LARGEST_NAMES:
                return _add(self._unlisted[group], 0, failed, own)
            row = self._rows[space] = [at, 0, 0, 0, 0, 0, 0]
            self._letters += len(space)
        row[0] = min(row[0], at)
        return _add(row, 1 + 3 * GROUPS.index(group), failed, own)


def count(path: Path, since: float = 0.0, until: float = _WHENEVER) -> Counting:
    """The log and what was rotated away from it since then.

    Raises:
        LogError: there is none, or it cannot be read.
    """
    counting = Counting(since, until)
    with ExitStack() as stack:
        for file in _opened(path, since, stack):
            _read(file, counting)
    return counting


def _opened(path: Path, since: float, stack: ExitStack) -> "list[IO[bytes]]":
    """The newest first: what is rotated meanwhile is then met twice, and never missed."""
    files: dict[tuple[int, int], IO[bytes]] = {}
    try:
        paths = [path, *_rotated(path)]
        for each in paths:
            try:
                file = stack.enter_context(_at_once(each))
            except FileNotFoundError:
                if each == path and len(paths) == 1:
                    raise
                continue  # rotated in this moment
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise LogError(f"{each} cannot be read: it is no file, and what went through it is gone")
            if each == path or status.st_mtime >= since:
                files.setdefault((status.st_dev, status.st_ino), file)
    except OSError as problem:
        raise LogError(f"{problem.filename or path} cannot be read: {problem.strerror}") from None
    return list(files.values())


def _at_once(path: Path) -> "IO[bytes]":
    """Where a log is a pipe, an open that waits would wait for whoever writes into it."""
    return open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))


def _rotated(path: Path) -> "list[Path]":
    found = {each.name: each for each in path.parent.iterdir() if each.name.startswith(path.name)}
    rotated = [
        each
        for name, each in found.items()
        if _ROTATED.fullmatch(name[len(path.name) :]) and not (each.suffix == ".gz" and each.stem in found)
    ]  # one that is being compressed, or was and the other is still there, is counted once
    return sorted(rotated, key=lambda each: (len(each.name), each.name))[:_MOST_FILES]


def _read(file: "IO[bytes]", counting: Counting) -> None:
    zipped = file.read(2) == _ZIPPED
    file.seek(0)
    try:
        for line in _lines(cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if zipped else file):
            if line is None:
                counting.lines += 1
                counting.garbage += 1
            elif line.endswith(b"\n"):
                counting.take(line[:-1])
            else:
                counting.torn += 1  # is being written, or was cut off
    except (OSError, EOFError, zlib.error):
        counting.torn += 1  # an archive that is not whole


def _lines(file: "IO[bytes]") -> "Iterator[bytes | None]":
    """Every line; None stands for one that is longer than any of ours."""
    while line := file.readline(LONGEST_LINE):
        if len(line) < LONGEST_LINE or line.endswith(b"\n"):
            yield line
            continue
        while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass
        yield None


def _time_of(line: bytes) -> "float | None":
    if not line.startswith(_TIME):
        return None
    try:
        return float(line[len(_TIME) : line.index(b",")])
    except ValueError:
        return None


def _by_group(numbers: int) -> "dict[str, list[int]]":
    return {group: [0] * numbers for group in GROUPS}


def _add(numbers: "list[Any]", at: int, *more: bool) -> None:
    """One call, and what is true of it."""
    for place, true in enumerate((True, *more), at):
        numbers[place] += int(true)
