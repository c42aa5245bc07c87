"""Power cuts, for what writes documents and for the journal: a recorded trace is replayed on a disk that forgets.

And the proof that this would notice: without any one of their syncs it turns red.
"""

import ast
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import deeds
import pytest
from killing import ALL, Runner
from losing import Disk, put, seen
from tracing import OPTIONS, Deed, Told, deeds_of

import runbook
from runbook.adapters.archives.exports import opened_export
from runbook.adapters.files import read_document
from runbook.errors import RunbookError
from runbook.model.journal import Event

Report = Callable[[object], None]
Check = Callable[[Path, set[int]], None]
STATES = 4000 if ALL else 24  # after each deed, at most
PRODUCT = Path(runbook.__file__).parent
MODULES = [PRODUCT / "adapters/files.py", *sorted((PRODUCT / "adapters/journal").glob("*.py"))]


class LostError(AssertionError):
    """A promise was not kept."""


def old_or_new(place: Path, told: set[int]) -> None:
    """The document is one of the two, and the new one once that was told."""
    found = read_document(place / "document")
    if found not in ({deeds.NEW} if told else {deeds.OLD, deeds.NEW}):
        raise LostError(f"the document is {found!r:.60}")


def absent_or_whole(place: Path, told: set[int]) -> None:
    """The export is there once that was told, and never half."""
    if not (place / "data.json").exists():
        if told:
            raise LostError("the export is gone")
        return
    with opened_export(place / "data.json") as reader:
        reader.read()


def kept(place: Path, told: set[int]) -> None:
    """The journal reads, holds what was there and what was told, and takes the next entry."""
    journal = deeds.journal_in(place)
    before = {1, 2} if (place / "old").exists() else set()
    found = list(journal.entries())
    there = {entry.seq for entry in found if entry.event in {Event.STEP_INTENT, Event.JOURNAL_TORN}}
    there |= {0 for entry in found if entry.event is Event.JOURNAL_ADOPTED} | {0 for _ in journal.waiting()}
    there |= {entry.seq for entry in found}
    if not told | before <= there:
        raise LostError(f"entries {told | before} were acknowledged, {there} are there")
    journal.append(Event.STEP_INTENT, "after", {})
    if not journal.verify().sound or list(journal.entries())[: len(found)] != found:
        raise LostError(f"after the next entry: {journal.verify()}")


def set_aside(place: Path, told: set[int]) -> None:
    """What was damaged is still there under some name; once it was told, a sound journal names it."""
    wanted = (place / "old").read_bytes()
    journal = deeds.journal_in(place)
    if not journal.verify().sound:
        if told:
            raise LostError("the journal is damaged still")
        journal.set_aside("again")  # perhaps of what was just begun, which names what was set aside first
    elif told and (place / "state" / next(journal.entries()).details["set_aside"]).read_bytes() != wanted:
        raise LostError("the journal does not know what was set aside")
    if not journal.verify().sound or not any(
        path.read_bytes() == wanted for path in (place / "state").glob("journal*.jsonl")
    ):
        raise LostError("the damaged journal is gone")


@dataclass(frozen=True)
class Case:
    """What is done, from what, and what has to be true after a power cut at any moment of it."""

    prepare: Callable[[Path], None]
    runs: Sequence[tuple[str, Sequence[str]]]
    check: Check


def nothing(folder: Path) -> None:
    """An empty folder."""


def old_document(folder: Path) -> None:
    """A document."""
    (folder / "document").write_bytes(deeds.OLD)


def two_entries(folder: Path) -> None:
    """A journal of two entries."""
    deeds.entries(folder, told=False)
    (folder / "old").touch()


def damaged_journal(folder: Path) -> None:
    """A journal that lost its second entry."""
    deeds.entries(folder, told=False)
    journal = folder / "state" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().splitlines(keepends=True)[0])
    (folder / "old").write_bytes(journal.read_bytes())


