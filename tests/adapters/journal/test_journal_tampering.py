"""Nothing can be done to the journal's files that is not found."""

import hashlib
import os
import tempfile
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.errors import DamagedError
from runbook.model.journal import Event

MASKS = (0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF)


def lines_of(folder: Path) -> list[bytes]:
    """The lines of the journal in that folder."""
    return (folder / "journal.jsonl").read_bytes().splitlines(keepends=True)


def put(folder: Path, lines: list[bytes]) -> None:
    """Make these the lines of the journal."""
    (folder / "journal.jsonl").write_bytes(b"".join(lines))


def damage_of(journal: FileJournal) -> list[tuple[int, int, str]]:
    """What verify finds."""
    return [(each.line, each.byte, each.what) for each in journal.verify().damage]


@pytest.mark.parametrize("name", ["journal.jsonl", "journal.head", "journal.key"])
def test_every_flipped_bit_of_every_byte_is_found(written: FileJournal, folder: Path, name: str) -> None:
    """100 % of all single-bit flips, and of all complements, in the journal, its head and its key; newlines too."""
    path = folder / name
    whole = path.read_bytes()
    missed = []
    descriptor = os.open(path, os.O_WRONLY)
    for place in range(len(whole)):
        for mask in MASKS:
            os.pwrite(descriptor, bytes([whole[place] ^ mask]), place)
            if written.verify().sound:
                missed.append((place, mask))
        os.pwrite(descriptor, whole[place : place + 1], place)
    os.close(descriptor)
    assert missed == []
    assert written.verify().sound


@pytest.mark.parametrize("name", ["journal.jsonl", "journal.head", "journal.key"])
def test_every_cut_is_found(written: FileJournal, folder: Path, name: str) -> None:
    """At every byte."""
    path = folder / name
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert not written.verify().sound, size


@pytest.mark.parametrize("name", ["journal.jsonl", "journal.head", "journal.key"])
def test_a_file_that_was_taken_away_is_found_and_nothing_is_appended(
    written: FileJournal, folder: Path, name: str
) -> None:
    """Neither of the three files can go unnoticed."""
    (folder / name).unlink()
    assert not written.verify().sound
    with pytest.raises(DamagedError):
        written.append(Event.STEP_INTENT, "run-2", {})
    with pytest.raises(DamagedError):
        list(written.entries())


def test_a_journal_emptied_together_with_its_head_is_found(written: FileJournal, folder: Path) -> None:
    """The key tells that there was one."""
    (folder / "journal.jsonl").unlink()
    (folder / "journal.head").unlink()
    assert not written.verify().sound


def test_an_edited_line_is_named_with_its_place(written: FileJournal, folder: Path) -> None:
    """By file, line and byte."""
    lines = lines_of(folder)
    put(folder, [lines[0], lines[1].replace(b"0.05", b"0.50"), lines[2]])
    ((line, byte, what),) = damage_of(written)
    assert (line, byte) == (2, len(lines[0]))
    assert "edited" in what
    with pytest.raises(DamagedError, match=rf"journal\.jsonl.*line 2, byte {len(lines[0])}"):
        list(written.entries())


def test_a_removed_line_is_named(written: FileJournal, folder: Path) -> None:
    """With how many are missing."""
    lines = lines_of(folder)
    put(folder, [lines[0], lines[2]])
    assert "it is entry 3: 1 entries before it are missing" in damage_of(written)[0][2]


def test_reordered_lines_are_named(written: FileJournal, folder: Path) -> None:
    """Both of them."""
    lines = lines_of(folder)
    put(folder, [lines[0], lines[2], lines[1]])
    assert [line for line, _, _ in damage_of(written)] == [2, 3]


def test_a_repeated_line_is_named(written: FileJournal, folder: Path) -> None:
    """The second one."""
    lines = lines_of(folder)
    put(folder, [lines[0], lines[1], lines[1], lines[2]])
    ((line, _, what),) = damage_of(written)
    assert line == 3
    assert "further up" in what


def test_a_line_of_another_journal_is_named_as_spliced(written: FileJournal, folder: Path, tmp_path: Path) -> None:
    """It fits its own hash, and not the line before."""
    other = FileJournal(tmp_path / "other", SystemClock(), "anna", "bastion")
    for _ in range(3):
        other.append(Event.STEP_INTENT, "run-9", {})
    mine, theirs = lines_of(folder), lines_of(tmp_path / "other")
    put(folder, [mine[0], theirs[1], mine[2]])
    assert [line for line, _, _ in damage_of(written)] == [2, 3]
    assert "spliced" in damage_of(written)[0][2]


