"""How an error rate is spent over planned looks.

The curves are those of Lan and DeMets (Biometrika 70, 1983, 659-663) and of Kim and DeMets (Biometrika 74, 1987,
149-154). A randomisation test has whole assignments to spend and no fractions of them, so a curve is turned into the
number of assignments that may cross at each look, for every total at once: with a greater total no look has fewer. That
keeps a test at a smaller error rate inside the one at a greater, which p-values and Holm's procedure rest on.
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist

_DIGITS = 9  # of a quotient: shares that differ by rounding only are the same

Curve = Callable[[float, float], float]
"""The error rate spent (0..alpha) at a total `alpha`, after the share `t` (0..1) of the time."""


def obrien_fleming(alpha: float, t: float) -> float:
    """Next to nothing at first, most of it at the end: 2 - 2 Phi(z(alpha/2) / sqrt t)."""
    if t <= 0:
        return 0.0
    normal = NormalDist()
    return 2 - 2 * normal.cdf(normal.inv_cdf(1 - alpha / 2) / math.sqrt(min(t, 1.0)))


def pocock(alpha: float, t: float) -> float:
    """Nearly evenly, a little more at first: alpha ln(1 + (e - 1) t)."""
    return alpha * math.log(1 + (math.e - 1) * min(max(t, 0.0), 1.0))


def evenly(alpha: float, t: float) -> float:
    """In proportion to the time: Kim and DeMets with the power 1."""
    return alpha * min(max(t, 0.0), 1.0)


CURVES: tuple[Curve, ...] = (evenly, pocock, obrien_fleming)


def spent(looks: Sequence[int], alpha: float, curve: Curve) -> tuple[float, ...]:
    """What each look may spend of `alpha`; the looks are the numbers of time buckets behind them, ascending."""
    ends = [curve(alpha, look / looks[-1]) for look in looks]
    return tuple(max(after - before, 0.0) for before, after in pairwise((0.0, *ends)))


@lru_cache(maxsize=64)
def order(looks: tuple[int, ...], number: int, curve: Curve, alpha: float) -> tuple[int, ...]:
    """Which look (counted from 0) the first, second, ... of `number` assignments to spend belongs to.

    Divided by Webster's method, the largest quotient next: it is monotone in the total, and keeps every prefix as near
    to the curve as whole numbers can be. Looks that the curve gives nothing get nothing. Of looks with the same claim
    the last goes first, then those that halve what lies between, so that few assignments are spread over the time.
    """
    shares = spent(looks, alpha, curve)
    whole = sum(shares)
    quotients = [
        (-round(share / whole / (place + 0.5), _DIGITS), _halving(len(looks) - 1 - look, len(looks)), look)
        for look, share in enumerate(shares)
        for place in range(math.ceil(number * share / whole) + 1)
        if share > 0
    ]
    return tuple(look for _, _, look in sorted(quotients)[:number])


def _halving(place: int, number: int) -> int:
    """Places in the order 0, 1/2, 1/4, 3/4, 1/8, ...: the bits of the place read backwards."""
    return int(f"{place:0{number.bit_length()}b}"[::-1], 2)
