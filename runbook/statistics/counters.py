"""Counters and histograms over a window: increases with restarts handled, rates, quantiles.

The rules are Prometheus's own (`increase`, `rate`, `histogram_quantile`) without its extrapolation to the ends
of the window: what was not seen is not counted.
"""

import math
from collections.abc import Collection, Sequence
from itertools import pairwise

from runbook.model.measurement import Sample

FEWEST_BUCKETS = 2  # one finite bound at least: the infinite bucket alone says only how many there were


def increase(samples: Sequence[Sample], restarts: Collection[float] = ()) -> float:
    """How much a counter rose; a fall is a restart, after which it counts from zero.

    `restarts` are moments at which its process is known to have begun again: the counter may have passed its old value
    by the time it is seen next.
    """
    total = 0.0
    for before, after in pairwise(samples):
        restarted = after.value < before.value or any(before.at < moment <= after.at for moment in restarts)
        total += after.value if restarted else after.value - before.value
    return total


def falls(samples: Sequence[Sample]) -> set[float]:
    """The moments at which a counter showed less than before: restarts of its process."""
    return {after.at for before, after in pairwise(samples) if after.value < before.value}


def since(samples: Sequence[Sample], begin: float) -> tuple[Sample, ...]:
    """The samples, with a zero at `begin` where the series began later: a counter is born at zero."""
    if samples and samples[0].at > begin:
        return (Sample(begin, 0.0), *samples)
    return tuple(samples)


def histogram_quantile(q: float, buckets: Sequence[tuple[float, float]]) -> float | None:
    """The q-quantile of a histogram, linear within a bucket, or None where nothing was observed or it is no histogram.

    Args:
        q: 0..1.
        buckets: (upper bound, cumulative count), the last bound infinite; in any order.

    Returns:
        The quantile in the unit of the bounds. In the infinite bucket it is the highest finite bound: at least that.
    """
    if any(math.isnan(bound) or math.isnan(count) for bound, count in buckets):
        return None
    ordered = sorted(buckets)
    if len(ordered) < FEWEST_BUCKETS or not math.isinf(ordered[-1][0]) or ordered[-1][1] <= 0:
        return None
    rank = q * ordered[-1][1]
    low_bound, low_count = 0.0, 0.0
    for bound, count in ordered:
        if count >= rank and count > low_count:
            if math.isinf(bound):
                return low_bound
            return low_bound + (bound - low_bound) * (rank - low_count) / (count - low_count)
        low_bound, low_count = (low_bound if math.isinf(bound) else bound), max(low_count, count)
    return low_bound
