"""How far two distributions are apart: Kolmogorov's distance of two histograms, with a bound that always holds.

sup |F1 - F2| of the true distributions is off the observed one by e1 + e2 at most, e = sqrt(ln(2 / miss) / 2n) on each
side (A. Dvoretzky, J. Kiefer and J. Wolfowitz, 1956, with the constant of P. Massart, Annals of Probability 18, 1990).
A histogram shows F at its bounds only, so the distance is one at these bounds; the bound holds all the more.
"""

import math
from collections.abc import Mapping, Sequence

from runbook.statistics.means import Interval
from runbook.statistics.typical import design_effect

Counts = Mapping[float, float]
"""How many observations are at or under each upper bound; the last bound is infinite."""


def distance(one: Counts, other: Counts, sizes: tuple[float, float], confidence: float = 0.95) -> Interval | None:
    """The greatest difference of the two, 0..1, and its interval; None where one of them is empty or has other bounds.

    Args:
        one: the first histogram.
        other: the second one.
        sizes: how many independent observations each is worth.
        confidence: how often the interval holds at least.
    """
    whole = [max(each.values(), default=0.0) for each in (one, other)]
    if min(whole) <= 0 or min(sizes) <= 0 or set(one) != set(other):
        return None
    apart = max(abs(one[bound] / whole[0] - other[bound] / whole[1]) for bound in one)
    reach = sum(massart(size, (1 - confidence) / 2) for size in sizes)
    return Interval(apart, max(apart - reach, 0.0), min(apart + reach, 1.0))


def massart(size: float, miss: float) -> float:
    """How far an empirical distribution of that many observations strays, but for a share `miss` of the cases."""
    return math.sqrt(math.log(2 / miss) / (2 * size))


def effective_size(blocks: Sequence[Counts]) -> float:
    """How many independent observations the blocks of time are worth together: by the worst of the bounds."""
    bounds = {bound for block in blocks for bound in block}
    total = sum(max(block.values(), default=0.0) for block in blocks)
    worst = (
        design_effect([(block.get(bound, 0.0), max(block.values(), default=0.0)) for block in blocks])
        for bound in bounds
    )
    return total / max(worst, default=1.0)
