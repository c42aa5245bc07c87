"""What can be measured of a node, as data: a metric, and how its samples become one number.

formed = Metric("engram_concepts_formed_total").per_minute()
slow = Metric("engram_consolidation_duration_seconds").quantile(0.99)
memory = Metric("process_resident_memory_bytes").growth_per_hour()
"""

from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    """How samples over a window become one number."""

    LAST = "last"  # a gauge's newest value
    RATE_PER_MINUTE = "rate_per_minute"  # a counter's increase, restarts handled
    QUANTILE = "quantile"  # of a histogram's increase over the window
    GROWTH_PER_HOUR = "growth_per_hour"  # a gauge's slope, with an interval


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of one node over a window, with its unit for people."""

    metric: str
    how: How
    unit: str
    quantile: float | None = None
    scale: float = 1.0

    @property
    def name(self) -> str:
        """The key of this quantity in baselines and reports."""
        if self.quantile is not None:
            return f"{self.how.value}({self.metric}, {self.quantile:g})"
        return f"{self.how.value}({self.metric})"

    @property
    def series(self) -> tuple[str, ...]:
        """The names of the time series that it needs, as a node exposes them."""
        return (f"{self.metric}_bucket",) if self.how is How.QUANTILE else (self.metric,)

    def above_baseline(self, factor: float, *, floor: float = 0.0, ceiling: float | None = None) -> "AboveBaseline":
        """Is it above `factor` x baseline (and above `floor`), or above `ceiling` whatever the baseline?"""
        return AboveBaseline(self, factor, floor, ceiling)

    def settles(self, factor: float, *, floor: float, ceiling: float | None = None) -> "Settled":
        """Is it back at or under `factor` x baseline, or under `floor`, and not above `ceiling`?"""
        return Settled(self, factor, floor, ceiling)

    def above(self, limit: float) -> "Above":
        """Is it above `limit`, for certain (the whole interval, where it has one)?"""
        return Above(self, limit)

    def below(self, limit: float) -> "Below":
        """Is it below `limit`, for certain (the whole interval, where it has one)?"""
        return Below(self, limit)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric by its exposed name; its series are summed over their labels."""

    name: str

    def last(self, unit: str) -> Quantity:
        """The newest value of a gauge."""
        return Quantity(self.name, How.LAST, unit)

    def per_minute(self, unit: str) -> Quantity:
        """The increase of a counter per minute; a restart of the process is no decrease."""
        return Quantity(self.name, How.RATE_PER_MINUTE, unit)

    def quantile(self, q: float, unit: str = "s") -> Quantity:
        """A quantile of what a histogram saw within the window."""
        return Quantity(self.name, How.QUANTILE, unit, quantile=q)

    def megabytes_per_hour(self) -> Quantity:
        """The slope of a gauge in bytes, as 10^6 bytes per hour, with its 95 % interval."""
        return Quantity(self.name, How.GROWTH_PER_HOUR, "MB/h", scale=1e-6)


@dataclass(frozen=True, slots=True)
class AboveBaseline:
    """YES above max(factor x baseline, floor), or above the ceiling.

    Without a baseline, or with a baseline of zero, only the absolute limits count.
    """

    quantity: Quantity
    factor: float
    floor: float
    ceiling: float | None


@dataclass(frozen=True, slots=True)
class Settled:
    """YES at or under max(factor x baseline, floor), and not above the ceiling, whatever the baseline."""

    quantity: Quantity
    factor: float
    floor: float
    ceiling: float | None = None


@dataclass(frozen=True, slots=True)
class Above:
    """YES where the whole interval is above the limit, NO where it is below, else UNKNOWN."""

    quantity: Quantity
    limit: float


@dataclass(frozen=True, slots=True)
class Below:
    """YES where the whole interval is below the limit, NO where it is above, else UNKNOWN."""

    quantity: Quantity
    limit: float


Condition = AboveBaseline | Settled | Above | Below
