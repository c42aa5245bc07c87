"""What the journal says of alerts: which were taken, which wait for their diagnosis, what was done because of them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from runbook.engine.alerts.keeping import received_of, seen_as, series
from runbook.model.alert import Alert, Received
from runbook.model.journal import Entry, Event, original

MOST_SEEN = 50_000
"""How many firings and ends are known again; some 100 bytes each. More than come in half a day at full speed."""
MOST_BEGUN = 2000
"""How many beginnings of runs on one target are held: more than a day has minutes."""
DAY = timedelta(days=1)

INTENDED, ENDED, LEFT, CUT_OFF = "intended", "ended", "left", "cut off"
"""The states of `alert.acted`: about to begin; over; not done, and why; nobody saw its end."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that an alert was to begin, or began, of whose end the journal says nothing."""

    diagnosis: str
    target: str
    issue: str
    alerts: tuple[str, ...]
    reason: str
    """Why, as the journal of the run has it; empty where it did not begin."""

    @property
    def begun(self) -> bool:
        """Was its intent journaled?"""
        return bool(self.reason)


class AlertMemory:
    """Entries go in, in order; the same journal makes the same memory. `most` is how many alerts are known again."""

    def __init__(self, most: int = MOST_SEEN) -> None:
        self._most = most
        self._seen: dict[str, None] = {}
        self._ended: dict[str, None] = {}
        self._waiting: dict[str, Received] = {}
        self._unfinished: dict[str, Unfinished] = {}
        self._began: dict[str, list[datetime]] = {}

    def fold(self, entry: Entry) -> None:
        """Learn what that entry says. One that is none of ours says nothing, and neither does one that is not whole."""
        with suppress(KeyError, TypeError, ValueError, AttributeError):
            self._fold(original(entry))

    def _fold(self, entry: Entry) -> None:
        match entry.event:
            case Event.ALERT_RECEIVED:
                self._received(received_of(entry))
            case Event.ALERT_DIAGNOSED:
                self._diagnosed(entry.details)
            case Event.ALERT_ACTED:
                self._acted(entry)
            case _:
                pass

    def knows(self, alert: Alert) -> bool:
        """Was this firing, or this end, the last that was taken of it? After an end the same firing is a new one."""
        return seen_as(alert) in self._seen

    def has_ended(self, received: Received) -> bool:
        """Was an end of the same labels the last that was heard of them? Alertmanager may move a firing's begin."""
        return series(received.alert) in self._ended

    def waiting(self) -> tuple[Received, ...]:
        """Firings that were not diagnosed yet, the oldest first."""
        return tuple(self._waiting.values())

    def unfinished(self) -> tuple[Unfinished, ...]:
        """Runs of whose end nothing is known."""
        return tuple(self._unfinished.values())

    def began(self, target: str, now: datetime) -> tuple[datetime, ...]:
        """When runs began by themselves on that target within the last 24 hours; after `now` too: a clock went back."""
        return tuple(each for each in self._began.get(target, ()) if each > now - DAY)

    def _received(self, received: Received) -> None:
        now, before = "+-" if received.alert.firing else "-+"
        self._seen[f"{received.id}{now}"] = None
        # Prometheus gives each firing a begin of its own, but Alertmanager merges what overlaps and keeps the earliest:
        # of two Prometheus servers one says that it is over, and the other one that it fires. So may who sends itself.
        self._seen.pop(f"{received.id}{before}", None)
        self._ended.pop(series(received.alert), None)
        if not received.alert.firing:
            self._ended[series(received.alert)] = None
        elif received.target:
            self._waiting[received.id] = received
        for known in (self._seen, self._ended):
            _trim(known, self._most)

    def _diagnosed(self, details: Mapping[str, Any]) -> None:
        for each in details["alerts"]:
            self._waiting.pop(each, None)
        if details["acts"]:
            self._note(details, details["acts"], "")

    def _acted(self, entry: Entry) -> None:
        details = entry.details
        if details["state"] == INTENDED:
            self._note(details, details["issue"], details["reason"])
            kept = self._began.get(details["target"], [])[-MOST_BEGUN:]
            self._began[details["target"]] = [*kept, entry.at]
        else:
            self._unfinished.pop(details["diagnosis"], None)

    def _note(self, details: Mapping[str, Any], issue: str, reason: str) -> None:
        key, alerts = details["diagnosis"], tuple(details["alerts"])
        self._unfinished[key] = Unfinished(key, details["target"], issue, alerts, reason)


def _trim(known: dict[str, None], most: int) -> None:
    """Forget the oldest."""
    while len(known) > most:
        del known[next(iter(known))]
