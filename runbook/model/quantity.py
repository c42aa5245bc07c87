"""What can be asked of a node's metrics, as data: a number over a window, and a condition on that number."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

Labels = tuple[tuple[str, str], ...]
Limits = Mapping[str, Mapping[str, float]]
"""A limit for a quantity of a node: by the node's name, then by the quantity's."""


class How(StrEnum):
    """How samples over a window become one number."""

    LAST = "last"  # a gauge's newest value
    RISE = "rise"  # of a count that outlives its process, over the window
    SHARE = "share"  # a gauge's newest value as a share of another gauge's
    PART = "part"  # a counter's increase as a share of another's, with an interval
    RATE_PER_MINUTE = "rate_per_minute"  # a counter's increase, restarts handled
    QUANTILE = "quantile"  # of a histogram's increase over the window
    MEAN = "mean"  # of a histogram's increase over the window, with an interval
    MEAN_RATIO = "mean_ratio"  # of two groups' means over the same window, with an interval
    GROWTH_PER_HOUR = "growth_per_hour"  # a gauge's slope, with an interval


_SERIES = {
    How.QUANTILE: ("_bucket",),
    How.MEAN: ("_sum", "_count", "_bucket"),
    How.MEAN_RATIO: ("_sum", "_count", "_bucket"),
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of one node over a window, with its unit for people.

    Only series with all of `labels` count. `other` is the labels of the group that a ratio compares with, `whole` the
    metric that a share is of, and for a part `other` those of its whole. With `over` it is measured over that long,
    whatever the window.
    """

    metric: str
    how: How
    unit: str
    quantile: float | None = None
    scale: float = 1.0
    labels: Labels = ()
    other: Labels = ()
    whole: str = ""
    over: timedelta | None = None

    @property
    def name(self) -> str:
        """The key of this quantity in baselines and reports, such as `mean(recall_seconds{group=control})`."""
        parts = [self.metric + _braces(self.labels)]
        if self.quantile is not None:
            parts.append(f"{self.quantile:g}")
        if self.whole or self.other:
            parts.append(self.whole + _braces(self.other))
        if self.over is not None:
            parts.append(f"{self.over.total_seconds():g} s")
        return f"{self.how.value}({', '.join(parts)})"

    @property
    def series(self) -> tuple[str, ...]:
        """The names of the time series that it needs, as a node exposes them."""
        own = tuple(f"{self.metric}{ending}" for ending in _SERIES.get(self.how, ("",)))
        return (*own, self.whole) if self.whole else own

    def lasting(self, over: timedelta) -> "Quantity":
        """The same, measured over that long whatever the window."""
        return replace(self, over=over)

    def above_baseline(self, factor: float, *, floor: float = 0.0, ceiling: float | None = None) -> "AboveBaseline":
        """Is it above `factor` x baseline (and above `floor`), or above `ceiling` whatever the baseline?"""
        return AboveBaseline(self, factor, floor, ceiling)

    def settles(self, factor: float, *, floor: float, ceiling: float | None = None) -> "Settled":
        """Is it back at or under `factor` x baseline, or under `floor`, and not above `ceiling`?"""
        return Settled(self, factor, floor, ceiling)

    def below_baseline(self, factor: float, *, bottom: float = 0.0) -> "BelowBaseline":
        """Is it below `factor` x baseline, or below `bottom` whatever the baseline?"""
        return BelowBaseline(self, factor, bottom)

    def regains(self, factor: float, *, bottom: float = 0.0) -> "Regained":
        """Is it back at or above `factor` x baseline, and not below `bottom`?"""
        return Regained(self, factor, bottom)

    def above(self, limit: float) -> "Above":
        """Is it above `limit`, for certain (the whole interval, where it has one)?"""
        return Above(self, limit)

    def below(self, limit: float) -> "Below":
        """Is it below `limit`, for certain (the whole interval, where it has one)?"""
        return Below(self, limit)


def _braces(labels: Labels) -> str:
    return "{" + ",".join(f"{name}={value}" for name, value in labels) + "}" if labels else ""


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
    """YES at or under max(factor x baseline, floor), and not above the ceiling, whatever the baseline.

    UNKNOWN with neither baseline nor floor nor ceiling.
    """

    quantity: Quantity
    factor: float
    floor: float
    ceiling: float | None = None


@dataclass(frozen=True, slots=True)
class BelowBaseline:
    """YES where the whole interval is below max(factor x baseline, bottom), NO where it is not below, else UNKNOWN.

    Without a baseline only the bottom counts; a bottom of 0 is none.
    """

    quantity: Quantity
    factor: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Regained:
    """YES where the whole interval is at or above max(factor x baseline, bottom), NO where it is below, else UNKNOWN.

    Without a baseline only the bottom counts; a bottom of 0 is none.
    """

    quantity: Quantity
    factor: float
    bottom: float


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


@dataclass(frozen=True, slots=True)
class Sustained:
    """YES where one part is, else UNKNOWN where one part is, else NO.

    A part that asks for more time than the samples reach back is not asked; the first is asked always. Those
    that ask for more time have lower limits.
    """

    parts: tuple[Above, ...]


@dataclass(frozen=True, slots=True)
class Reported:
    """Only a person can know it: YES from `least` on, UNKNOWN where nobody said (`--NAME N`)."""

    name: str
    unit: str
    least: int


Measured = AboveBaseline | Settled | BelowBaseline | Regained | Above | Below
"""Conditions on one measured number."""
Condition = Measured | Sustained | Reported


def quantities_of(condition: Condition) -> tuple[Quantity, ...]:
    """Every quantity that the condition asks for."""
    match condition:
        case Sustained():
            return tuple(part.quantity for part in condition.parts)
        case Reported():
            return ()
        case _:
            return (condition.quantity,)
