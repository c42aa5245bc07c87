"""The follower of a journal: each line once, and the same answers as whoever reads it all."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from journal_maker import make_journal, many

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.adapters.journal import place as places
from runbook.adapters.journal.following import Follower, folds, follower
from runbook.adapters.journal.second import SecondPlace
from runbook.engine.history import runs_of
from runbook.model.journal import Entry, Event
from runbook.model.run import RunStatus

NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture
def follow(folder: Path, tmp_path: Path) -> Callable[[], Follower]:
    """Begin to follow the journal in `folder`."""
    return lambda: Follower(folder, SystemClock(), second=SecondPlace(folder, [tmp_path / "second"]))


def _read_bytes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each look-up of a line takes from the file from now on."""
    taken: list[int] = []
    real = os.pread

    def pread(descriptor: int, length: int, offset: int) -> bytes:
        taken.append(length)
        return real(descriptor, length, offset)

    monkeypatch.setattr(follower.os, "pread", pread)
    return taken


def test_it_knows_what_a_fold_of_the_whole_journal_knows(
    folder: Path, follow: Callable[[], Follower], journal: FileJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every run is the same as `runs_of` makes it, however few are held at once."""
    monkeypatch.setattr(folds, "HELD_RUNS", 3)
    make_journal(folder, many(3000))
    known = follow()
    seen = known.catch_up()
    runs = runs_of(journal.entries())
    assert (seen.entries, seen.sound, seen.complete) == (3000, True, True)
    assert list(known.runs()) == list(runs)
    assert {run: known.run(run) for run in runs} == runs
    assert known.unsettled() == {run: RunStatus.OPEN for run, each in runs.items() if each.status is RunStatus.OPEN}


def test_what_is_appended_is_read_and_nothing_twice(
    folder: Path, follow: Callable[[], Follower], journal: FileJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look reads the one new line; a page of ten entries reads ten lines of ten thousand."""
    make_journal(folder, many(10_000))
    known = follow()
    known.catch_up()
    passed: list[int] = []
    real = follower.walk_on

    def walk_on(stream: object, size: int, at: object) -> object:
        for item in real(stream, size, at):  # type: ignore[arg-type]
            passed.append(item[1].number)
            yield item

    monkeypatch.setattr(follower, "walk_on", walk_on)
    journal.append(Event.RUN_STARTED, "run", {})
    taken = _read_bytes(monkeypatch)
    assert known.catch_up().entries == 10_001
    assert passed == [10_001]
    taken.clear()
    page = known.newest(10, event=Event.ROLLOUT_CHECKED)
    assert [found.entry.event for found in page if found.entry] == [Event.ROLLOUT_CHECKED] * 10
    assert len(taken) == 10
    assert sum(taken) == sum(len(found.raw) for found in page)


def test_entries_are_found_by_number_event_and_run(folder: Path, follow: Callable[[], Follower]) -> None:
    """Newest first, below a number; both filters at once; none where there is none."""
    make_journal(folder, many(100))
    known = follow()
    known.catch_up()
    assert [found.seq for found in known.newest(3, below=50)] == [49, 48, 47]
    found = known.entry(1)
    assert found is not None
    assert found.entry is not None
    run = found.entry.run
    assert [each.seq for each in known.newest(10, run=run)] == [3, 2, 1]
    assert [each.seq for each in known.newest(10, run=run, event=Event.STEP_INTENT)] == [2]
    assert known.newest(10, run="nobody") == []
    assert known.newest(10, event=Event.ALERT_ACTED) == []
    assert known.entry(101) is None


def _no_journal(folder: Path) -> None:
    folder.mkdir(parents=True)


def _torn(folder: Path) -> None:
    make_journal(folder, many(20))
    with (folder / "journal.jsonl").open("ab") as file:
        file.write(b'{"seq":21,"prev":"')


def _edited(folder: Path) -> None:
    make_journal(folder, many(20))
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b"alert 1", b"alert 9", 1))


def _cut(folder: Path) -> None:
    make_journal(folder, many(20))
    path = folder / "journal.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-2]))


def _without_key(folder: Path) -> None:
    make_journal(folder, many(20))
    (folder / "journal.key").unlink()


@pytest.mark.parametrize("state", [_no_journal, _torn, _edited, _cut, _without_key], ids=lambda each: each.__name__)
def test_it_finds_what_verify_finds(
    state: Callable[[Path], None], folder: Path, follow: Callable[[], Follower], journal: FileJournal
) -> None:
    """A journal that is absent, torn, edited, cut or without its key: the same damage, at the same line and byte."""
    state(folder)
    seen, verified = follow().catch_up(), journal.verify()
    assert (seen.damage, seen.torn, seen.entries) == (verified.damage, verified.torn, verified.entries)
    assert seen.complete


