"""Files that are there whole or not at all, for this user only; and every refusal of the disk in plain words.

Other adapters may use this module; it uses none of them.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeVar

from runbook.errors import StorageError, UsageError

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
DOCUMENT_LIMIT = 64 * 1024 * 1024  # bytes; a document that is larger than this is none of ours

T = TypeVar("T")
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_FREE_SOME = "free some space, then run the command again: nothing was lost"
_WORDS = {
    errno.ENOSPC: ("no space is left on the disk", _FREE_SOME),
    errno.EDQUOT: ("the disk quota is used up", _FREE_SOME),
    errno.EFBIG: ("the file would become larger than is allowed", "raise the limit on file sizes (ulimit -f)"),
    errno.EROFS: ("the file system is read-only", "remount it writable, or choose another state folder"),
    errno.EIO: ("the disk reports an input/output error", "look at the kernel's log (dmesg); the disk may be failing"),
    errno.ELOOP: ("it is a symbolic link, which is not followed here", "put the file itself there"),
    errno.ENOTDIR: ("a part of the path is not a folder", "choose another state folder"),
    errno.EISDIR: ("it is a folder", "move it out of the way"),
}


def refusal(error: OSError, path: Path, doing: str) -> StorageError:
    """The error of the operating system as an error of ours: what could not be done, where, why, and what next."""
    if error.errno in {errno.EACCES, errno.EPERM}:
        return StorageError(f"cannot {doing} {path}: permission denied", hint=_permission_hint(path))
    reason, hint = _WORDS.get(error.errno or 0, (error.strerror or str(error), ""))
    return StorageError(f"cannot {doing} {path}: {reason}", hint=hint)


def _permission_hint(path: Path) -> str:
    for place in (path, *path.parents):
        with suppress(OSError):
            found = place.stat()
            return f"{place} belongs to uid {found.st_uid}, you are uid {os.geteuid()}: enter by sudo -u"
    return f"you are uid {os.geteuid()}"


@contextmanager
def storage(path: Path, doing: str) -> Iterator[None]:
    """Turn every `OSError` inside into a `StorageError` that names the path, the deed and the reason."""
    try:
        yield
    except OSError as error:
        raise refusal(error, path, doing) from error


def safe_name(name: str, what: str) -> str:
    """The name, where it can be a file's name and cannot leave its folder.

    Raises:
        UsageError: it cannot; `what` says whose name it was.
    """
    if not _SAFE_NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a {what}", hint="letters, digits, '_', '-' and '.', at most 100 of them"
        )
    return name


def private_folder(path: Path) -> Path:
    """The folder, made with mode 0700 and a durable name where it is missing; one that is there keeps its mode.

    Raises:
        StorageError: it cannot be made.
    """
    with storage(path, "make the folder"):
        if not path.is_dir():
            made = [path, *(parent for parent in path.parents if not parent.is_dir())]
            path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            for folder in reversed(made):
                sync_folder(folder.parent)
    return path


def write_all(descriptor: int, data: bytes, offset: int) -> None:
    """Write every byte at that place, or raise the `OSError` that stopped it."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def write_atomic(path: Path, data: bytes, mode: int = PRIVATE_FILE) -> None:
    """Put the file there whole and durable, or leave what was there before. A symbolic link is replaced.

    Raises:
        StorageError: the disk refused, or gave back other bytes than it was given.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.draft")
    with storage(path, "write"):
        try:
            _write_draft(draft, data, mode)
            draft.rename(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise
        sync_folder(path.parent)


def _write_draft(draft: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        write_all(descriptor, data, 0)
        os.fsync(descriptor)
        if os.pread(descriptor, len(data) + 1, 0) != data:
            raise OSError(errno.EIO, "what was read back is not what was written")
    finally:
        os.close(descriptor)


@contextmanager
def durable_file(path: Path, mode: int = PRIVATE_FILE) -> Iterator[BinaryIO]:
    """A new file to be written; when the block ends without an error, its bytes are on the disk. Raises `OSError`.

    Its name is durable only once its folder was synced. What was written stays there where the block fails.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as stream:
        yield stream
        stream.flush()
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # what is read back comes from the disk


def write_stream(
    path: Path, write: Callable[[BinaryIO], object], verify: Callable[[BinaryIO], T], mode: int = PRIVATE_FILE
) -> T:
    """Like `write_atomic`, for what is too large to be held: `verify` reads it back before it takes its name.

    Returns:
        What `verify` found.

    Raises:
        StorageError: the disk refused.
        Whatever `write` and `verify` raise; then what was there before is still there.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.draft")
    with storage(path, "write"):
        try:
            with durable_file(draft, mode) as stream:
                write(stream)
            with os.fdopen(open_regular(draft), "rb") as stream:
                found = verify(stream)
            draft.rename(path)
        except BaseException:
            with suppress(OSError):
                draft.unlink()
            raise
        sync_folder(path.parent)
    return found


def sync_folder(folder: Path) -> None:
    """Make the names in the folder durable; raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_regular(path: Path, flags: int = os.O_RDONLY) -> int:
    """A descriptor of a regular file, never of what a symbolic link points to, never of a pipe that would hang.

    Raises:
        FileNotFoundError: there is nothing of that name.
        OSError: it cannot be opened, or is no regular file.
    """
    descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, PRIVATE_FILE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file")
    return descriptor


def read_document(path: Path, limit: int = DOCUMENT_LIMIT) -> bytes | None:
    """The bytes of the file, or None where there is none.

    Raises:
        StorageError: it cannot be read, is no regular file, or is larger than `limit` bytes.
    """
    with storage(path, "read"):
        try:
            descriptor = open_regular(path)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise StorageError(f"cannot read {path}: it is larger than {limit} bytes, which no such document is")
    return data
