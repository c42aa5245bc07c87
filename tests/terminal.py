"""Commands as they may really be run: on a terminal of their own, or without the rights that root has."""

import os
import pty
import select
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

from forked import Forked, can_fork

DENIED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
"""In front of a command: root is denied nothing, unless it gives up the right to pass over permissions."""


def on_terminal(
    words: Sequence[str], environment: Mapping[str, str], cwd: Path, *, typed: str = "", columns: int = 80
) -> tuple[int, str]:
    """Run a command on a terminal of its own, with what a person types; its exit code and all that was shown.

    What is typed is sent once the command asks, that is when it shows `[y/N]`.
    """
    known = {name: value for name, value in environment.items() if name != "COLUMNS"}  # the terminal's own counts
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (24, columns))
    process: subprocess.Popen[bytes] | Forked
    if tuple(words[:3]) == (sys.executable, "-m", "runbook") and can_fork(known):
        process = Forked("runbook", words[3:], known, cwd, slave, slave, slave, session=True)
    else:
        process = subprocess.Popen(
            words, stdin=slave, stdout=slave, stderr=slave, env=known, cwd=cwd, start_new_session=True
        )
    os.close(slave)
    shown = b""
    answers = list(typed)
    asked = 0
    try:
        while select.select([master], [], [], 60)[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:  # how Linux tells that the other side is closed
                break
            shown += piece
            while answers and shown.count(b"[y/N]") > asked:
                asked += 1
                os.write(master, f"{answers.pop(0)}\n".encode())
        return process.wait(timeout=60), shown.decode(errors="replace").replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait()
        os.close(master)