def test_a_cut_tail_is_found_by_the_sealed_head(written: FileJournal, folder: Path) -> None:
    """The chain alone could not tell."""
    put(folder, lines_of(folder)[:-1])
    ((line, _, what),) = damage_of(written)
    assert line == 0
    assert "cut off" in what
    with pytest.raises(DamagedError):
        written.append(Event.STEP_INTENT, "run-2", {})


def test_a_chain_forged_anew_from_the_first_line_on_does_not_fit_the_head(written: FileJournal, folder: Path) -> None:
    """Whoever has not the key can make every hash fit, but not the seal."""
    forged, prev = [], "0" * 64
    for raw in lines_of(folder):
        document = orjson.loads(raw) | {"prev": prev, "who": "nobd"}
        del document["hash"]
        body = orjson.dumps(document)[:-1]
        prev = hashlib.sha256(body).hexdigest()
        forged.append(body + f',"hash":"{prev}"}}\n'.encode())
    put(folder, forged)
    ((line, _, what),) = damage_of(written)
    assert line == 0
    assert "no such entry" in what
    with pytest.raises(DamagedError):
        written.append(Event.STEP_INTENT, "run-2", {})


@pytest.mark.parametrize("garbage", [b"\n", b"{}\n", b"\x00" * 100 + b"\n", b'{"seq":4}\n', b"x" * 200 + b"\n"])
def test_a_garbage_line_behind_the_end_is_damage_and_stops_appending(
    written: FileJournal, folder: Path, garbage: bytes
) -> None:
    """Only bytes without a newline can come from a crash."""
    put(folder, [*lines_of(folder), garbage])
    assert [line for line, _, _ in damage_of(written)] == [4]
    with pytest.raises(DamagedError, match="line 4"):
        written.append(Event.STEP_INTENT, "run-2", {})


def test_a_changed_newline_of_a_line_behind_the_head_is_damage_and_not_torn(written: FileJournal, folder: Path) -> None:
    """A whole entry with another last byte never came from a crash."""
    head = (folder / "journal.head").read_bytes()
    written.append(Event.STEP_INTENT, "run-2", {})
    (folder / "journal.head").write_bytes(head)
    put(folder, [b"".join(lines_of(folder))[:-1] + b"\x0b"])
    assert [line for line, _, _ in damage_of(written)] == [4]


def test_each_of_many_damages_is_named_once(journal: FileJournal, folder: Path) -> None:
    """After a damaged line the walk finds its feet again."""
    for _ in range(10):
        journal.append(Event.STEP_INTENT, "run-1", {})
    lines = lines_of(folder)
    lines[2] = lines[2].replace(b"run-1", b"run-2")
    lines[6] = b"\n"
    put(folder, lines)
    assert [line for line, _, _ in damage_of(journal)] == [3, 7]


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Event), st.text(), st.dictionaries(st.text(), json, max_size=3)), max_size=6))
def test_whatever_is_appended_verifies_and_reads_back(appends: list[tuple[Event, str, dict[str, object]]]) -> None:
    """Any text, any JSON."""
    with tempfile.TemporaryDirectory() as name:
        journal = FileJournal(Path(name), SystemClock(), "anna", "bastion")
        appended = [journal.append(event, run, details) for event, run, details in appends]
        assert journal.verify().sound
        assert list(journal.entries()) == appended


@pytest.fixture(scope="module")
def eight(tmp_path_factory: pytest.TempPathFactory) -> FileJournal:
    """A journal of eight entries, shared: each example puts it back."""
    journal = FileJournal(tmp_path_factory.mktemp("eight"), SystemClock(), "anna", "bastion")
    for number in range(8):
        journal.append(Event.STEP_INTENT, "run-1", {"step": number})
    return journal


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_is_done_to_the_lines_is_found(eight: FileJournal, data: st.DataObject) -> None:
    """One to three of: drop, swap, repeat, edit, insert, cut."""
    path = Path(eight.verify().path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 3))):
        at, to = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "swap", "repeat", "edit", "insert", "cut"])):
            case "drop" if len(lines) > 1:
                del lines[at]
            case "swap":
                lines[at], lines[to] = lines[to], lines[at]
            case "repeat":
                lines.insert(to, lines[at])
            case "edit":
                place = data.draw(st.integers(0, len(lines[at]) - 1))
                lines[at] = lines[at][:place] + data.draw(st.binary(max_size=3)) + lines[at][place + 1 :]
                lines = b"".join(lines).splitlines(keepends=True) or [b"\n"]
            case "insert":
                lines.insert(at, data.draw(st.binary(max_size=90)) + b"\n")
            case _:
                lines = lines[: at + 1]
    changed = b"".join(lines)
    try:
        path.write_bytes(changed)
        assert eight.verify().sound == (changed == whole)
    finally:
        path.write_bytes(whole)
