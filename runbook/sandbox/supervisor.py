"""`python -m runbook.sandbox.supervisor --folder F --port P ...`: one node, ended when it takes too much memory.

What the kernel's OOM killer does to a process of a control group, and `systemd-oomd` to a service: a node that holds
more than its limit is killed with SIGKILL, in the middle of whatever it does, and started again. A container without
privileges has no control group of its own to give, so the limit stands in the node's folder, and this process watches.
Whoever ends this process ends the node. The arguments are the node's.
"""

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

SUPERVISED = "ENGRAM_SANDBOX_SUPERVISED"
"""Set in the environment of a node that will be started again."""
_LOOK_SECONDS = 0.05
_PAUSE_SECONDS = 0.2
_PORT_TAKEN = 10
_PORT_TRIES = 100
_PAGE = os.sysconf("SC_PAGE_SIZE")
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


def limit_of(folder: Path) -> int | None:
    """Bytes of resident memory that the node in the folder may hold; None where there is no limit."""
    return _number(folder / "memory.limit")


def limit(folder: Path, size: int | None) -> None:
    """Set the limit, or lift it."""
    if size is None:
        (folder / "memory.limit").unlink(missing_ok=True)
    else:
        _write(folder / "memory.limit", size)


def kills_of(folder: Path) -> int | None:
    """How often the node in the folder was killed for want of memory; None where nobody watches it."""
    return _number(folder / "oom.kills")


class Supervisor:
    """Keeps one node running until it ends by itself, or is told to end."""

    def __init__(self, folder: Path, words: Sequence[str]) -> None:
        self._folder = folder
        self._command = [sys.executable, "-P", "-m", "runbook.sandbox.node", *words]
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self) -> int:
        """Watch; the exit code of the node that ended by itself."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        _write(self._folder / "oom.kills", kills_of(self._folder) or 0)
        tries = 0
        while True:
            code = self._watch()
            tries = tries + 1 if code == _PORT_TAKEN else 0  # of the node before: its port is free in a moment
            if self._stopping or tries > _PORT_TRIES or (code >= 0 and not tries):
                return max(code, 0)
            time.sleep(_PAUSE_SECONDS)

    def _watch(self) -> int:
        """Start the node, and wait until it is gone; kill it when it holds too much."""
        environment = os.environ | {SUPERVISED: "1"}
        with subprocess.Popen(  # noqa: S603 - this interpreter, and the words that this process was given
            self._command,
            env=environment,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has one thread
        ) as self._child:
            if self._stopping:
                self._child.terminate()
            while True:
                with suppress(subprocess.TimeoutExpired):
                    return self._child.wait(_LOOK_SECONDS)
                allowed = limit_of(self._folder)
                if allowed is not None and _resident(self._child.pid) > allowed and not self._stopping:
                    self._child.kill()
                    self._child.wait()
                    _write(self._folder / "oom.kills", (kills_of(self._folder) or 0) + 1)

    def _stop(self, number: int, _: object) -> None:
        self._stopping = True
        if self._child is not None:
            self._child.send_signal(number)


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def _die_with_parent() -> None:
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _write(path: Path, number: int) -> None:
    with suppress(OSError):  # the folder was removed, or the disk is full: the node itself says so
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_text(f"{number}\n", encoding="ascii")
        temporary.replace(path)


def main() -> int:
    """Watch the node that the command line describes; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m runbook.sandbox.supervisor", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    given, _ = parser.parse_known_args()
    os.umask(0o077)
    return Supervisor(given.folder, sys.argv[1:]).run()


if __name__ == "__main__":
    sys.exit(main())
