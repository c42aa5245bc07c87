"""The interval of a proportion, exact (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934, 404-413).

Wilson's is shorter on average, but holds less than it says for proportions near nothing, and that is where error rates
are. The beta quantile is found by bisection on the incomplete beta function, whose continued fraction is DLMF 8.17.22.
"""

import math

_STEPS = 60  # of bisection: 2^-60 of the whole
_TERMS = 500
_TINY = 1e-300


def proportion_interval(hits: float, count: float, confidence: float = 0.95) -> tuple[float, float]:
    """The ends of the interval of `hits` in `count`, each end missed with (1 - confidence) / 2 at most.

    Both may be broken numbers, as an effective number of observations is. Of none at all nothing is known: 0 to 1.
    """
    if count <= 0:
        return 0.0, 1.0
    miss = (1 - confidence) / 2
    hits = min(max(hits, 0.0), count)
    low = 0.0 if hits <= 0 else _beta_quantile(miss, hits, count - hits + 1)
    high = 1.0 if hits >= count else _beta_quantile(1 - miss, hits + 1, count - hits)
    return low, high


def _beta_quantile(p: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if incomplete_beta(middle, a, b) < p else (low, middle)
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for a and b above 0."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x),
    )
    # The fraction converges fast on the left of the mean; the other side is its mirror image.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Lentz's algorithm, as Numerical Recipes (3rd ed., 6.4) has it."""
    c, d = 1.0, 1 / _apart(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / _apart(1 + even * d), _apart(1 + even / c)
        value *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / _apart(1 + odd * d), _apart(1 + odd / c)
        value *= d * c
        if abs(d * c - 1) < 1e-15:  # noqa: PLR2004 - as near as a float comes
            break
    return value


def _apart(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
