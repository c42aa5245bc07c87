"""Pauses that end when it is time to end."""

import threading

from runbook.adapters.clock import SystemClock
from runbook.errors import InterruptedRunError


class StoppableClock(SystemClock):
    """The real time; who sleeps is woken by the end."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop

    def sleep(self, seconds: float) -> None:
        """Wait that long.

        Raises:
            InterruptedRunError: it is the end.
        """
        if self._stop.wait(max(seconds, 0.0)):
            raise InterruptedRunError("it is the end")
