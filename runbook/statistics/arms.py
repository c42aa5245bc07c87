"""Two arms compared: the randomisation test at planned looks and, with many spaces, the confidence sequence beside it.

With fewer than 30 spaces in an arm the randomisation test has all of alpha. From 30 on each has half, whatever is seen:
by Bonferroni both together err no more often than alpha, the sequence finds a clear difference within hours and at any
time, the test a small one at the end. How many spaces are assigned decides, not how many report, so that silence cannot
move alpha.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runbook.statistics.randomisation import Randomisation, cumulative_means, randomisation
from runbook.statistics.sequence import FEWEST, Sequence, sequence

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bounds:
    """One method's answer: the difference, its one-sided bounds at `alpha`, and p-values that make it worse, or safe.

    `p_worse` is for "above `harm`", `p_safe` for "below `margin`"; each is the smallest alpha at which its bound is
    beyond. `bucket` is how many time buckets it rests on.
    """

    value: float
    low: float
    high: float
    p_worse: float
    p_safe: float
    alpha: float
    bucket: int


@dataclass(frozen=True, slots=True)
class Arms:
    """The two arms of a stratum.

    `values` is [space, bucket], NaN where a space was silent; `treated` is [space]; `looks` are the numbers of buckets
    after which the plan looks, ascending. Everything positive is worse.
    """

    values: Numbers
    treated: Flags
    looks: tuple[int, ...]
    seed: str

    @property
    def many(self) -> bool:
        """Are there enough spaces in each arm for the confidence sequence?"""
        return min(int(self.treated.sum()), int((~self.treated).sum())) >= FEWEST

    def alpha_of_each(self, alpha: float) -> float:
        """What each method may spend."""
        return alpha / 2 if self.many else alpha


@dataclass(frozen=True, slots=True)
class Decisions:
    """By bucket, for those who look at every one: what the bounds said then. For simulations."""

    worse: Flags
    """The lower bound is above the harm margin."""
    safe: Flags
    """The upper bound is below the margin."""


def by_draws(arms: Arms, alpha: float, margin: float, harm: float) -> Bounds | None:
    """The randomisation test at the last look that was taken and has a share of alpha; None without one."""
    mine = arms.alpha_of_each(alpha)
    test = randomisation(arms.values, arms.treated, arms.looks, arms.seed, mine)
    look = test.last_look(mine)
    if look is None or not math.isfinite(value := float(test.statistic[0, look])):
        return None
    mirror = test.mirrored()
    low = test.lower_bound(look, mine, (harm, margin, 0.0))
    high = -mirror.lower_bound(look, mine, (-harm, -margin, 0.0))
    worse, safe = test.p_value(harm, look), mirror.p_value(-margin, look)
    return Bounds(value, low, high, worse, safe, mine, arms.looks[look])


def by_sequence(arms: Arms, alpha: float, margin: float, harm: float) -> Bounds | None:
    """The confidence sequence now; None with too few reporting spaces in an arm."""
    buckets = arms.values.shape[1]
    if not arms.many or not buckets:
        return None
    mine = arms.alpha_of_each(alpha)
    now = _sequence(arms, [buckets], mine)
    if math.isnan(value := float(now.value[0])):
        return None
    reach = float(now.reach(mine)[0])
    worse, safe = float(now.p_value(harm)[0]), float(_mirrored(now).p_value(-margin)[0])
    return Bounds(value, value - reach, value + reach, worse, safe, mine, buckets)


def decisions(arms: Arms, alpha: float, margin: float, harm: float) -> Decisions:
    """The same as both above at every bucket, in one go: a bound is beyond when either method's is."""
    mine = arms.alpha_of_each(alpha)
    test = randomisation(arms.values, arms.treated, arms.looks, arms.seed, mine)
    worse = _held(test, test.rejects(harm, mine), mine, arms)
    safe = _held(test, test.mirrored().rejects(-margin, mine), mine, arms)
    if arms.many:
        every = _sequence(arms, range(1, arms.values.shape[1] + 1), mine)
        worse |= every.value - every.reach(mine) > harm
        safe |= every.value + every.reach(mine) < margin
    return Decisions(worse, safe)


def _held(test: Randomisation, found: Flags, alpha: float, arms: Arms) -> Flags:
    """What a look found stands until the next one that has a share of alpha."""
    told = np.zeros(arms.values.shape[1], dtype=np.bool_)
    for look in sorted(set(test.slots[: test.number(alpha)])):
        if look < test.looks:
            told[arms.looks[look] - 1 :] = found[look]
    return told


def _sequence(arms: Arms, ends: list[int] | range, alpha: float) -> Sequence:
    return sequence(cumulative_means(arms.values, ends), arms.treated, len(arms.treated), alpha)


def _mirrored(found: Sequence) -> Sequence:
    return Sequence(-found.value, found.error, found.spaces, found.rho)
