"""Processes of a play, found by a mark in their environment.

No file of process ids that a kill could leave stale, and no id that could have been given to someone else since:
each process is held by a handle before its environment is read, and is signalled through that handle.
"""

import os
import select
import signal
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from runbook.errors import NotSupportedError, PersonNeededError

MARK = "RUNBOOK_PLAY"
GRACE_SECONDS = 2.0
LIMIT_SECONDS = 15.0


def require() -> None:
    """Refuse to begin what could not be ended for certain.

    Raises:
        NotSupportedError: this kernel gives no handles of processes.
    """
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError as problem:
        hint = "Linux 5.3 or newer is needed, and no sandbox that forbids pidfd_open"
        raise NotSupportedError(f"processes cannot be held by a handle here: {problem.strerror}", hint=hint) from None


def stop(mark: str) -> int:
    """End every process that has the mark, and wait until they are gone; how many there were.

    They are asked first, and killed after two seconds. What they start meanwhile is found by looking again.

    Raises:
        PersonNeededError: some would not end.
    """
    ended: set[int] = set()
    begun = time.monotonic()
    while found := _marked(mark):
        waited = time.monotonic() - begun
        try:
            if waited > LIMIT_SECONDS:
                numbers = ", ".join(map(str, sorted(found)))
                hint = "end them by hand before going on: they may still change nodes"
                raise PersonNeededError(f"processes of an interrupted play do not end: {numbers}", hint=hint)
            for handle in found.values():
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, signal.SIGTERM if waited < GRACE_SECONDS else signal.SIGKILL)
            _await_end(found.values(), GRACE_SECONDS)
        finally:
            for handle in found.values():
                os.close(handle)
        ended.update(found)
    return len(ended)


def _marked(mark: str) -> dict[int, int]:
    """Handles of the living processes with that mark, by process id; this process is never among them."""
    wanted = f"{MARK}={mark}".encode()
    found: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        with suppress(ProcessLookupError, FileNotFoundError, PermissionError):  # gone meanwhile, or someone else's
            handle = os.pidfd_open(int(folder.name))
            try:
                if wanted in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = handle
                    handle = -1
            finally:
                if handle >= 0:
                    os.close(handle)
    return found


def _await_end(handles: Iterable[int], seconds: float) -> None:
    poll = select.poll()
    waiting = set(handles)
    for handle in waiting:
        poll.register(handle, select.POLLIN)
    until = time.monotonic() + seconds
    while waiting and (left := until - time.monotonic()) > 0:
        for handle, _ in poll.poll(left * 1000):
            poll.unregister(handle)
            waiting.discard(handle)
