"""Processes are known by pid, start time and boot; strangers are never touched."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runbook.errors import LockedError, StorageError
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.lock import locked
from runbook.sandbox.fleet.processes import Process, boot_id, end, is_alive, spawn
from runbook.sandbox.fleet.waiting import wait_for

SLEEPER = "import time; print('ready', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a process writes."""
    return tmp_path / "a log.txt"


@pytest.fixture
def sleeper(log: Path) -> Iterator[Process]:
    """A process of ours that does nothing for long."""
    process = spawn(["-c", SLEEPER], log)
    assert wait_for(lambda: "ready" in log.read_text() or None, 20)
    yield process
    end([process])


def test_a_started_process_is_alive_in_its_own_session_and_ends(sleeper: Process) -> None:
    """And leaves no zombie behind."""
    assert is_alive(sleeper)
    assert os.getsid(sleeper.pid) == sleeper.pid
    assert end([sleeper, sleeper]) == 1
    assert not is_alive(sleeper)
    assert not Path(f"/proc/{sleeper.pid}").exists()
    assert end([sleeper]) == 0


def test_a_process_that_ignores_term_is_killed(log: Path) -> None:
    """After the patience is over."""
    process = spawn(["-c", STUBBORN], log)
    assert wait_for(lambda: "ready" in log.read_text() or None, 20)
    assert end([process], patience=0.2) == 1
    assert not is_alive(process)


@pytest.mark.parametrize("change", [{"start_ticks": 1}, {"boot": "another"}])
def test_a_stranger_with_a_reused_pid_is_left_alone(sleeper: Process, change: dict[str, object]) -> None:
    """The pid is the same; the start time or the boot is not."""
    stranger = replace(sleeper, **change)  # type: ignore[arg-type] # fields by name
    assert not is_alive(stranger)
    assert end([stranger]) == 0
    assert is_alive(sleeper)


def test_a_zombie_is_not_alive() -> None:
    """It only waits for its parent."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        stat = Path(f"/proc/{child.pid}/stat").read_bytes()
        process = Process(child.pid, int(stat[stat.rindex(b")") + 2 :].split()[19]), boot_id())
        assert is_alive(process)
        child.send_signal(signal.SIGKILL)
        assert wait_for(lambda: None if is_alive(process) else True, 20)
        assert Path(f"/proc/{child.pid}").exists()


def test_a_log_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    """Nothing is started then."""
    with pytest.raises(StorageError):
        spawn(["-c", SLEEPER], tmp_path / "missing" / "log")


def test_the_lock_names_its_holder_and_falls_with_it(tmp_path: Path) -> None:
    """A second command is told who works on the fleet."""
    folder = FleetFolder(tmp_path / "state")
    with locked(folder, "up"):
        with pytest.raises(LockedError, match=f"runbook sandbox up.*pid {os.getpid()}"), locked(folder, "down"):
            pass
        assert folder.lock.stat().st_mode & 0o777 == 0o600
    with locked(folder, "down"):
        pass


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """Nobody's file is emptied by us."""
    (tmp_path / "precious").write_text("kept")
    folder = FleetFolder(tmp_path)
    folder.lock.symlink_to(tmp_path / "precious")
    with pytest.raises(StorageError), locked(folder, "up"):
        pass
    assert (tmp_path / "precious").read_text() == "kept"
