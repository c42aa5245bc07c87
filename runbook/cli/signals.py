"""Ctrl-C, SIGTERM and SIGHUP: raised where the program stands, and remembered.

Python ignores an exception that is raised in a destructor or in a callback of the import system. A signal that lands
there would be lost, so what waits long, a play, asks `received` too.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from runbook.errors import ExitCode, InterruptedRunError


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


@contextmanager
def way_on(left: str, hint: str) -> Iterator[None]:
    """Ctrl-C and the like inside are told with what they left behind, and with the way on."""
    try:
        yield
    except KeyboardInterrupt as error:
        interruption = InterruptedRunError(f"interrupted; {left}", hint=hint)
        interruption.code = getattr(error, "code", ExitCode.INTERRUPTED)
        raise interruption from error


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    _received.append(ExitCode.INTERRUPTED)
    raise KeyboardInterrupt


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    _received.append(ExitCode.TERMINATED)
    raise TerminationError
