"""Where an archive goes: standard output, whose reader may leave and whose disk may be full; or a file."""

import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from runbook.adapters.files import refusal
from runbook.archive.packed import PackedWriter
from runbook.cli.streams import abandon_stdout, is_absent, reader_left
from runbook.errors import ExitCode, RunbookError, UsageError

Write = Callable[[bytes], object]


class ReaderLeftError(RunbookError):
    """Whoever read standard output has gone before its end."""

    code = ExitCode.PARTIAL


def refuse_terminal(what: str) -> None:
    """A product of megabytes is nothing to look at.

    Raises:
        UsageError: standard output is a terminal.
    """
    if sys.stdout.isatty():
        raise UsageError(f"{what} is not written to a terminal", hint="-o FILE, or > FILE, or | another command")


def check_place(path: Path) -> None:
    """May a file be put there? A regular file is replaced; so is a symbolic link, not what it points to.

    Raises:
        UsageError: something else is there, such as a device.
    """
    with suppress(OSError):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            raise UsageError(f"{path} is a folder", hint=f"name a file in it: -o {path}/NAME.json")
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise UsageError(f"{path} is no regular file: it would be replaced by one", hint="> FILE writes into it")


def to_stdout(produce: Callable[[Write], object], *, packed: bool) -> None:
    """Have `produce` write to standard output, to the last byte on the disk where that is a file.

    Raises:
        UsageError: it is closed; nothing was begun.
        ReaderLeftError: whoever reads it has gone; what is left unsaid goes nowhere.
        StorageError: the disk refused.
        Whatever `produce` raises.
    """
    if is_absent():
        raise UsageError("standard output is closed: what was asked for has nowhere to go", hint="> FILE")
    out = sys.stdout.buffer
    sent = 0

    def write(data: bytes) -> None:
        nonlocal sent
        out.write(data)
        sent += len(data)
        if reader_left():
            raise ReaderLeftError("whoever reads the output has left", hint="to look at an archive: runbook inspect")

    try:
        packer = PackedWriter(write) if packed else None
        produce(write if packer is None else packer.write)
        if packer is not None:
            packer.finish()
        out.flush()
        write(b"")
        _sync()
    except RunbookError as error:
        if sent:
            error.message += "; what was written is not whole"
        raise
    except OSError as error:
        abandon_stdout()  # Python would try again at the exit
        raise refusal(error, Path("standard output"), "write to") from error


def readable_by_others() -> bool:
    """Is standard output a file that other people can read?"""
    with suppress(OSError, ValueError):
        mode = os.fstat(sys.stdout.fileno()).st_mode
        return stat.S_ISREG(mode) and bool(mode & (stat.S_IRGRP | stat.S_IROTH))
    return False


def _sync() -> None:
    with suppress(ValueError):  # no file at all, as in a test
        descriptor = sys.stdout.fileno()
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fsync(descriptor)
