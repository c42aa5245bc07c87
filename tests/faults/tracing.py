"""What a traced process did to the disk, as a list of deeds that can be done again, and lost, elsewhere.

The trace is strace's, of the real module: `strace -f -y -xx`. Descriptors, offsets and folders are followed as the
kernel does.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_FOLLOWED = (
    *("open", "openat", "creat", "lseek", "dup", "dup2", "dup3", "fcntl", "write", "pwrite64", "writev", "pwritev"),
    *("truncate", "ftruncate", "fallocate", "copy_file_range", "sendfile", "fsync", "fdatasync", "sync_file_range"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat"),
    *("mkdir", "mkdirat", "rmdir"),
)
OPTIONS = ("-xx", "-s", "1000000", "-e", "trace=" + ",".join(f"?{name}" for name in _FOLLOWED))
"""Of strace."""
_CALL = re.compile(r"\d+ +(\w+)\((.*)\) += (-?\d+)")
_WORD = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?|([^\s,"<>]+)(?:<((?:[^>\\]|\\x[0-9a-f]{2})*)>)?')
_UNREADABLE = {"writev", "pwritev", "copy_file_range", "sendfile", "fallocate", "sync_file_range", "truncate"}


@dataclass(frozen=True, slots=True)
class Made:
    """A name is given to a new file, or a new folder."""

    path: str
    folder: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes at a place of a file."""

    path: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A file gets that size."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """A file's bytes, or a folder's names, are durable from here on."""

    path: str


@dataclass(frozen=True, slots=True)
class Named:
    """A file or folder has another name; with `both` it keeps the old one as well."""

    path: str
    new: str
    both: bool = False


@dataclass(frozen=True, slots=True)
class Removed:
    """A name is gone."""

    path: str


@dataclass(frozen=True, slots=True)
class Told:
    """What the process told the outside world: from here on it is a promise."""

    text: str


Deed = Made | Written | Cut | Synced | Named | Removed | Told


def deeds_of(trace: Sequence[str], root: Path) -> list[Deed]:
    """What was done below the folder `root`, by a process of one thread; paths are relative to it."""
    reader = _Reader(str(root))
    found = []
    for line in trace:
        call = _CALL.match(line)
        if call is None:
            assert "unfinished" not in line, line
            continue
        name, arguments, result = call[1], list(_words(call[2])), int(call[3])
        if result >= 0:
            found += reader.read(name, arguments, result)
    return found


def _words(text: str) -> Iterator[tuple[str | bytes, str]]:
    """Each argument: the bytes of a string or the word, and the path of a descriptor."""
    for found in _WORD.finditer(text):
        if found[3] is None:
            assert not found[2], "a string was shortened"
            yield bytes.fromhex(found[1].replace("\\x", "")), ""
        else:
            path = found[4] or ""
            yield found[3], bytes.fromhex(path.replace("\\x", "")).decode() if "\\x" in path else path


class _Reader:
    def __init__(self, root: str) -> None:
        self._root = root
        self._open: dict[int, str] = {}
        self._offsets: dict[int, int] = {}
        self._there: set[str] = set()

    def read(self, name: str, words: list[tuple[str | bytes, str]], result: int) -> list[Deed]:
        assert name not in _UNREADABLE, f"{name} is not followed here"
        paths = self._paths(words)
        if name in {"open", "openat"}:
            return self._opened(words, paths[0], result)
        if name in {"mkdir", "mkdirat"}:
            return [Made(path, folder=True) for path in paths if path]
        if name in {"rename", "renameat", "renameat2", "link", "linkat"}:
            return self._named(paths, both="link" in name)
        if name in {"unlink", "unlinkat", "rmdir"}:
            self._there -= set(paths)
            return [Removed(path) for path in paths if path]
        if name in {"symlink", "symlinkat"}:
            raise AssertionError(words)
        return self._by_descriptor(name, words, result)

    def _paths(self, words: list[tuple[str | bytes, str]]) -> list[str]:
        """Each path among the arguments, relative to the root; an empty one lies elsewhere."""
        found, folder = [], ""
        for word, path in words:
            if isinstance(word, bytes):
                found.append(self._below(str(Path(folder) / word.decode(errors="replace"))))
            elif path:
                folder = path
        return found

    def _below(self, path: str) -> str:
        return path[len(self._root) + 1 :] if path.startswith(self._root + "/") else "." if path == self._root else ""

    def _opened(self, words: list[tuple[str | bytes, str]], path: str, descriptor: int) -> list[Deed]:
        self._open.pop(descriptor, None)
        flags = next(str(word) for word, _ in words if isinstance(word, str) and "O_" in word)
        if not path:
            return []
        assert "O_APPEND" not in flags, "appending is not followed here"
        self._open[descriptor], self._offsets[descriptor] = path, 0
        new = "O_CREAT" in flags and ("O_EXCL" in flags or path not in self._there)
        self._there |= {path} if new else set()
        return [Made(path)] if new else [Cut(path, 0)] if "O_TRUNC" in flags else []

    def _named(self, paths: list[str], *, both: bool) -> list[Deed]:
        old, new = paths
        assert bool(old) == bool(new), "it left the folder, or came from outside"
        if not old:
            return []
        self._there.add(new)
        if not both:
            self._there.discard(old)
            self._open = {number: new if path == old else path for number, path in self._open.items()}
        return [Named(old, new, both)]

    def _by_descriptor(self, name: str, words: list[tuple[str | bytes, str]], result: int) -> list[Deed]:
        number = int(str(words[0][0]))
        if name == "write" and number == 1:
            return [Told(bytes(words[1][0]).decode())]  # type: ignore[arg-type]  # the second one is its bytes
        path = self._open.get(number)
        if name in {"dup", "dup2", "dup3", "fcntl"}:
            if path is not None and (name != "fcntl" or "F_DUPFD" in str(words[1][0])):
                self._open[result], self._offsets[result] = path, self._offsets[number]
            return []
        if path is None:
            return []
        if name == "lseek":
            self._offsets[number] = result
        if name in {"write", "pwrite64"}:
            data = words[1][0]
            assert isinstance(data, bytes)
            offset = self._offsets[number] if name == "write" else int(str(words[3][0]))
            self._offsets[number] += result if name == "write" else 0
            return [Written(path, offset, data[:result])]
        if name == "ftruncate":
            return [Cut(path, int(str(words[1][0])))]
        return [Synced(path)] if name in {"fsync", "fdatasync"} else []
