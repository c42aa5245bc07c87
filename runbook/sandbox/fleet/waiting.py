"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Look = Callable[[], str | None]
"""Measures once: what was measured, or None while the symptom does not show."""

_PAUSE = 0.05


def wait_for(look: Callable[[], T | None], seconds: float, pause: float = _PAUSE) -> T | None:
    """What `look` returned once it was not None; None when it still was after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None or time.monotonic() >= deadline:
            return found
        time.sleep(pause)
