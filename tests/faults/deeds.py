"""What the adapters do on the disk, each as a command that a sweep can stop anywhere: `NAME FOLDER`."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from archive_records import ABOUT, dual, episode, header, residue

from runbook.adapters.archives.backups import create_backup, lines_of
from runbook.adapters.archives.exports import write_export
from runbook.adapters.cell_store import FileCellStore
from runbook.adapters.clock import SystemClock
from runbook.adapters.evidence_shelf import FolderShelf
from runbook.adapters.files import storage, write_atomic
from runbook.adapters.journal import FileJournal
from runbook.adapters.journal.redaction import clean
from runbook.adapters.journal.second import SecondPlace
from runbook.errors import RunbookError
from runbook.model.bundle import CONTENTS
from runbook.model.cells import CONTROL, Cell, NodeCells
from runbook.model.journal import Event
from runbook.sandbox.engine import Engine

OLD, NEW = b"old" * 700, b"new" * 900
LATER = "2026-11-23T17:00:00.000000Z"


def tell(number: int) -> None:
    """From here on it is a promise."""
    os.write(1, b"acknowledged %d\n" % number)


def document(folder: Path) -> None:
    """A document, atomically."""
    write_atomic(folder / "document", NEW)
    tell(1)


def export(folder: Path) -> None:
    """An export file."""
    write_export(folder / "data.json", header("dual_memory"), dual())
    tell(1)


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


def rows_of(bucket: int) -> NodeCells:
    """A reading of twenty spaces."""
    sums = (3, 3.0, 4.0, 0, 1, 2, 1.0, 0.75)
    return NodeCells("a", 2, tuple(Cell("a", bucket, 2, f"space-{at}", CONTROL, *sums) for at in range(20)))


def cells(folder: Path) -> None:
    """What was read off a node is kept beside what was read before."""
    store = FileCellStore(folder, "prod")
    store.add([rows_of(4)])
    tell(1)
    store.add([rows_of(6)])
    tell(2)


def first_cells(folder: Path) -> None:
    """The same, where there is no file yet."""
    cells(folder)


ABOUT_EVIDENCE = {"name": "r1-000009", "tool": "0", "rollout": "r1", "target": "prod", "why": "", "written_at": ""} | {
    "journal": {"first": 1, "last": 9, "head": "", "waiting": 0}
}


def evidence(folder: Path) -> None:
    """A bundle of evidence is put beside an earlier one."""
    files = {name: {"filling": "x" * 900} for name in CONTENTS if name.endswith(".json")}
    lines = {name: [b"y" * 500 + b"\n"] * 3 for name in CONTENTS if name.endswith(".jsonl")}
    FolderShelf(folder, clean).keep(ABOUT_EVIDENCE, files, lines)
    tell(1)


def journal_in(folder: Path) -> FileJournal:
    """The journal of that folder."""
    state = folder / "state"
    return FileJournal(state, SystemClock(), "anna", "bastion", second=SecondPlace(state, [folder / "second"]))


def entries(folder: Path, *, told: bool = True) -> None:
    """Two entries, each told once it is acknowledged."""
    journal = journal_in(folder)
    for number in range(2):
        entry = journal.append(Event.STEP_INTENT, "run-1", {"step": number, "filling": "x" * 900})
        if told:
            tell(entry.seq)


def half(folder: Path) -> None:
    """What a process leaves that was killed in the middle of an append."""
    descriptor = os.open(folder / "state" / "journal.jsonl", os.O_RDWR)
    os.pwrite(descriptor, b'{"seq":3,"prev":"' + b"0" * 600, os.fstat(descriptor).st_size)


def set_aside(folder: Path) -> None:
    """A damaged journal is set aside."""
    journal_in(folder).set_aside("test")
    tell(1)


def rescued(folder: Path) -> None:
    """An entry goes to the second place."""
    journal_in(folder).rescue(Event.STEP_INTENT, "rescued", {"step": 1}, "test")
    tell(0)


@contextmanager
def node(folder: Path) -> Iterator[Engine]:
    """The node's engine: all of a node but its HTTP."""
    with storage(folder / "node", "start a node in"):  # its own process would end with the error in its log
        engine = Engine(folder / "node")
    yield engine
    engine.close()


def start(folder: Path) -> None:
    """A node starts, and ends."""
    with node(folder):
        pass


def fill(folder: Path) -> None:
    """A node takes an archive in, beside what it serves."""
    with node(folder) as engine:
        engine.holdings.fill([(folder / "archive").read_bytes()])


def activate(folder: Path) -> None:
    """And serves it."""
    with node(folder) as engine:
        engine.activate("g2", engine.store.sequence)


def go_back(folder: Path) -> None:
    """And serves again what it served before."""
    with node(folder) as engine:
        engine.activate("g1", engine.store.sequence)


def drop(folder: Path) -> None:
    """And lets go of the other one."""
    with node(folder) as engine:
        engine.holdings.drop("g2")


NODE_STEPS = (fill, activate, go_back, drop)
DEEDS: Mapping[str, Callable[[Path], None]] = {
    each.__name__: each
    for each in (
        *(document, export, packed_export, backup, next_backup),
        *(cells, first_cells, evidence),
        *(entries, half, set_aside, rescued),
        *(start, *NODE_STEPS),
    )
}


def main(name: str, arguments: list[str]) -> int:
    """The exit code; errors are told as the command line tells them."""
    try:
        DEEDS[name](Path(arguments[0]))
    except RunbookError as error:
        with suppress(OSError):
            sys.stderr.write(f"runbook: {error.message}\n  hint: {error.hint or 'see the log'}\n")
        return error.code
    return 0
