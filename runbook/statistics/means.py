"""Means of histograms and ratios of two of them, with intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from runbook.statistics.slope import t_quantile

FEWEST = 30
"""Observations on each side under which the normal approximation of a mean is not trusted."""
CONFIDENCE = 0.95
REACH = 1.959964
"""The 97.5 % quantile of the normal distribution."""
_FEWEST_BOUNDS = 3  # zero, one finite bound, infinity: without a finite one nothing is known of the spread


@dataclass(frozen=True, slots=True)
class Observed:
    """What a histogram saw over a window: `buckets` are (upper bound, cumulative count), the last bound infinite."""

    total: float
    count: float
    buckets: Sequence[tuple[float, float]] = ()

    @property
    def mean(self) -> float | None:
        """The exact mean, or None where nothing was observed."""
        return self.total / self.count if self.count > 0 else None

    @property
    def variance(self) -> float:
        """The variance around the mean, everything in a bucket at its middle, plus Sheppard's w^2/12 of each bucket.

        Added, not taken off as Sheppard does: an interval that is a little too wide does not cry wolf. NaN where
        nothing was observed, or where buckets are missing: no spread is not no variance.
        """
        mean = self.mean
        ordered = [(0.0, 0.0), *sorted(self.buckets)]
        if mean is None or len(ordered) < _FEWEST_BOUNDS or not math.isinf(ordered[-1][0]):
            return math.nan
        spread = 0.0
        for (low, before), (high, after) in pairwise(ordered):
            width = 0.0 if math.isinf(high) else high - low
            spread += max(after - before, 0.0) * ((low + width / 2 - mean) ** 2 + width**2 / 12)
        return spread / self.count


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, or a ratio of means, and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def mean_interval(seen: Observed) -> Interval | None:
    """The mean, or None where nothing was observed.

    The interval is Student's, on the variance of the buckets; of one observation, or without buckets, it is everything.
    Like the ratio's it takes observations for independent.
    """
    if seen.mean is None:
        return None
    if seen.count <= 1 or math.isnan(seen.variance):
        return Interval(seen.mean, -math.inf, math.inf)
    degrees = seen.count - 1
    reach = t_quantile((1 + CONFIDENCE) / 2, degrees) * math.sqrt(seen.variance / degrees)
    return Interval(seen.mean, seen.mean - reach, seen.mean + reach)


def mean_ratio(one: Observed, other: Observed) -> Interval | None:
    """The one's mean / the other's, or None with fewer than thirty observations on a side or no positive mean.

    The interval is the delta method's on the logarithm (Casella & Berger, Statistical Inference, 2nd ed., 5.5.4). It
    takes observations for independent; recalls of one space are not quite, so this is a first look and no verdict.
    """
    if min(one.count, other.count) < FEWEST or not (one.mean and other.mean and one.mean > 0 and other.mean > 0):
        return None
    value = one.mean / other.mean
    error = math.sqrt(sum(side.variance / side.count / (side.mean or math.nan) ** 2 for side in (one, other)))
    return Interval(value, value * math.exp(-REACH * error), value * math.exp(REACH * error))
