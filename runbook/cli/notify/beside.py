"""Telling beside `runbook serve`: what a command could not, since it was killed or its service ended, is told."""

import asyncio
import os
import threading
from pathlib import Path

from runbook.cli.compose import Session
from runbook.cli.notify.deliver import Mute, size_of, tell_one
from runbook.cli.notify.pausing import StoppableClock
from runbook.config.document import found_receivers
from runbook.errors import RunbookError
from runbook.model.configuration import ReceiverSettings

LOOK_SECONDS = 2.0


async def tell_beside(current: Session, config: Path | None, ending: asyncio.Event) -> None:
    """Tell whatever is journaled, each receiver by a thread of its own, until the event is set.

    A thread that is in the middle of a message is not waited for: what it has not taken down is told again.
    """
    try:
        receivers = found_receivers(os.environ, config)
    except RunbookError:
        return  # serve says so itself
    stop = threading.Event()
    for settings in receivers.good.values():
        threading.Thread(target=_keep_telling, args=(current, settings, stop), daemon=True).start()
    await ending.wait()
    stop.set()


def _keep_telling(current: Session, settings: ReceiverSettings, stop: threading.Event) -> None:
    clock, seen = StoppableClock(stop), -1
    while not stop.is_set():
        size = size_of(current)
        if size != seen:
            found = tell_one(current, Mute(), clock, settings)
            seen = -1 if found.why else size
        stop.wait(LOOK_SECONDS)
