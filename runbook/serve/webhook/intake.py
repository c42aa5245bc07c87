"""Alerts are taken: each firing and each end once, into the journal before anybody is told that it was taken."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from runbook.engine.alerts.keeping import bounded, details_of, identity, named_target, seen_as
from runbook.engine.alerts.memory import AlertMemory
from runbook.model.alert import Alert, Received
from runbook.model.journal import Entry, Event
from runbook.ports import Clock, Journal
from runbook.serve.webhook.allowance import Allowance

MOST_WAITING = 1000
"""Firings that wait for their diagnosis; beyond that Alertmanager is asked to come again."""


class BusyError(Exception):
    """Nothing of it was taken: come again later."""


class Targets(Protocol):
    """Which fleets there are."""

    def known(self, name: str) -> str:
        """The target of that name, the default one for an empty name; empty where there is none.

        Raises:
            RunbookError: the configuration does not read.
        """


@dataclass(frozen=True, slots=True)
class Desk:
    """What taking an alert needs."""

    journal: Journal
    clock: Clock
    targets: Targets
    say: Callable[[str], None]


class Intake:
    """Takes alerts while it is ready; `arrived` is set when there is something new to diagnose."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._one_at_a_time = asyncio.Lock()
        self._allowance = Allowance(desk.clock)
        self._tasks: set[asyncio.Task[int]] = set()
        self.memory = AlertMemory()
        self.not_ready = "the journal is still being read"
        self.arrived = asyncio.Event()

    async def take(self, alerts: Sequence[Alert]) -> int:
        """Journal those that are new; how many that were.

        Whoever asked may be gone meanwhile: it is done to its end, or a retry would find half of it.

        Raises:
            BusyError: too many wait, or come at once, or the journal was not read yet.
            RunbookError: the journal, or the configuration, refused; what was taken before that is known again.
        """
        task = asyncio.create_task(self._take(alerts))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _take(self, alerts: Sequence[Alert]) -> int:
        async with self._one_at_a_time:
            if self.not_ready:
                raise BusyError(self.not_ready)
            new = {seen_as(each): each for each in alerts if not self.memory.knows(each)}
            if not new:
                return 0
            if len(self.memory.waiting()) + len(new) > MOST_WAITING:
                raise BusyError(f"{len(self.memory.waiting())} alerts wait to be diagnosed")
            if not self._allowance.takes(len(new)):
                raise BusyError("too many new alerts in too short a time")
            taken: list[Entry] = []
            try:
                await asyncio.to_thread(self._journal, list(new.values()), taken)
            finally:
                for entry in taken:
                    self.memory.fold(entry)
                self.arrived.set()
            return len(taken)

    def _journal(self, alerts: Sequence[Alert], taken: list[Entry]) -> None:
        names = {named_target(each) for each in alerts}
        known = {named: self._desk.targets.known(named) for named in names}
        for each in alerts:
            named = named_target(each)
            target = known[named]
            received = Received(identity(each), self._desk.clock.now(), target, named, bounded(each))
            taken.append(self._desk.journal.append(Event.ALERT_RECEIVED, "", details_of(received)))
            if not target:
                what = f"names the target {named!r}, which there is not" if named else "names no target"
                self._desk.say(f"alert {received.alert.name} {what}: it was journaled, and nothing else")
