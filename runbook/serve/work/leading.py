"""Of all that serve one state folder, one takes alerts: who holds the lock, and has read what the journal says."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from runbook.adapters.journal.following import Follower
from runbook.engine.alerts.decide import Before
from runbook.engine.alerts.memory import MOST_SEEN, AlertMemory
from runbook.errors import LockedError, RunbookError
from runbook.model.journal import Entry, Event, original
from runbook.model.run import ROLLBACK, WAY_BACK
from runbook.ports import Locks
from runbook.serve.webhook.intake import Intake
from runbook.serve.work.notes import until

LOCK = "serve-alerts"
_AGAIN_SECONDS = 2.0
_SLICE_SECONDS = 0.5
_ALL_SECONDS = 10.0
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
            self.say(f"no alerts are taken for now: {why}")


def remembered(follower: Follower) -> AlertMemory:
    """What the journal, as far as it is read, says of alerts. Entry by entry: pages wait for one, memory holds one."""
    memory = AlertMemory()
    for seq in sorted(number for event in _EVENTS for number in follower.numbers(event, MOST_SEEN)):
        found = follower.entry(seq)
        if found is not None and found.entry is not None:
            memory.fold(found.entry)
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


def before_of(follower: Follower, target: str, began: Sequence[datetime]) -> Before:
    """What goes on on that target, by the journal and what waits for it in its second place."""
    seen = follower.catch_up(_ALL_SECONDS)
    if not seen.complete:
        return Before(began, unknown=seen.trouble or "the journal is not read to its end")
    if seen.newer:  # one of them may be a rollout's
        return Before(began, unknown=f"{seen.newer} entries of the journal are of a newer version of this tool")
    ids = follower.rollouts(target)
    found = follower.rollout(ids[-1]) if ids else None
    rollout = "" if found is None or found.standing.is_over else found.id
    return Before(began, rollout, _braked(follower, target, seen.waiting))


def _braked(follower: Follower, target: str, waiting: Sequence[Entry]) -> datetime | None:
    lines = follower.newest(_MOST_RUNS, event=Event.RUN_STARTED)
    entries = [*waiting, *(original(each.entry) for each in lines if each.entry is not None)]
    return max((each.at for each in entries if _is_brake(each, target)), default=None)


def _is_brake(entry: Entry, target: str) -> bool:
    plan = entry.details.get("plan")
    if entry.event is not Event.RUN_STARTED or not isinstance(plan, Mapping) or plan.get("undoes"):
        return False
    return plan.get("target") == target and plan.get("issue") in {ROLLBACK, WAY_BACK}
