"""How long ago something was journaled, by a clock that is never set back."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from runbook.model.journal import Entry, Event
from runbook.ports import Clock, Journal

NOTHING = timedelta(0)
JITTER = timedelta(minutes=1)
"""A clock that is corrected by less is not worth an entry."""


def settled(journal: Journal, clock: Clock) -> tuple[list[Entry], datetime]:
    """Every entry, and now. Where the clock stands behind the last entry, that is journaled first.

    Without that entry no time would count until the clock has caught up, which may be never.

    Raises:
        StorageError, DamagedError: as the journal raises.
    """
    entries, now = list(journal.entries()), clock.now()
    if entries and entries[-1].at - now > JITTER:
        entries.append(journal.append(Event.CLOCK_SET_BACK, "", {"last": entries[-1].at.isoformat()}))
    return entries, now


def ages(entries: Iterable[Entry], now: datetime) -> dict[int, timedelta]:
    """How long ago each entry was made, by its number; the entries in their order, oldest first.

    The wall clock may be set back between two entries, or before `now`: nobody knows how long that took, so it counts
    as no time at all. What happened an hour ago is therefore never taken for older than it is because of a clock that
    went back, and an entry that was stamped by a clock gone wrong forward does not hold anything up for ever.
    """
    passed, last = NOTHING, now
    moments: dict[int, timedelta] = {}
    for entry in entries:
        if moments:
            passed += max(entry.at - last, NOTHING)
        moments.setdefault(entry.seq, passed)  # what waits in the second place comes last, by numbers of its own
        last = entry.at
    passed += max(now - last, NOTHING)
    return {seq: passed - moment for seq, moment in moments.items()}
