"""The journal is followed while the server runs: one reading of it for pages, metrics and the webhook."""

import asyncio

from runbook.adapters.journal.following import Follower
from runbook.serve.work.notes import until

_SLICE_SECONDS = 0.5
_PAUSE_SECONDS = 2.0


async def follow(follower: Follower, ending: asyncio.Event) -> None:
    """Read what is new, again and again; a long journal in slices, so that the end is never waited for."""
    while not ending.is_set():
        seen = await asyncio.to_thread(follower.catch_up, _SLICE_SECONDS)
        if seen.complete or seen.trouble:
            await until(ending, _PAUSE_SECONDS)
