"""The median with an interval that asks nothing of the distribution, and ratios and shares clustered in time.

A fleet is measured in blocks of time. A burst spoils some blocks and leaves the others alone, so the median over blocks
tells what is usual, and its interval runs from one order statistic to another: the ranks are the binomial's (W. J.
Conover, Practical Nonparametric Statistics, 3rd ed., 3.2). Blocks count as independent of one another.
"""

import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import median

from runbook.statistics.means import Interval
from runbook.statistics.slope import t_quantile


def median_interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """The median and its interval, endless where there are too few values for that confidence; None of nothing.

    Values that are not finite are none.
    """
    ordered = sorted(value for value in values if math.isfinite(value))
    if not ordered:
        return None
    below = ranks_below(len(ordered), confidence)
    if below is None:
        return Interval(median(ordered), -math.inf, math.inf)
    return Interval(median(ordered), ordered[below], ordered[-1 - below])


def ranks_below(count: int, confidence: float) -> int | None:
    """How many of `count` ordered values may be left out at each end; None where even the extremes do not suffice."""
    miss = (1 - confidence) / 2
    chances = accumulate(math.exp(_log_choose(count, k) - count * math.log(2)) for k in range(count // 2))
    below = sum(chance <= miss for chance in chances)
    return below - 1 if below else None


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def ratio_interval(blocks: Sequence[tuple[float, float]], confidence: float = 0.95) -> Interval | None:
    """The sum of the parts over the sum of the wholes, with Student's interval over the blocks; None of nothing.

    The ratio estimator and its variance (W. G. Cochran, Sampling Techniques, 3rd ed., 2.11). Of one block it is
    endless.
    """
    whole = sum(each for _, each in blocks)
    if whole <= 0:
        return None
    value, degrees = sum(part for part, _ in blocks) / whole, len(blocks) - 1
    if degrees < 1:
        return Interval(value, -math.inf, math.inf)
    spread = sum((part - value * each) ** 2 for part, each in blocks) * len(blocks) / degrees
    reach = t_quantile((1 + confidence) / 2, degrees) * math.sqrt(spread) / whole
    return Interval(value, value - reach, value + reach)


def design_effect(blocks: Sequence[tuple[float, float]]) -> float:
    """How many times the variance of a share is that of independent observations; 1 at least.

    Kish's design effect with blocks of time as clusters (L. Kish, Survey Sampling, 1965, 5.4), by the ratio estimator.
    One block shows no spread, which is not that there is none: it is worth one observation. A share of none or of all
    shows none either, but there all blocks agree.

    Args:
        blocks: (hits, count) of each block of time.
    """
    seen = [(hits, count) for hits, count in blocks if count > 0]
    total = sum(count for _, count in seen)
    share = sum(hits for hits, _ in seen) / total if total > 0 else 0.0
    if not 0 < share < 1:
        return 1.0
    if len(seen) < 2:  # noqa: PLR2004 - one block has no spread
        return max(total, 1.0)
    spread = sum((hits - share * count) ** 2 for hits, count in seen) * len(seen) / (len(seen) - 1)
    return max(spread / (total * share * (1 - share)), 1.0)
