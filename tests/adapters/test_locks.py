"""Locks between processes."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from runbook.adapters.clock import SystemClock
from runbook.adapters.locks import FileLocks, _is_under
from runbook.errors import LockedError, StorageError, UsageError

HOLDER = """
import sys
from pathlib import Path
from runbook.adapters.clock import SystemClock
from runbook.adapters.locks import FileLocks
with FileLocks(Path(sys.argv[1]), SystemClock(), "anna", "bastion").hold("sandbox", "run-1"):
    print("held", flush=True)
    sys.stdin.read()
"""

BUSY = """
import os, sys
from pathlib import Path
from runbook.adapters.clock import SystemClock
from runbook.adapters.locks import FileLocks
from runbook.errors import LockedError
folder = Path(sys.argv[1])
locks = FileLocks(folder / "locks", SystemClock(), "anna", "bastion")
held = met = 0
while held < 150:
    try:
        with locks.hold("sandbox", "run-1"):
            held += 1
            try:
                os.close(os.open(folder / "inside", os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                met += 1
            else:
                os.unlink(folder / "inside")
    except LockedError:
        pass
print(held, met)
"""

FORBIDDEN = """
import os, sys
from pathlib import Path
from runbook.adapters.clock import SystemClock
from runbook.adapters.locks import FileLocks
from runbook.errors import StorageError
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    with FileLocks(Path(sys.argv[1]), SystemClock(), "anna", "bastion").hold("sandbox", "run-1"):
        pass
except StorageError as error:
    print(error.message)
"""


@pytest.fixture
def locks(tmp_path: Path) -> FileLocks:
    """Locks of another person than the holder."""
    return FileLocks(tmp_path / "locks", SystemClock(), "bert", "desk")


def test_another_process_is_named_with_everything_that_helps_to_find_it(locks: FileLocks, tmp_path: Path) -> None:
    """Person, machine, process, run and since when; and kill -9 of the holder frees the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "locks")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        words = rf"run run-1 of anna on bastion \(pid {holder.pid}, since 2.*Z\)"
        with pytest.raises(LockedError, match=words), locks.hold("sandbox", "run-2"):
            pytest.fail("held twice")
        holder.kill()
        holder.wait()
    with locks.hold("sandbox", "run-2"), pytest.raises(LockedError, match="run-2 of bert"):
        locks.hold("sandbox", "run-3").__enter__()


def test_a_child_does_not_keep_the_lock(locks: FileLocks, tmp_path: Path) -> None:
    """Not even one that was forked while the lock was held, and still has its descriptor."""
    with locks.hold("sandbox", "run-1"):
        (descriptor,) = (
            int(path.name)
            for path in Path("/proc/self/fd").iterdir()
            if path.resolve() == tmp_path / "locks" / "sandbox.lock"
        )
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[descriptor])
    try:
        with locks.hold("sandbox", "run-2"):
            assert child.poll() is None
    finally:
        child.communicate()


def test_a_holder_that_has_not_said_who_it_is_is_no_crash(locks: FileLocks, tmp_path: Path) -> None:
    """Garbage in the file is shown as an unknown holder."""
    with locks.hold("sandbox", "run-1"):
        for garbage in (b"", b"[]", b"{}", b"\xff", b"7"):
            (tmp_path / "locks" / "sandbox.lock").write_bytes(garbage)
            with pytest.raises(LockedError, match="another process"):
                locks.hold("sandbox", "run-2").__enter__()


def test_a_lock_is_for_the_owner_only_and_leaves_no_file(locks: FileLocks, tmp_path: Path) -> None:
    """No stale holder to puzzle over, and no file for each run that there ever was."""
    path = tmp_path / "locks" / "sandbox.lock"
    with locks.hold("sandbox", "run-1"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
    assert list(path.parent.iterdir()) == []


def test_the_file_of_a_killed_holder_is_removed_by_the_next_one(locks: FileLocks, tmp_path: Path) -> None:
    """It stays until then: the kernel frees the lock, not the file."""
    path = tmp_path / "locks" / "sandbox.lock"
    path.parent.mkdir()
    path.write_bytes(b'{"who": "somebody who was killed"}')
    with locks.hold("sandbox", "run-1"):
        assert b"run-1" in path.read_bytes()
    assert not path.exists()


def test_who_opened_a_file_that_was_removed_begins_again(locks: FileLocks, tmp_path: Path) -> None:
    """Else two would hold one lock, each on a file of its own."""
    path = tmp_path / "locks" / "sandbox.lock"
    with locks.hold("sandbox", "run-1"):
        early = os.open(path, os.O_RDWR)
    try:
        assert not _is_under(path, early)
        with locks.hold("sandbox", "run-2"):
            assert not _is_under(path, early)
            with pytest.raises(LockedError, match="run-2"), locks.hold("sandbox", "run-3"):
                pytest.fail("held twice")
    finally:
        os.close(early)


def test_many_at_once_never_hold_it_together(tmp_path: Path) -> None:
    """Processes that take and leave it as fast as they can: each time alone, though the file comes and goes."""
    (tmp_path / "alone").touch()
    busy = [
        subprocess.Popen([sys.executable, "-c", BUSY, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    told = [process.communicate(timeout=60)[0].split() for process in busy]
    assert all(held == "150" and met == "0" for held, met in told), told
    assert list((tmp_path / "locks").iterdir()) == []


def test_a_name_cannot_leave_the_folder(locks: FileLocks) -> None:
    """Exit code 2."""
    with pytest.raises(UsageError):
        locks.hold("../journal", "run-1").__enter__()


def test_a_symbolic_link_is_not_followed(locks: FileLocks, tmp_path: Path) -> None:
    """Its target is not emptied."""
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "sandbox.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(StorageError, match="symbolic link"):
        locks.hold("sandbox", "run-1").__enter__()
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_folder_that_may_not_be_written_is_said() -> None:
    """Exit code 16, by a process of another user where the tests run as root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", FORBIDDEN, str(folder / "locks")],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        folder.chmod(0o700)
    assert "permission denied" in done.stdout, (done.stderr, os.geteuid())
