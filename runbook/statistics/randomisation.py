"""A group-sequential randomisation test of a difference between two arms, whose units are whole paths.

Which units are treated was drawn by chance, so under "treatment shifts a unit by delta and does nothing else" every
other draw of as many would have been as likely, and its statistic can be computed: nothing is assumed of the paths, of
how they wander, of their tails. The statistic at a look is the difference of the arms' means of the units' mean up to
then. Boundaries come look after look from the joint distribution over the draws (Rosenberger and Lachin, Randomization
in Clinical Trials, 2nd ed., 2016, chapter 6; the spending is of Lan and DeMets): those draws that cross at a look for
the first time are exactly as many as may be spent there, ties are taken as not crossing. So over all looks together a
true delta is rejected with a probability of `alpha` at most, exactly, with 4 units or 400.

Bounds are the test turned round: all delta that are not rejected. The statistic of a draw is linear in delta.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from runbook.statistics import spending

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

EXACT = 4000
"""Up to so many draws are enumerated, all of them; more are sampled."""
DRAWS = 2000
"""So many are sampled at least, the one that happened among them: a Monte Carlo test with it in is exact, too."""
MOST_DRAWS = 10_000
PER_LOOK = 7
"""More than 2000 where else fewer than so many could cross at a look, on the average."""
PLANNED_ALPHA = 0.05
"""The error rate at which the spending curve has its shape; at others it is scaled in proportion."""
CURVE: spending.Curve = spending.evenly
"""Chosen by measurement (docs/explanation/judgement.md): a large harm is found as early as with Pocock's curve, and a
small one nearly as often as with O'Brien and Fleming's."""
_ROUNDING = 1e-12
_ROWS = 500


@dataclass(frozen=True, slots=True)
class Randomisation:
    """Draws and looks, ready to be asked. Row 0 is the draw that happened.

    `assigned[draw, unit]` says who is treated in it.
    `statistic[draw, look]` is the difference of the arms' means. A shift delta of the treated changes it by
    -delta * `carried[draw, look]`. A draw that leaves an arm without a reporting unit has infinity: it always crosses.
    `slots` says to which look the first, second, ... draw that may cross belongs.
    """

    assigned: Flags
    statistic: Numbers
    carried: Numbers
    slots: tuple[int, ...]
    exact: bool
    spread: Numbers
    """By look: how far apart the units' means are at most."""

    @property
    def draws(self) -> int:
        """How many assignments there are to compare with."""
        return int(self.statistic.shape[0])

    @property
    def looks(self) -> int:
        """How many looks have been taken."""
        return int(self.statistic.shape[1])

    def number(self, alpha: float) -> int:
        """How many draws may cross over all planned looks. With none the test can never reject."""
        return math.floor(alpha * self.draws + _ROUNDING)

    def last_look(self, alpha: float) -> int | None:
        """The last look that was taken (from 0) and has a share of alpha; None where there is none."""
        mine = [look for look in self.slots[: self.number(alpha)] if look < self.looks]
        return max(mine, default=None)

    def mirrored(self) -> "Randomisation":
        """The same with better and worse changed: for the other end of the interval."""
        mirror = np.where(np.isinf(self.statistic), self.statistic, -self.statistic)
        return Randomisation(self.assigned, mirror, self.carried, self.slots, self.exact, self.spread)

    def rejects(self, shift: float, alpha: float) -> Flags:
        """By look: is "treatment shifts by `shift` or less" rejected at that look's boundary?"""
        return np.asarray(_walk(self, np.array([shift]), self.number(alpha))[0][0])

    def alarms(self, alpha: float) -> Flags:
        """By draw: would it have been called worse at any look, had it happened and had the treated no effect?"""
        return np.asarray(~_walk(self, np.array([0.0]), self.number(alpha))[1][0])

    def p_value(self, shift: float, look: int) -> float:
        """The smallest alpha at which that look (from 0) rejects "`shift` or less"; 1 where none does."""
        low, high = 0, self.draws  # rejects with `high`, not with `low`
        if not _walk(self, np.array([shift]), high)[0][0, look]:
            return 1.0
        while high - low > 1:
            middle = (low + high) // 2
            if _walk(self, np.array([shift]), middle)[0][0, look]:
                high = middle
            else:
                low = middle
        return high / self.draws

    def lower_bound(self, look: int, alpha: float, landmarks: Sequence[float] = ()) -> float:
        """The infimum of the shifts that the look (from 0) does not reject; -inf where it rejects none.

        It is never on the wrong side of a landmark: shifts at which somebody will compare.
        """
        number = self.number(alpha)
        value = float(self.statistic[0, look])
        if not math.isfinite(value) or look not in self.slots[:number]:
            return -math.inf
        reach = max(2 * float(self.spread[look]), 1e-6)
        # Chance alone, the difference itself taken off: so the grid is as fine whatever the difference is.
        alone = self.statistic[:, look] - value * self.carried[:, look]
        usual = min(6 * float(np.std(alone[np.isfinite(alone)])), reach)
        offsets = np.unique(np.concatenate([np.linspace(0, usual, 25), np.geomspace(usual + reach / 50, reach, 8)]))
        grid = np.unique(np.concatenate([value - offsets, [mark for mark in landmarks if mark < value]]))
        for _ in range(3):
            kept = np.flatnonzero(~_walk(self, grid, number)[0][:, look])
            first = int(kept[0]) if kept.size else grid.size
            if first == 0:
                return -math.inf
            below, above = float(grid[first - 1]), float(grid[first]) if first < grid.size else value
            if first == grid.size:
                return value
            grid = np.linspace(below, above, 9)
        return (below + above) / 2


