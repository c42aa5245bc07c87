"""How many new alerts may come in how short a time: each costs the journal an entry, which nothing removes."""

from runbook.ports import Clock

MOST_AT_ONCE = 600
PER_SECOND = 1.0


class Allowance:
    """So many at once, and so many a second in the long run."""

    def __init__(self, clock: Clock, most: float = MOST_AT_ONCE, per_second: float = PER_SECOND) -> None:
        self._clock = clock
        self._most = most
        self._per_second = per_second
        self._left = most
        self._at = clock.monotonic()

    def takes(self, count: int) -> bool:
        """Are these allowed? Then they are used up."""
        now = self._clock.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        if count > self._left:
            return False
        self._left -= count
        return True
