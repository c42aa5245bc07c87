"""A file that is replaced as a whole, by a rename, once the new one is on the disk; owner, group and mode stay."""

import os
import stat
import tempfile
from pathlib import Path

SUFFIX = ".engram-runbook"
"""No include of nginx takes files that end so."""


def write(path: Path, content: bytes, prefix: str, like: os.stat_result | None) -> None:
    """Put the content there, as the file was that is `like` it; without one it is for the owner and the group.

    Cut off, it leaves at most a file in the same folder that begins with `prefix` and ends with SUFFIX.

    Raises:
        OSError: the disk refused; what was there before still is.
    """
    descriptor, name = tempfile.mkstemp(prefix=prefix, suffix=SUFFIX, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if like is not None and (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), like.st_uid, like.st_gid)
            os.fchmod(file.fileno(), 0o640 if like is None else stat.S_IMODE(like.st_mode))
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(folder: Path) -> None:
    """Make a rename or a removal in it durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
