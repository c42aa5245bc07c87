"""Background processes, known by pid, start time and boot, so that a stranger with a reused pid is never touched."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from runbook.errors import RefusedError, StorageError

_PAUSE = 0.02
_START_TIME = 22  # the field's number in proc(5), counted from 1
_AFTER_NAME = 3  # the first field behind the name, which may itself hold spaces and brackets


@dataclass(frozen=True, slots=True)
class Process:
    """One process for all time: the kernel never gives out these three together again."""

    pid: int
    start_ticks: int
    boot: str


def boot_id() -> str:
    """What tells this boot of the machine from every other."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _started(pid: int) -> int | None:
    """The start time of a running process in ticks since boot; None where there is none (a zombie is none)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[_START_TIME - _AFTER_NAME])


def is_alive(process: Process) -> bool:
    """Does this very process still run?"""
    return process.boot == boot_id() and _started(process.pid) == process.start_ticks


def spawn(arguments: Sequence[str], log: Path) -> Process:
    """Start this interpreter with the arguments, in a session of its own, with its output going to `log`.

    Raises:
        StorageError: the log cannot be written, or the process cannot be started.
    """
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    writing = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    try:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, "-P", *arguments],  # -P: the folder where the command is given may hold anything
            environment,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), writing, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT],
        )
    except OSError as error:
        raise StorageError(f"cannot start {' '.join(arguments[:2])}: {error.strerror}", hint=f"see {log}") from error
    return Process(pid, _started(pid) or 0, boot_id())


def end(processes: Iterable[Process], patience: float = 5.0) -> int:
    """End the processes that still run: TERM, and KILL for those that are left after `patience` seconds.

    Returns:
        How many of them were running.

    Raises:
        RefusedError: one belongs to somebody else.
    """
    running = [process for process in set(processes) if is_alive(process)]
    _signal_all(running, signal.SIGTERM)
    left = _wait_for(running, patience)
    _signal_all(left, signal.SIGKILL)
    if left := _wait_for(left, patience):
        pids = ", ".join(str(process.pid) for process in left)
        raise RefusedError(f"processes that do not end: {pids}", hint="they wait for the kernel; look at their state")
    return len(running)


def _signal_all(processes: Iterable[Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            _signal_one(process, number)


def _signal_one(process: Process, number: signal.Signals) -> None:
    descriptor = os.pidfd_open(process.pid)
    try:
        # Asked again behind the descriptor: what it holds cannot be replaced by a stranger any more.
        if is_alive(process):
            signal.pidfd_send_signal(descriptor, number)
    except PermissionError as error:
        raise RefusedError(f"process {process.pid} belongs to another user", hint="run it as that user") from error
    finally:
        os.close(descriptor)


def _wait_for(processes: Iterable[Process], patience: float) -> list[Process]:
    deadline = time.monotonic() + patience
    left = list(processes)
    while True:
        for process in left:
            with contextlib.suppress(ChildProcessError):  # not our child: somebody else reaps it
                os.waitpid(process.pid, os.WNOHANG)
        left = [process for process in left if is_alive(process)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(_PAUSE)
