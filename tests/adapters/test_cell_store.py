"""The file of a target's rows: whose it is, who may read it, and what becomes of it on bad days."""

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from runbook.adapters.cell_store import FileCellStore
from runbook.errors import DamagedError, NotSupportedError, StorageError, UsageError
from runbook.model.cells import CONTROL, Cell, NodeCells

WRITER = """
import sys
from pathlib import Path
from runbook.adapters.cell_store import FileCellStore
from runbook.model.cells import Cell, NodeCells
node, state = sys.argv[1], Path(sys.argv[2])
store = FileCellStore(state, "prod")
for at in range(int(sys.argv[3])):
    rows = tuple(Cell(node, at, 1, f"s{each}", "control", 1, 1.0, 1.0, 0, 0, 0, 0.0, 0.0) for each in range(20))
    store.add([NodeCells(node, 1, rows)])
    print(at, flush=True)
"""


def rows(count: int, bucket: int = 1) -> NodeCells:
    """So many spaces in one bucket."""
    cells = (Cell("a", bucket, 1, f"s{at}", CONTROL, 1, 1.0, 1.0, 0, 0, 0, 0.0, 0.0) for at in range(count))
    return NodeCells("a", 1, tuple(cells))


def writer(node: str, state: Path, times: int) -> subprocess.Popen[bytes]:
    """Another process that keeps rows."""
    return subprocess.Popen([sys.executable, "-c", WRITER, node, str(state), str(times)], stdout=subprocess.PIPE)


def test_it_is_this_users_alone(tmp_path: Path) -> None:
    """The file, its log and its folder have no rights for others, whatever the umask says."""
    before = os.umask(0)
    try:
        store = FileCellStore(tmp_path, "prod")
        store.add([rows(3)])
    finally:
        os.umask(before)
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in store.path.parent.iterdir()} == {0o600}


def test_reading_makes_nothing(tmp_path: Path) -> None:
    """A target of which nothing was collected gets no file by being asked for."""
    store = FileCellStore(tmp_path, "prod")
    assert (dict(store.newest()), list(store.rows(0, 9))) == ({}, [])
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_is_no_file_name_is_refused(tmp_path: Path) -> None:
    """No target's name leads out of the folder."""
    with pytest.raises(UsageError):
        FileCellStore(tmp_path, "../prod")


@pytest.mark.parametrize("content", [b"not a database, but longer than its header would be" * 20, None])
def test_a_file_of_another_program_is_left_alone(tmp_path: Path, content: bytes | None) -> None:
    """What is no database, or another program's, is damage with its path and a hint, and stays as it is."""
    store = FileCellStore(tmp_path, "prod")
    store.path.parent.mkdir()
    if content is None:
        with sqlite3.connect(store.path) as other:
            other.execute("CREATE TABLE theirs (x)")
        other.close()
    else:
        store.path.write_bytes(content)
    before = store.path.read_bytes()
    for deed in (lambda: store.add([rows(1)]), store.newest, lambda: list(store.rows(0, 9))):
        with pytest.raises(DamagedError, match=r"prod\.sqlite") as raised:
            deed()
        assert raised.value.hint
    assert store.path.read_bytes() == before


def test_a_file_of_a_later_version_is_not_read(tmp_path: Path) -> None:
    """A later version of this tool may mean other things by its columns."""
    store = FileCellStore(tmp_path, "prod")
    store.add([rows(1)])
    with sqlite3.connect(store.path) as later:
        later.execute("PRAGMA user_version = 2")
    later.close()
    with pytest.raises(NotSupportedError, match="version 2"):
        store.newest()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A symbolic link in its place is refused by storage, and what it points to is not touched."""
    store = FileCellStore(tmp_path, "prod")
    store.path.parent.mkdir()
    other = tmp_path / "other"
    other.write_bytes(b"")
    store.path.symlink_to(other)
    with pytest.raises(StorageError, match="symbolic link"):
        store.add([rows(1)])
    assert other.read_bytes() == b""


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    """When the disk takes no more, that is a storage error, nothing is kept in part, and it goes on afterwards."""
    store = FileCellStore(tmp_path, "prod")
    store.add([rows(10)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
    try:
        with pytest.raises(StorageError, match=r"prod\.sqlite"):
            store.add([rows(20_000, bucket=2)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert len(list(store.rows(0, 9))) == 10
    store.add([rows(5, bucket=2)])
    assert len(list(store.rows(0, 9))) == 15


def test_two_processes_keep_rows_at_once(tmp_path: Path) -> None:
    """Both are through, from an empty folder on, and every row of both is there."""
    both = [writer(name, tmp_path, 20) for name in "ab"]
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert len(list(FileCellStore(tmp_path, "prod").rows(0, 100))) == 2 * 20 * 20


def test_a_killed_writer_leaves_whole_additions(tmp_path: Path) -> None:
    """After SIGKILL every addition that was told is there, and each is there as a whole."""
    process = writer("a", tmp_path, 100_000)
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(30)]
    process.kill()
    process.communicate(timeout=60)
    store = FileCellStore(tmp_path, "prod")
    kept = list(store.rows(0, 100_000))
    assert len(kept) >= 20 * len(told)
    assert len(kept) % 20 == 0
    store.add([rows(1, bucket=200_000)])
    assert store.newest() == {"a": 200_000.0}


def test_old_fine_rows_become_hours_before_any_row_leaves(tmp_path: Path) -> None:
    """Nothing is lost of the sums, what is younger than two hours stays as fine as it is, and no row counts twice."""
    store, hour = FileCellStore(tmp_path, "prod", most=1200), 3600

    def reading(begin: int, end: int) -> NodeCells:
        cells = [Cell("a", at, 10, "s", CONTROL, 2, 3.0, 5.0, 1, 1, 1, 0.5, 0.25) for at in range(begin, end, 10)]
        return NodeCells("a", 10, tuple(cells))

    assert store.add([reading(0, 2 * hour)]).summed == 0
    pruned = store.add([reading(2 * hour, 4 * hour)])
    assert (pruned.rows, pruned.summed) == (0, 360)
    kept = list(store.rows(0, 9 * hour))
    assert kept[0] == Cell("a", 0, hour, "s", CONTROL, 720, 1080.0, 1800.0, 360, 360, 360, 180.0, 90.0)
    assert [cell.seconds for cell in kept] == [hour] + [10] * 1080
    store.add([reading(0, hour)])  # told again: a clock was set back
    assert list(store.rows(0, 9 * hour)) == kept
    assert store.add([reading(4 * hour, 5 * hour)]).summed == 360
    assert sum(cell.n for cell in store.rows(0, 9 * hour)) == 5 * 720
