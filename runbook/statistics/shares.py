"""Shares of counted things, with intervals that hold for few of them and for none."""

import math

from runbook.statistics.means import REACH, Interval


def share_interval(part: float, whole: float, reach: float = REACH) -> Interval | None:
    """The part of the whole with Wilson's score interval (95 %), or None where the whole is nothing.

    `reach` is the quantile of the normal distribution for another certainty.

    E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927), 209-212. A part
    that is larger than the whole (counters are read one after the other) counts as all of it.
    """
    if not whole > 0 or not part >= 0:
        return None
    share, squared = min(part / whole, 1.0), reach * reach / whole
    middle = (share + squared / 2) / (1 + squared)
    half = math.sqrt(squared * (share * (1 - share) + squared / 4)) / (1 + squared)
    return Interval(share, max(middle - half, 0.0), min(middle + half, 1.0))


def least_more(mine: tuple[float, float], others: tuple[float, float], reach: float = REACH) -> float | None:
    """By how much the share of `mine` is above that of `others` at least; None where either whole is nothing.

    Both are (part, whole). It is the lower end of Newcombe's hybrid score interval of the difference (Statistics in
    Medicine 17, 1998, 873-890, method 10).
    """
    one, other = share_interval(*mine, reach), share_interval(*others, reach)
    if one is None or other is None:
        return None
    return one.value - other.value - math.hypot(one.value - one.low, other.high - other.value)
