"""The file of a splitter, replaced as a whole: what was good before stays beside it until the new one is proven."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.engram.ops.plugins.module_utils.split_values import SplitError
from ansible_collections.engram.ops.plugins.module_utils.whole_file import SUFFIX, sync, write

LARGEST_FILE = 8 << 20
WAIT_SECONDS = 60.0
PAUSE_SECONDS = 0.1


def content_of(path: Path) -> str:
    """What stands there; empty where nothing does.

    Raises:
        SplitError: it cannot be read, or is too large to be ours.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        return ""
    except OSError as problem:
        raise SplitError(f"{path} cannot be read: {problem.strerror}", "refused") from None
    if len(content) > LARGEST_FILE:
        raise SplitError(f"{path} is larger than {LARGEST_FILE >> 20} MiB: it is none of ours", "usage")
    return content.decode("utf-8", errors="replace")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Only one of these at a time on this host.

    Raises:
        SplitError: the folder is missing, or another one did not end within WAIT_SECONDS.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as problem:
        raise SplitError(f"the folder {folder} cannot be opened: {problem.strerror}", "usage") from None
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise SplitError("another change of this splitter does not end", "conflict") from None
            time.sleep(PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)


def kept_beside(path: Path) -> Path:
    """Where the good file is kept while a new one is tried."""
    return path.with_name(f".{path.name}.before{SUFFIX}")


class Placing:
    """The new file in the place of the old one, and the way back. After kill -9 the next one finds the good one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept = kept_beside(path)
        for left in path.parent.glob(f".{path.name}.new-*{SUFFIX}"):
            left.unlink()

    @property
    def unfinished(self) -> bool:
        """Was one cut off in the middle?"""
        return self._kept.exists()

    @property
    def kept(self) -> str:
        """What was good before; empty where there was none."""
        return content_of(self._kept)

    def place(self, content: str) -> None:
        """Keep what is good, and put the new one there."""
        if not self.unfinished:
            self._write(self._kept, content_of(self._path))
        self.put(content)

    def put(self, content: str) -> None:
        """Put that there, while what is good is kept."""
        self._write(self._path, content)

    def put_back(self) -> None:
        """What was good before is there again; a file that was not there is gone."""
        if content_of(self._kept):
            self._kept.replace(self._path)
        else:
            self._path.unlink(missing_ok=True)
            self._kept.unlink()
        sync(self._path.parent)

    def done(self) -> None:
        """The new one is good."""
        self._kept.unlink(missing_ok=True)
        sync(self._path.parent)

    def _write(self, path: Path, content: str) -> None:
        like = self._path.stat() if self._path.exists() else None
        write(path, content.encode("utf-8"), f".{self._path.name}.new-", like)