def test_a_torn_end_that_is_set_aside_is_followed(
    folder: Path, follow: Callable[[], Follower], journal: FileJournal
) -> None:
    """The next append cuts it off and says so; the follower goes on behind it."""
    _torn(folder)
    known = follow()
    assert known.catch_up().torn
    journal.append(Event.RUN_STARTED, "run", {})
    seen = known.catch_up()
    assert (seen.torn, seen.entries, seen.sound, seen.generation) == ("", 22, True, 0)


@pytest.mark.parametrize("same_file", [True, False])
def test_another_journal_in_its_place_is_begun_anew(
    folder: Path, follow: Callable[[], Follower], *, same_file: bool
) -> None:
    """Rewritten in place or replaced by another file: nothing of the old one is told any more."""
    make_journal(folder, many(50))
    known = follow()
    known.catch_up()
    if not same_file:
        (folder / "journal.jsonl").rename(folder / "kept")
    make_journal(folder, (each for each in many(60) if each.seq <= 10))
    seen = known.catch_up()
    assert (seen.entries, seen.generation, seen.sound) == (10, 1, True)
    assert known.entry(11) is None


def test_a_journal_set_aside_is_told_by_the_new_one(
    folder: Path, follow: Callable[[], Follower], journal: FileJournal
) -> None:
    """After `audit set-aside` the page shows the new journal, which is sound."""
    _edited(folder)
    known = follow()
    assert not known.catch_up().sound
    journal.set_aside("edited by hand")
    seen = known.catch_up()
    assert (seen.entries, seen.sound) == (1, True)


def test_what_waits_in_the_second_place_counts(
    folder: Path, tmp_path: Path, follow: Callable[[], Follower], journal: FileJournal
) -> None:
    """A run's end that the journal refused is seen before it is adopted, and once afterwards."""
    make_journal(folder, many(3))
    second = SecondPlace(folder, [tmp_path / "second"])
    writer = FileJournal(folder, SystemClock(), "anna", "bastion", second=second)
    known = follow()
    known.catch_up()
    (run,) = known.runs()
    writer.rescue(Event.RUN_ENDED, run, {"status": "recovered", "exit_code": 0}, "no space")
    assert [each.event for each in known.catch_up().waiting] == [Event.RUN_ENDED]
    told = known.run(run)
    assert told is not None
    assert told.status is RunStatus.RECOVERED
    writer.adopt()
    seen = known.catch_up()
    assert (seen.waiting, seen.entries, known.unsettled()) == ((), 4, {})


def test_no_permission_is_said_and_what_was_known_stays(
    folder: Path, follow: Callable[[], Follower], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal that may not be read any more: its trouble is told, and pages still show what was read."""
    make_journal(folder, many(20))
    known = follow()
    known.catch_up()

    def refused(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(places, "open_regular", refused)
    seen = known.catch_up()
    assert "permission denied" in seen.trouble
    assert (seen.entries, len(known.newest(30))) == (20, 20)


def test_an_entry_that_means_nothing_stops_nobody(
    folder: Path, follow: Callable[[], Follower], journal: FileJournal
) -> None:
    """An entry without what its event has to say is named, and the next ones are folded."""
    journal.append(Event.RUN_STARTED, "run-1", {"reason": "no plan"})
    journal.append(Event.ROLLOUT_STARTED, "rollout-1", {"target": 7})
    journal.append(Event.VALIDATED, "", {"target": "production"})
    known = follow()
    seen = known.catch_up()
    assert [told.split(":")[0] for told in seen.unfolded] == ["entry 1, run.started", "entry 2, rollout.started"]
    assert known.last(Event.VALIDATED, "production") is not None
    assert known.targets() == ["production"]


def test_runs_that_undo_each_other_in_a_circle_hang_nobody(folder: Path, follow: Callable[[], Follower]) -> None:
    """No tool writes such a journal; whoever reads one comes to an end."""

    def entries() -> Iterator[Entry]:
        told = next(many(1)).details["plan"]
        for seq, (run, undoes) in enumerate((("a", "b"), ("b", "a"), ("c", "c")), 1):
            plan = {**told, "id": run, "undoes": undoes}
            yield Entry(2 * seq - 1, NOW, Event.RUN_STARTED, run, "anna", "bastion", {"plan": plan})
            yield Entry(2 * seq, NOW, Event.RUN_ENDED, run, "anna", "bastion", {"status": "done", "exit_code": 0})

    make_journal(folder, entries())
    known = follow()
    assert known.catch_up().unfolded == ()
    assert list(known.runs()) == ["a", "b", "c"]
