"""What became of requests: counted one by one, journaled once for each kind and period."""

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

FIRST_SECONDS = 5.0
PERIOD_SECONDS = 600.0
_LONGEST_EXAMPLE = 300


class Outcome(StrEnum):
    """How a request to the webhook ends."""

    ACCEPTED = "accepted"  # also where everything in it was taken before
    CUT_SHORT = "cut short"  # taken as well, but Alertmanager left alerts out that nobody will know of
    UNKNOWN_SENDER = "unknown sender"
    TOO_LARGE = "too large"
    TOO_SLOW = "too slow"
    MALFORMED = "malformed"
    WRONG_VERSION = "wrong version"
    TOO_MANY = "too many alerts"
    FLOOD = "flood"
    NOT_READY = "not ready"
    NOT_JOURNALED = "not journaled"


class Outcomes:
    """Counts of this process. Refusals are due to be journaled soon after the first of a kind, then once a period."""

    def __init__(self) -> None:
        self.counts: Counter[Outcome] = Counter()
        self._pending: Counter[Outcome] = Counter()
        self._examples: dict[Outcome, str] = {}
        self._due: dict[Outcome, float] = {}

    def note(self, outcome: Outcome, now: float, example: str = "") -> None:
        """Count one more at that moment of a clock that never goes back; `example` says what it was, for people."""
        self.counts[outcome] += 1
        if outcome is Outcome.ACCEPTED:
            return
        self._pending[outcome] += 1
        self._examples.setdefault(outcome, example[:_LONGEST_EXAMPLE])
        if self._pending[outcome] == 1:
            self._due[outcome] = max(now + FIRST_SECONDS, self._due.get(outcome, 0.0))

    def due(self, now: float, *, all_of_them: bool = False) -> Iterator[dict[str, Any]]:
        """The details of what is to be journaled now."""
        for outcome in list(self._pending):
            if all_of_them or now >= self._due[outcome]:
                yield {"kind": outcome.value, "count": self._pending[outcome], "example": self._examples[outcome]}

    def told(self, details: dict[str, Any], now: float) -> None:
        """That was journaled; what came meanwhile waits for the next time."""
        outcome = Outcome(details["kind"])
        self._pending[outcome] -= details["count"]
        self._due[outcome] = now + PERIOD_SECONDS
        if not self._pending[outcome]:
            del self._pending[outcome]
            del self._examples[outcome]
