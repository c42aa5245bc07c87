"""Time that stands still until someone waits."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)


class MemoryClock:
    """`Clock` whose `sleep` returns at once, with the time gone by."""

    def __init__(self, now: datetime = _EPOCH) -> None:
        self._now = now
        self._steady = 0.0

    def now(self) -> datetime:
        """The wall time, in UTC."""
        return self._now

    def monotonic(self) -> float:
        """Seconds slept so far."""
        return self._steady

    def sleep(self, seconds: float) -> None:
        """Let that much time go by; none where it is zero or less."""
        self._steady += max(seconds, 0.0)
        self._now += timedelta(seconds=max(seconds, 0.0))

    def set_wall(self, now: datetime) -> None:
        """Set the wall clock, back too; the steady one takes no notice."""
        self._now = now