def randomisation(
    values: Numbers, treated: Flags, looks: Sequence[int], seed: str, alpha: float = PLANNED_ALPHA
) -> Randomisation:
    """Prepare the test.

    Args:
        values: [unit, bucket], NaN where a unit was silent. A unit counts at a look if it has ever reported by then.
        treated: [unit].
        looks: after how many buckets the plan looks, ascending; those after the last bucket are not taken yet.
        seed: the same seed samples the same draws.
        alpha: at which the test is going to be asked: the smaller, the more draws are sampled.
    """
    taken = [look for look in looks if look <= values.shape[1]]
    means = cumulative_means(values, taken)
    number = min(max(DRAWS, math.ceil(PER_LOOK * len(looks) / alpha)), MOST_DRAWS)
    draws, exact = _draws(len(treated), int(treated.sum()), number, seed)
    # Enumerated, it is among them already; a sample it is added to, or the test would not be exact.
    others = draws[~(draws == treated).all(axis=1)] if exact else draws
    assigned = np.vstack([treated, others])
    statistic, carried = _statistics(means, assigned)
    slots = spending.order(tuple(looks), len(statistic), CURVE, PLANNED_ALPHA) if len(looks) else ()
    return Randomisation(assigned, statistic, carried, slots, exact, _spread(means))


def cumulative_means(values: Numbers, looks: Sequence[int]) -> Numbers:
    """[unit, look]: each unit's mean over the buckets up to the look in which it reported; NaN where in none."""
    heard = ~np.isnan(values)
    ends = np.asarray(looks, dtype=np.intp) - 1
    total = np.cumsum(np.where(heard, values, 0.0), axis=1)[:, ends]
    count = np.cumsum(heard, axis=1)[:, ends]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _spread(means: Numbers) -> Numbers:
    heard = ~np.isnan(means)
    high = np.where(heard, means, -np.inf).max(axis=0, initial=-np.inf)
    low = np.where(heard, means, np.inf).min(axis=0, initial=np.inf)
    return np.where(heard.any(axis=0), high - low, 0.0)


