"""Telling beside `runbook serve`: what a command could not, since it was killed or its service ended, is told."""

import asyncio
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

from runbook.cli.compose import Session
from runbook.cli.notify.deliver import Mute, size_of, tell_one
from runbook.cli.notify.latest import LatestWebhook
from runbook.cli.notify.pausing import StoppableClock
from runbook.config.document import found_receivers
from runbook.errors import RunbookError
from runbook.model.configuration import ReceiverSettings
from runbook.serve.work.notes import until

LOOK_SECONDS = 2.0
CONFIGURATION_SECONDS = 10.0


async def tell_beside(current: Session, config: Path | None, ending: asyncio.Event) -> None:
    """Tell whatever is journaled, each receiver by a thread of its own, until the event is set.

    A thread that is in the middle of a message is not waited for: what it has not taken down is told again.
    """
    tellers = Tellers(current, config)
    tellers.keep_up()
    while not await until(ending, CONFIGURATION_SECONDS):
        await asyncio.to_thread(tellers.keep_up)
    tellers.stop()


@dataclass(frozen=True, slots=True)
class Teller:
    """Who tells one receiver, as it was configured."""

    settings: ReceiverSettings
    stop: threading.Event
    thread: threading.Thread


@dataclass(slots=True)
class Tellers:
    """Those who tell, by receiver. Who is told is read again and again: what was taken out is told nothing more."""

    current: Session
    config: Path | None
    at_work: dict[str, Teller] = field(default_factory=dict)

    def keep_up(self) -> None:
        """Begin with new receivers, and end with those that are gone or changed; nothing where it does not read."""
        try:
            wanted = found_receivers(os.environ, self.config).good
        except RunbookError:
            return  # serve says so itself
        for name, teller in list(self.at_work.items()):
            if wanted.get(name) != teller.settings or not teller.thread.is_alive():
                teller.stop.set()
                del self.at_work[name]
        for name, settings in wanted.items():
            if name not in self.at_work:
                self.at_work[name] = self._begun(settings)

    def _begun(self, settings: ReceiverSettings) -> Teller:
        stop = threading.Event()
        thread = threading.Thread(
            target=_keep_telling, args=(self.current, LatestWebhook(settings, self.config), stop), daemon=True
        )
        thread.start()
        return Teller(settings, stop, thread)

    def stop(self) -> None:
        """Let all of them end."""
        for teller in self.at_work.values():
            teller.stop.set()


def _keep_telling(current: Session, receiver: LatestWebhook, stop: threading.Event) -> None:
    clock, seen = StoppableClock(stop), -1
    while not stop.is_set():
        size = size_of(current)
        if size != seen:
            found = tell_one(current, Mute(), clock, receiver)
            seen = -1 if found.why else size
        stop.wait(LOOK_SECONDS)
