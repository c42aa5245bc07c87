"""Requests that were refused are journaled: once for each kind and period, with how many they were."""

import asyncio

from runbook.errors import RunbookError
from runbook.model.journal import Event
from runbook.ports import Clock, Journal
from runbook.serve.webhook.outcomes import Outcomes
from runbook.serve.work.notes import until

_LOOK_SECONDS = 1.0


async def journal_refusals(outcomes: Outcomes, journal: Journal, clock: Clock, ending: asyncio.Event) -> None:
    """Journal what is due, again and again; at the end all that is left. What is refused is due again later."""
    while not await until(ending, _LOOK_SECONDS):
        await _journal(outcomes, journal, clock, last=False)
    await _journal(outcomes, journal, clock, last=True)


async def _journal(outcomes: Outcomes, journal: Journal, clock: Clock, *, last: bool) -> None:
    for details in list(outcomes.due(clock.monotonic(), all_of_them=last)):
        try:
            await asyncio.to_thread(journal.append, Event.WEBHOOK_REFUSED, "", details)
        except RunbookError:  # whoever sends alerts is told so; this is only a count
            return
        outcomes.told(details, clock.monotonic())
