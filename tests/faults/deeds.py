"""What the adapters do on the disk, each as a command that a sweep can stop anywhere: `NAME FOLDER`."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from archive_records import ABOUT, dual, episode, header, residue

from runbook.adapters.archives.backups import create_backup, lines_of
from runbook.adapters.archives.exports import write_export
from runbook.adapters.clock import SystemClock
from runbook.adapters.files import write_atomic
from runbook.adapters.journal import FileJournal
from runbook.errors import RunbookError
from runbook.model.journal import Event

OLD, NEW = b"old" * 700, b"new" * 900
LATER = "2026-11-23T17:00:00.000000Z"


def document(folder: Path) -> None:
    """A document, atomically."""
    write_atomic(folder / "document", NEW)


def export(folder: Path) -> None:
    """An export file."""
    write_export(folder / "data.json", header("dual_memory"), dual())


def packed_export(folder: Path) -> None:
    """The same as zstd."""
    write_export(folder / "data.json.zst", header("dual_memory"), dual(), packed=True)


def backup(folder: Path) -> None:
    """A backup with a residue."""
    create_backup(
        folder / "store",
        ABOUT,
        "dual_memory",
        lines_of(dual(), "dual_memory"),
        lines_of(residue(), "residue"),
    )


def next_backup(folder: Path) -> None:
    """A backup that shares what did not change with the one before it."""
    parent = min(path.name for path in (folder / "store").iterdir() if not path.name.startswith("."))
    about = replace(ABOUT, created_at=LATER, snapshot="g1:6", parent=parent)
    records = [*dual()[:1], episode("ep_2", activation=0.75), *dual()[2:]]
    create_backup(
        folder / "store", about, "dual_memory", lines_of(records, "dual_memory"), lines_of(residue(), "residue")
    )


def journal_in(folder: Path) -> FileJournal:
    """The journal of that folder."""
    return FileJournal(folder / "state", SystemClock(), "anna", "bastion")


def entries(folder: Path) -> None:
    """Three entries, each told once it is acknowledged."""
    journal = journal_in(folder)
    for number in range(3):
        entry = journal.append(Event.STEP_INTENT, "run-1", {"step": number, "filling": "x" * 400})
        os.write(1, b"acknowledged %d\n" % entry.seq)


def set_aside(folder: Path) -> None:
    """A damaged journal is set aside."""
    journal_in(folder).set_aside("test")


def rescued(folder: Path) -> None:
    """An entry goes to the second place."""
    journal_in(folder).rescue(Event.STEP_INTENT, "run-1", {"step": 1}, "test")
    os.write(1, b"acknowledged 1\n")


DEEDS: Mapping[str, Callable[[Path], None]] = {
    each.__name__: each for each in (document, export, packed_export, backup, next_backup, entries, set_aside, rescued)
}


def main(name: str, arguments: list[str]) -> int:
    """The exit code; errors are told as the command line tells them."""
    try:
        DEEDS[name](Path(arguments[0]))
    except RunbookError as error:
        sys.stderr.write(f"runbook: {error.message}\n  hint: {error.hint}\n")
        return error.code
    return 0
