"""The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (arXiv 2103.06476).

Robbins' normal mixture with an estimated variance. For t observations with standard deviation sigma the half-width is

    two-sided (eq. 9):    sigma sqrt( 2 (t rho^2 + 1) / (t^2 rho^2) * ln( sqrt(t rho^2 + 1) / alpha ) )
    one-sided (eq. 134):  sigma sqrt( 2 (t rho^2 + 1) / (t^2 rho^2) * ln( 1 + sqrt(t rho^2 + 1) / (2 alpha) ) )

and rho makes it tightest at one t of one's choice. Here an observation is a space, whose value is its mean difference
up to now, and sigma / sqrt(t) is the standard error of the difference of two arms' means. The theorem is for spaces
that come one after the other; that it also holds for the same spaces looked at every hour is not proved there but
measured (`benchmarks/judges.py`). From 30 spaces an arm on; with fewer the normal approximation is too narrow.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

FEWEST = 30
"""Spaces an arm under which it is not asked."""


def two_sided(t: float, rho: float, alpha: float) -> float:
    """The half-width for a standard deviation of 1: eq. 9."""
    scaled = t * rho**2
    return math.sqrt(2 * (scaled + 1) / (t * scaled) * math.log(math.sqrt(scaled + 1) / alpha))


def one_sided(t: float, rho: float, alpha: float) -> float:
    """The distance of a one-sided bound from the mean for a standard deviation of 1: eq. 134."""
    scaled = t * rho**2
    return math.sqrt(2 * (scaled + 1) / (t * scaled) * math.log(1 + math.sqrt(scaled + 1) / (2 * alpha)))


def tuned(t: float, alpha: float) -> float:
    """The rho that makes the two-sided one at `alpha` about tightest at t.

    sqrt((-2 ln alpha + ln(-2 ln alpha + 1)) / t), the paper's closed form; for a one-sided bound at alpha give 2 alpha.
    """
    reach = -2 * math.log(alpha)
    return math.sqrt((reach + math.log(reach + 1)) / t)


@dataclass(frozen=True, slots=True)
class Sequence:
    """The difference of two arms' means by moment, and its standard error: NaN where an arm had too few spaces."""

    value: Numbers
    error: Numbers
    spaces: Numbers
    rho: float

    def reach(self, alpha: float) -> Numbers:
        """How far each one-sided bound at `alpha` is from the value."""
        scaled = self.spaces * self.rho**2
        factor = 2 * (scaled + 1) / scaled * np.log1p(np.sqrt(scaled + 1) / (2 * alpha))
        return np.asarray(self.error * np.sqrt(factor))

    def p_value(self, shift: float) -> Numbers:
        """The smallest alpha at which the lower bound is above `shift`: the boundary solved for alpha; 1 at most."""
        scaled = self.spaces * self.rho**2
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            power = ((self.value - shift) / self.error) ** 2 * scaled / (2 * (scaled + 1))
            p = np.minimum(np.sqrt(scaled + 1) / (2 * np.expm1(power)), 1.0)
        return np.where(self.value > shift, np.nan_to_num(p, nan=1.0), 1.0)


def sequence(means: Numbers, treated: Flags, planned: int, alpha: float, fewest: int = FEWEST) -> Sequence:
    """The confidence sequence at each moment.

    Args:
        means: [space, moment], its mean difference up to then, NaN where it has not reported.
        treated: [space]; or [split, space], and everything is by split and moment.
        planned: how many spaces there are to be at the planned decision, both arms together: it is tightest there.
        alpha: the error rate, per side, at which it is tightest.
        fewest: reporting spaces in each arm under which nothing is said.
    """
    one, one_variance, one_count = _arm(means, treated)
    other, other_variance, other_count = _arm(means, ~treated)
    enough = np.minimum(one_count, other_count) >= max(fewest, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(one_variance / one_count + other_variance / other_count)
    value = np.where(enough, one - other, np.nan)
    return Sequence(value, np.where(enough, error, np.nan), one_count + other_count, tuned(planned, 2 * alpha))


def _arm(means: Numbers, chosen: Flags) -> tuple[Numbers, Numbers, Numbers]:
    heard = ~np.isnan(means)
    member, centre = chosen.astype(np.float64), float(np.mean(means[heard])) if heard.any() else 0.0
    count = member @ heard.astype(np.float64)
    off = np.where(heard, means - centre, 0.0)  # near nothing, so that squares lose no digits
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (member @ off) / count
        variance = np.maximum(member @ off**2 - count * mean**2, 0.0) / (count - 1)
    return mean + centre, variance, count
