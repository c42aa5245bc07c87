"""Kills a process before, in the middle of and after each call that changes the disk; prints what did not survive.

A program and not a test, since it forks: `python crash_everywhere.py FOLDER`. Its last line says how many
crashes were survived.
"""

import itertools
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.adapters.journal.head import RECORD_LENGTH
from runbook.errors import DamagedError
from runbook.model.journal import Event

CALLS = ("pwrite", "fdatasync", "fsync", "ftruncate", "rename", "link", "open")


def journal_in(folder: Path) -> FileJournal:
    """The journal of that folder."""
    return FileJournal(folder, SystemClock(), "anna", "bastion")


def append(folder: Path) -> None:
    """One more entry."""
    journal_in(folder).append(Event.STEP_INTENT, "run-2", {"step": 1})


def prepare_nothing(folder: Path) -> None:
    """No journal was ever begun."""
    del folder


def prepare_three(folder: Path) -> None:
    """Three entries."""
    for _ in range(3):
        journal_in(folder).append(Event.STEP_INTENT, "run-1", {})


def prepare_torn(folder: Path) -> None:
    """Three entries and a torn one."""
    prepare_three(folder)
    with (folder / "journal.jsonl").open("ab") as stream:
        stream.write(b'{"seq":4,"prev":"')


def prepare_damaged(folder: Path) -> None:
    """A journal that was cut to nothing."""
    prepare_three(folder)
    (folder / "journal.jsonl").write_bytes(b"")


def set_aside(folder: Path) -> None:
    """The way out of damage."""
    journal_in(folder).set_aside("test")


def kill_at(number: int, *, partly: bool) -> None:
    """From the call `number` on there is no process; with `partly` half of that call's bytes are written.

    The head is written whole or not at all: it lies within one sector, and one page, of its file.
    """
    counter = itertools.count()

    def wrap(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            if next(counter) == number:
                if partly and real is pwrite and len(args[1]) != RECORD_LENGTH:
                    pwrite(args[0], bytes(args[1])[: len(args[1]) // 2], args[2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return call

    pwrite = os.pwrite
    for name in CALLS:
        setattr(os, name, wrap(getattr(os, name)))


def survives(folder: Path, before: int) -> bool:
    """All earlier entries are there, and the next append works (after setting a damaged journal aside)."""
    journal = journal_in(folder)
    try:
        if len(list(journal.entries())) < before:
            return False
    except DamagedError:
        if before:
            return False
        journal.set_aside("the crash came in the middle of setting aside")
    append(folder)
    return journal.verify().sound and journal.verify().torn == ""


def sweep(folder: Path, prepare: Callable[[Path], None], act: Callable[[Path], None], before: int) -> int:
    """How many crashes were survived; ends when the act is through before the kill."""
    survived = 0
    for partly in (False, True):
        for number in itertools.count():
            shutil.rmtree(folder, ignore_errors=True)
            prepare(folder)
            child = os.fork()
            if child == 0:
                kill_at(number, partly=partly)
                act(folder)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            if not survives(folder, before):
                sys.exit(f"{prepare.__name__}, {act.__name__}: the crash at call {number} was not survived")
            if os.WIFEXITED(status):
                if os.WEXITSTATUS(status):
                    sys.exit(f"{prepare.__name__}, {act.__name__} failed by itself")
                break
            survived += 1
    return survived


if __name__ == "__main__":
    state = Path(sys.argv[1]) / "state"
    print(  # noqa: T201 - a program's product
        sweep(state, prepare_nothing, append, 0)
        + sweep(state, prepare_three, append, 3)
        + sweep(state, prepare_torn, append, 3)
        + sweep(state, prepare_damaged, set_aside, 0)
    )
