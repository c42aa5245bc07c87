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
