"""Beside the server: the alerts that wait are diagnosed, target by target, and acted on where that is allowed."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runbook.engine.alerts import understood
from runbook.engine.alerts.decide import Before, Cause, Decision, decide
from runbook.engine.alerts.memory import LEFT
from runbook.errors import RunbookError
from runbook.model.alert import Received
from runbook.model.configuration import NOTHING, Automatic
from runbook.model.journal import Event
from runbook.model.runbook import Runbook
from runbook.ports import Clock
from runbook.serve.webhook.intake import Intake
from runbook.serve.work.acting import Deed, FindRun, act, tell_cut_off
from runbook.serve.work.diagnosing import details_of, diagnose
from runbook.serve.work.leading import Seat
from runbook.serve.work.notes import Notes, until
from runbook.serve.work.reading import Diagnosed
from runbook.serve.work.targets import ConfiguredTargets

MOST_CHILDREN = 2
_AFTER_A_FAULT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Trade:
    """What the worker works with. `new_id` names a diagnosis; `runbooks` say what alerts mean."""

    targets: ConfiguredTargets
    runbooks: Sequence[Runbook]
    clock: Clock
    new_id: Callable[[], str]
    find_run: FindRun
    before_of: Callable[[str, Sequence[datetime]], Before]
    settle_seconds: float


class Worker:
    """Diagnoses what `intake` took. One diagnosis of a target at a time, and one run."""

    def __init__(self, trade: Trade, seat: Seat, notes: Callable[[Intake, asyncio.Event], Notes]) -> None:
        self._trade = trade
        self._seat = seat
        self._intake = seat.intake
        self._make_notes = notes
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._children = asyncio.Semaphore(MOST_CHILDREN)

    async def run(self, ending: asyncio.Event) -> None:
        """Work until the event is set; a child that acts is told to end then, one that diagnoses is ended.

        A fault of this tool is told, and it begins anew; until then Alertmanager is asked to come again.
        """
        while not ending.is_set():
            try:
                await self._work(ending)
            except Exception:  # the server goes on
                logging.getLogger(__name__).exception("the worker failed; it begins anew")
                self._intake.not_ready = "the worker failed, and begins anew"
                await until(ending, _AFTER_A_FAULT_SECONDS)

    async def _work(self, ending: asyncio.Event) -> None:
        with ExitStack() as held:
            if not await self._seat.taken(held, ending):
                return
            notes = self._make_notes(self._intake, ending)
            for each in self._intake.memory.unfinished():
                await tell_cut_off(each, notes, self._trade.find_run)
            self._intake.not_ready = ""
            self._intake.arrived.set()
            async with asyncio.TaskGroup() as group:
                while not ending.is_set():
                    if await until(self._intake.arrived, 1.0):
                        self._intake.arrived.clear()
                        self._begin(group, notes, ending)
                self._intake.not_ready = "serve is ending"

    def _begin(self, group: asyncio.TaskGroup, notes: Notes, ending: asyncio.Event) -> None:
        for target in dict.fromkeys(each.target for each in self._intake.memory.waiting()):
            self._start(group, target, self._answer(group, target, notes, ending))

    def _start(self, group: asyncio.TaskGroup, name: str, work: Coroutine[Any, Any, None]) -> bool:
        """Begin it, if nothing of that name is under way."""
        if name in self._at_work:
            work.close()
            return False
        task = group.create_task(work)
        self._at_work[name] = task

        def over(_: asyncio.Task[None]) -> None:
            del self._at_work[name]
            self._intake.arrived.set()

        task.add_done_callback(over)
        return True

    async def _answer(self, group: asyncio.TaskGroup, target: str, notes: Notes, ending: asyncio.Event) -> None:
        """Diagnose the target because of everything that waits for it, a moment from now; act where that is allowed."""
        if await until(ending, self._trade.settle_seconds):
            return
        batch = [each for each in self._intake.memory.waiting() if each.target == target]
        async with self._children:
            found = await diagnose(target, batch, self._trade.targets.words(), ending)
        if found is None or ending.is_set():  # cut off: the next start takes it up
            return
        automatic = self._automatic(target)
        before = Before()
        if automatic.issues:
            before = await asyncio.to_thread(self._trade.before_of, target, self._began(target))
        decision = self._decide(automatic, found, batch, before)
        details = details_of(self._trade.new_id(), target, batch, found) | {"acts": decision.issue or None}
        if not await notes.write(Event.ALERT_DIAGNOSED, details):
            return
        many = "1 alert" if len(batch) == 1 else f"{len(batch)} alerts"
        notes.say(f"{target}: {many} diagnosed, exit code {found.code} {found.why}".rstrip())
        issue = decision.issue or next(filter(None, map(self._meaning, batch)), "")
        causes = [each for each in batch if self._meaning(each) == issue]
        deed = Deed(details["diagnosis"], target, issue, automatic, causes)
        if decision.issue:
            work = act(deed, self._trade.targets.words(), notes, self._trade.find_run, ending)
            if self._start(group, f"act on {target}", work):
                return
            decision = Decision("", "another run that began by itself is under way")
        if automatic.issues:
            await notes.write(Event.ALERT_ACTED, deed.details | {"state": LEFT, "why": decision.why})

    def _began(self, target: str) -> tuple[datetime, ...]:
        return self._intake.memory.began(target, self._trade.clock.now())

    def _decide(self, automatic: Automatic, found: Diagnosed, batch: Sequence[Received], before: Before) -> Decision:
        memory, now = self._intake.memory, self._trade.clock.now()
        causes = [Cause(self._meaning(each), each.at, memory.has_ended(each)) for each in batch]
        return decide(automatic, found.answers, causes, before, now)

    def _meaning(self, received: Received) -> str:
        return understood([received.alert], self._trade.runbooks, ())[0].issue

    def _automatic(self, target: str) -> Automatic:
        """What may happen by itself now: the configuration is read again, and nothing may where it does not read."""
        try:
            settings = self._trade.targets.settings(target)
        except RunbookError:
            return NOTHING
        return NOTHING if settings is None else settings.automatic
