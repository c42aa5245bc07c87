"""What the worker has to say: to the journal, which its memory of alerts follows, and to people."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from runbook.engine.alerts.memory import AlertMemory
from runbook.errors import RunbookError
from runbook.model.journal import Event
from runbook.ports import Journal

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0


class Notes:
    """Writes entries; `ending` is when to stop trying."""

    def __init__(
        self, journal: Journal, memory: AlertMemory, say: Callable[[str], None], ending: asyncio.Event
    ) -> None:
        self._journal = journal
        self._memory = memory
        self._ending = ending
        self.say = say

    async def write_now(self, event: Event, details: Mapping[str, Any]) -> bool:
        """One try; was it taken?"""
        try:
            entry = await asyncio.shield(asyncio.to_thread(self._journal.append, event, "", details))
        except RunbookError as error:
            self.say(f"the journal refused {event.value}: {error.message}")
            return False
        self._memory.fold(entry)
        return True

    async def write(self, event: Event, details: Mapping[str, Any]) -> bool:
        """Try until it is taken, with growing pauses; was it, before everything ended?"""
        pause = _FIRST_PAUSE_SECONDS
        while not await self.write_now(event, details):
            if self._ending.is_set():
                return False
            await until(self._ending, pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        return True


async def until(event: asyncio.Event, seconds: float) -> bool:
    """Wait for the event, at most so long; was it set?"""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
