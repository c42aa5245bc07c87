"""Disks that are full, failing or forbidden: said plainly, nothing lost, and nothing pretended."""

import errno
import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from pytest_mock import MockerFixture

from runbook.adapters.journal import FileJournal
from runbook.adapters.memory.clock import MemoryClock
from runbook.errors import DamagedError, LockedError, StorageError
from runbook.model.journal import Event

FULL_DISK = """
import resource, sys
from pathlib import Path
from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.errors import StorageError
from runbook.model.journal import Event
folder = Path(sys.argv[1])
journal = FileJournal(folder, SystemClock(), "anna", "bastion")
path = folder / "journal.jsonl"
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
before = path.read_bytes()
for room in range(0, 400, 7):
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + room, unlimited[1]))
    try:
        journal.append(Event.STEP_INTENT, "run-2", {"filling": "x" * 200})
        sys.exit(f"an entry fitted into {room} bytes")
    except StorageError as error:
        if "larger than is allowed" not in error.message or not error.hint:
            sys.exit(error.message)
    resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
    if path.read_bytes() != before or not journal.verify().sound:
        sys.exit(f"with room for {room} bytes the journal changed")
journal.append(Event.STEP_INTENT, "run-2", {"filling": "x" * 200})
print(journal.verify().entries)
"""

NO_ROOM_TO_BEGIN = """
import resource, sys
from pathlib import Path
from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.errors import StorageError
from runbook.model.journal import Event
folder = Path(sys.argv[1])
journal = FileJournal(folder, SystemClock(), "anna", "bastion")
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
for room in (0, 10, 150):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, unlimited[1]))
    try:
        journal.append(Event.STEP_INTENT, "run-1", {})
        sys.exit("it fitted")
    except StorageError:
        pass
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
journal.append(Event.STEP_INTENT, "run-1", {})
print(journal.verify().entries, sorted(path.name for path in folder.iterdir()))
"""

FORBIDDEN = """
import os, sys
from pathlib import Path
from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.errors import StorageError
from runbook.model.journal import Event
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
journal = FileJournal(Path(sys.argv[1]), SystemClock(), "anna", "bastion")
for action in (lambda: journal.append(Event.STEP_INTENT, "run-2", {}), journal.verify):
    try:
        action()
        print("done")
    except StorageError as error:
        print(error.code.value, error.message, "|", error.hint)
"""


def python(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=False, timeout=60
    )


def test_an_entry_that_does_not_fit_is_refused_and_taken_back_whole(written: FileJournal, folder: Path) -> None:
    """A real limit of the kernel, met at 58 different places within the line."""
    done = python(FULL_DISK, folder)
    assert (done.returncode, done.stdout) == (0, "4\n"), done.stderr


def test_a_journal_that_cannot_be_begun_is_begun_later(folder: Path) -> None:
    """Nothing half made is left in the way."""
    done = python(NO_ROOM_TO_BEGIN, folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 ['journal.head', 'journal.jsonl', 'journal.key', 'journal.lock']\n"


@pytest.mark.parametrize("mode", [0o555, 0o000])
def test_a_folder_that_may_not_be_written_is_said_with_its_owner(mode: int) -> None:
    """Exit code 16; a folder that may be read can still be verified."""
    with tempfile.TemporaryDirectory() as name:
        outer, folder = Path(name), Path(name) / "state"
        outer.chmod(0o755)
        folder.mkdir()
        folder.chmod(mode)
        try:
            done = python(FORBIDDEN, folder)
        finally:
            folder.chmod(0o700)
    append, verify = done.stdout.splitlines()
    assert append.startswith("16 cannot ")
    assert "permission denied" in append
    assert f"belongs to uid {os.geteuid()}" in append
    assert verify.startswith("done" if mode else "16 cannot read")


def test_a_folder_of_another_user_tells_who_owns_it(written: FileJournal, folder: Path) -> None:
    """On a bastion that is the service account, and people enter by sudo."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        state = folder.rename(Path(name) / "state")
        state.chmod(0o755)
        done = python(FORBIDDEN, state)
    for line in done.stdout.splitlines():
        assert line.startswith("16 cannot ")
        assert "belongs to uid 0, you are uid 65534" in line


def test_a_failed_sync_is_final_for_this_process(written: FileJournal, folder: Path, mocker: MockerFixture) -> None:
    """After a failed fdatasync the kernel forgets the pages: a second try would succeed and mean nothing."""
    before = (folder / "journal.jsonl").read_bytes()
    sync = mocker.patch("os.fdatasync", side_effect=OSError(errno.EIO, "Input/output error"))
    with pytest.raises(StorageError, match="input/output error"):
        written.append(Event.STEP_INTENT, "run-2", {})
    mocker.stop(sync)
    with pytest.raises(StorageError, match="takes no more entries"):
        written.append(Event.STEP_INTENT, "run-2", {})
    assert (folder / "journal.jsonl").read_bytes() == before
    assert FileJournal(folder, MemoryClock(), "anna", "bastion").append(Event.STEP_INTENT, "run-2", {}).seq == 4


def test_a_head_that_cannot_be_written_is_an_error_and_the_journal_stays_sound(
    written: FileJournal, folder: Path, mocker: MockerFixture
) -> None:
    """The entry was durable, so it stays; the caller is told all the same, and changes nothing."""
    real = os.pwrite

    def refuse_the_head(descriptor: int, data: bytes, offset: int) -> int:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "journal.head":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data, offset)

    patch = mocker.patch("os.pwrite", side_effect=refuse_the_head)
    with pytest.raises(StorageError, match="no space"):
        written.append(Event.STEP_INTENT, "run-2", {})
    mocker.stop(patch)
    assert written.verify().sound
    assert written.append(Event.STEP_INTENT, "run-2", {}).seq == 5
    assert written.verify().sound


def test_a_holder_that_hangs_is_reported_after_a_while(written: FileJournal, folder: Path) -> None:
    """A stopped process must not make every other one wait for ever."""
    patient = FileJournal(folder, MemoryClock(), "anna", "bastion")
    with (folder / "journal.lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LockedError, match=r"journal\.lock for 10 s"):
            patient.append(Event.STEP_INTENT, "run-2", {})
        with pytest.raises(LockedError):
            patient.verify()
    assert patient.append(Event.STEP_INTENT, "run-2", {}).seq == 4


@pytest.mark.parametrize("name", ["journal.jsonl", "journal.head", "journal.key", "journal.lock"])
def test_a_symbolic_link_is_not_followed(written: FileJournal, folder: Path, tmp_path: Path, name: str) -> None:
    """Nobody redirects the journal."""
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="symbolic link"):
        written.append(Event.STEP_INTENT, "run-2", {})


@pytest.mark.parametrize("name", ["journal.jsonl", "journal.head", "journal.key"])
def test_a_pipe_or_a_folder_in_place_of_a_file_is_refused_and_nothing_hangs(
    written: FileJournal, folder: Path, name: str
) -> None:
    """Opening a pipe to read would wait for a writer."""
    for make in (os.mkfifo, os.mkdir):
        (folder / name).rename(folder / "kept")
        make(folder / name)
        with pytest.raises((StorageError, DamagedError)):
            written.append(Event.STEP_INTENT, "run-2", {})
        with pytest.raises(StorageError):
            written.verify()
        if make is os.mkfifo:
            (folder / name).unlink()
        else:
            (folder / name).rmdir()
        (folder / "kept").rename(folder / name)
    assert written.verify().sound
