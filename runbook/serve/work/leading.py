"""Of all that serve one state folder, one takes alerts: who holds the lock, and has read what the journal says."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from runbook.adapters.journal.following import Follower
from runbook.engine.alerts.memory import MOST_SEEN, AlertMemory
from runbook.errors import LockedError, RunbookError
from runbook.model.journal import Event
from runbook.ports import Locks
from runbook.serve.webhook.intake import Intake
from runbook.serve.work.notes import until

LOCK = "serve-alerts"
_AGAIN_SECONDS = 2.0
_SLICE_SECONDS = 0.5
_MOST_RUNS = 50
_EVENTS = (Event.ALERT_RECEIVED, Event.ALERT_DIAGNOSED, Event.ALERT_ACTED)


@dataclass(frozen=True, slots=True)
class Seat:
    """What it takes to be the one."""

    locks: Locks
    follower: Follower
    intake: Intake
    say: Callable[[str], None]

    async def taken(self, held: ExitStack, ending: asyncio.Event) -> bool:
        """Wait for the lock, which `held` keeps, and for the journal; False where everything ends before.

        The intake knows what the journal says by then, and says why it is not ready until then.
        """
        while not ending.is_set():
            try:
                held.enter_context(self.locks.hold(LOCK, ""))
            except LockedError as error:
                self._tell(f"another serve takes the alerts: {error.message}")
            except RunbookError as error:
                self._tell(error.message)
            else:
                return await self._informed(ending)
            await until(ending, _AGAIN_SECONDS)
        return False

    async def _informed(self, ending: asyncio.Event) -> bool:
        while not ending.is_set():
            seen = await asyncio.to_thread(self.follower.catch_up, _SLICE_SECONDS)
            if seen.complete and seen.sound:
                self.intake.memory = await asyncio.to_thread(remembered, self.follower)
                return True
            if seen.complete or seen.trouble:
                self._tell(seen.trouble or "the journal is damaged: runbook audit verify")
                await until(ending, _AGAIN_SECONDS)
        return False

    def _tell(self, why: str) -> None:
        """Whoever sends alerts is told at each of them, and people once."""
        if why != self.intake.not_ready:
            self.intake.not_ready = why
            self.say(f"no alerts are taken: {why}")


def remembered(follower: Follower) -> AlertMemory:
    """What the journal, as far as it is read, says of alerts."""
    memory = AlertMemory()
    found = [each for event in _EVENTS for each in follower.newest(MOST_SEEN, event=event)]
    for each in sorted(found, key=lambda each: each.seq):
        if each.entry is not None:
            memory.fold(each.entry)
    return memory


def run_of(follower: Follower, target: str, issue: str, reason: str) -> str:
    """The id of the newest run of that incident on that target with that reason; empty where there is none."""
    follower.catch_up(_SLICE_SECONDS)
    for found in follower.newest(_MOST_RUNS, event=Event.RUN_STARTED):
        plan = {} if found.entry is None else found.entry.details.get("plan") or {}
        if found.entry is not None and (plan.get("target"), plan.get("issue"), plan.get("reason")) == (
            target,
            issue,
            reason,
        ):
            return found.entry.run
    return ""


def rollout_of(follower: Follower, target: str) -> str:
    """The id of the target's rollout that is under way; empty where there is none."""
    follower.catch_up(_SLICE_SECONDS)
    ids = follower.rollouts(target)
    found = follower.rollout(ids[-1]) if ids else None
    return "" if found is None or found.standing.is_over else found.id