def _draws(units: int, treated: int, number: int, seed: str) -> tuple[Flags, bool]:
    """[draw, unit]: all assignments of as many units, the one that happened among them; or a sample of others."""
    if math.comb(units, treated) <= EXACT:
        return _every_draw(units, treated), True
    return _sampled_draws(units, treated, number - 1, seed), False


@lru_cache(maxsize=4)
def _every_draw(units: int, treated: int) -> Flags:
    chosen = np.array(list(combinations(range(units), treated)), dtype=np.intp)
    return _flags(chosen.reshape(len(chosen), treated), units)


@lru_cache(maxsize=4)
def _sampled_draws(units: int, treated: int, number: int, seed: str) -> Flags:
    # Raw numbers of Philox are the same in every version of numpy; what its Generator makes of them is not promised.
    chance = np.random.Philox(key=int.from_bytes(hashlib.sha256(seed.encode()).digest()[:16], "big"))
    draws = np.zeros((number, units), dtype=np.bool_)
    for begin in range(0, len(draws), _ROWS):
        rows = draws[begin : begin + _ROWS]
        ranks = chance.random_raw(rows.size).reshape(rows.shape).argsort(axis=1)
        rows[:] = _flags(ranks[:, :treated], units)
    return draws


def _flags(chosen: NDArray[np.intp], units: int) -> Flags:
    flags = np.zeros((len(chosen), units), dtype=np.bool_)
    np.put_along_axis(flags, chosen, values=True, axis=1)
    return flags


def _statistics(means: Numbers, draws: Flags) -> tuple[Numbers, Numbers]:
    heard = ~np.isnan(means)
    sums = np.where(heard, means, 0.0)
    shifted = np.where(heard, draws[0][:, None], 0.0)
    statistic, carried = (np.empty((len(draws), means.shape[1])) for _ in range(2))
    for begin in range(0, len(draws), _ROWS):  # as numbers all of them at once would be large
        rows = slice(begin, begin + _ROWS)
        arm = draws[rows].astype(np.float64)
        statistic[rows], carried[rows] = _difference(arm, sums, heard), _difference(arm, shifted, heard)
    nothing = np.isnan(statistic)
    return np.where(nothing, np.inf, statistic), np.where(nothing, 0.0, carried)


def _difference(arm: Numbers, sums: Numbers, heard: Flags) -> Numbers:
    """[draw, look]: mean over the arm less mean over the rest, of the units that have reported; NaN without any."""
    count = heard.sum(axis=0).astype(np.float64)
    inside = arm @ heard.astype(np.float64)
    total = arm @ sums
    outside = count - inside
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(total / inside - (sums.sum(axis=0) - total) / outside)


def _walk(test: Randomisation, shifts: Numbers, number: int) -> tuple[Flags, Flags]:
    """If `number` draws may cross over all looks: does the one that happened lie beyond the boundary, [shift, look]?

    And [shift, draw]: which never crossed.
    """
    crossed = np.zeros((len(shifts), test.looks), dtype=np.bool_)
    inside = np.ones((len(shifts), test.draws), dtype=np.bool_)
    take = np.bincount(np.asarray(test.slots[:number], dtype=np.intp), minlength=test.looks)[: test.looks]
    for look in np.flatnonzero(take):
        with np.errstate(invalid="ignore"):
            moved = test.statistic[:, look] - shifts[:, None] * test.carried[:, look]
        left = np.where(inside, moved, -np.inf)
        if take[look] >= test.draws:
            boundary = np.full(len(shifts), -np.inf)
        else:
            boundary = -np.partition(-left, take[look], axis=1)[:, take[look]]
        rounding = _ROUNDING * np.maximum(np.abs(boundary), 1.0) if np.isfinite(boundary).all() else _ROUNDING
        beyond = moved > (boundary + rounding)[:, None]
        crossed[:, look] = beyond[:, 0] & np.isfinite(test.statistic[0, look])
        inside &= ~beyond
    return crossed, inside