KILLED = ("-e", "inject=fdatasync:signal=SIGKILL:when=1")
CASES: Mapping[str, Case] = {
    "a document": Case(old_document, [("document", ())], old_or_new),
    "an export": Case(nothing, [("export", ())], absent_or_whole),
    "a journal begun": Case(nothing, [("entries", ())], kept),
    "entries": Case(two_entries, [("entries", ())], kept),
    "entries after a kill": Case(two_entries, [("entries", KILLED), ("entries", ())], kept),
    "entries after a torn one": Case(two_entries, [("half", ()), ("entries", ())], kept),
    "an entry rescued and adopted": Case(two_entries, [("rescued", ()), ("entries", ())], kept),
    "a journal set aside": Case(damaged_journal, [("set_aside", ())], set_aside),
}


def recorded(forks: Runner, case: Case, place: Path, **more: object) -> tuple[Disk, list[Deed]]:
    """The disk before, and what the real code did, in this very place."""
    put({}, place)
    case.prepare(place)
    disk = Disk(place)
    calls = []
    for name, options in case.runs:
        ran = forks.run([name, str(place)], place, *OPTIONS, *options, **more)
        killed = ran.code == -9 if options and not more else ran.code in {0, -9}  # a removed sync is no place to die
        assert killed if options else ran.code == 0, ran.err
        calls += ran.calls
    return disk, deeds_of(calls, place)


def lost(case: Case, disk: Disk, done: Sequence[Deed], place: Path) -> tuple[int, str]:
    """How many states were looked at, and the first broken promise."""
    told: set[int] = set()
    looked: set[tuple[bytes, int]] = set()
    for number, deed in enumerate([Told(""), *done]):
        disk.do(deed)
        if isinstance(deed, Told):
            told |= {int(word) for word in deed.text.split() if word.isdigit()}
        for tree in disk.states(STATES, number):
            state = seen(tree), len(told)
            if state in looked:
                continue
            looked.add(state)
            put(tree, place)
            try:
                case.check(place, told)
            except (LostError, RunbookError) as error:
                return len(looked), f"after {number} of {len(done)} deeds, {deed!r:.120}: {error!r}"
    return len(looked), ""


@pytest.mark.parametrize("name", CASES)
def test_a_power_cut_at_any_moment_costs_nothing_that_was_promised(
    forks: Runner, place: Path, report: Report, name: str
) -> None:
    """Un-synced writes and names lost, torn or reordered: the real reader finds old or new, and all that was told."""
    disk, done = recorded(forks, CASES[name], place)
    states, broken = lost(CASES[name], disk, done, place)
    assert not broken
    assert states > 5
    report(f"power cut, {name}: {states} states after {len(done)} deeds")


def syncs() -> list[tuple[Path, int, str]]:
    """Every statement that syncs: its file, its line and its text."""
    found = []
    for path in MODULES:
        source = path.read_text()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                function = node.value.func
                name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                if name in {"fsync", "fdatasync", "sync_folder"}:
                    found.append((path, node.lineno, ast.get_source_segment(source, node) or ""))
    return found


@pytest.mark.parametrize("removed", [pytest.param(each, id=f"{each[0].stem}-{each[2]}-{each[1]}") for each in syncs()])
def test_a_removed_sync_turns_it_red(
    forks: Runner, place: Path, tmp_path: Path, report: Report, removed: tuple[Path, int, str]
) -> None:
    """The same replay of the same code without that one statement finds a broken promise."""
    path, line, text = removed
    copied = tmp_path / "runbook"
    shutil.copytree(PRODUCT, copied, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("schemas", "migrations", "playbooks"):
        (tmp_path / name).symlink_to(PRODUCT.parent / name)
    lines = path.read_text().splitlines(keepends=True)
    assert text in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(text, "pass")
    (copied / path.relative_to(PRODUCT)).write_text("".join(lines))
    likely = {"aside": "a journal set aside", "second": "an entry rescued and adopted", "tail": "entries after a kill"}
    for name, case in sorted(CASES.items(), key=lambda each: each[0] != likely.get(path.stem)):
        disk, done = recorded(forks, case, place, instead=str(tmp_path))
        states, broken = lost(case, disk, done, place)
        if broken:
            report(f"without {text} in {path.stem}: {name}, found in state {states}")
            return
    pytest.fail(f"nothing needs {text} in line {line} of {path}")
