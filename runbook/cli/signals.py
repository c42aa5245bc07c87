"""Ctrl-C, SIGTERM and SIGHUP: raised where the program stands, and remembered.

Python ignores an exception that is raised in a destructor or in a callback of the import system. A signal that lands
there would be lost, so what waits long, a play, asks `received` too.
"""

import signal
from types import FrameType
from typing import NoReturn

from runbook.errors import ExitCode


class TerminationError(KeyboardInterrupt):
    """SIGTERM, travelling the same way as Ctrl-C so that every `finally` runs."""

    code = ExitCode.TERMINATED


_received: list[ExitCode] = []


def install() -> None:
    """Take the signals; SIGHUP not where nohup has seen to it."""
    signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _terminate)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _terminate)


def received() -> ExitCode | None:
    """The exit code of the first signal that came, or None."""
    return _received[0] if _received else None


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    _received.append(ExitCode.INTERRUPTED)
    raise KeyboardInterrupt


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    _received.append(ExitCode.TERMINATED)
    raise TerminationError
