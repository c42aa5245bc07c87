"""An A/A replay of somebody's own history: spaces that nobody treated are split by chance, many times, and judged.

Whatever is called worse there is a false alarm. The randomisation test cannot have too many, by its construction; the
confidence sequence might, on a fleet whose latency wanders in ways that nobody simulated. So it is tried before it is
trusted.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from runbook.statistics.arms import Arms
from runbook.statistics.randomisation import cumulative_means, randomisation
from runbook.statistics.sequence import sequence

RUNS = 200
BEFORE = 0.5
"""This share of the history is the own time before, the rest is judged."""
FEWEST_BUCKETS = 4
FEWEST_SPACES = 4
_REACH = 1.645  # the one-sided 95 % quantile of the normal distribution


@dataclass(frozen=True, slots=True)
class Replay:
    """How many of the splits were called worse at any look."""

    runs: int
    alarms: int
    alpha: float
    spaces: int
    buckets: int

    @property
    def share(self) -> float:
        """The rate of false alarms."""
        return self.alarms / self.runs

    @property
    def trusted(self) -> bool:
        """Is the rate at most alpha, as far as so many runs can tell (one-sided, 95 %)?"""
        return self.share <= self.alpha + _REACH * sqrt(self.alpha * (1 - self.alpha) / self.runs)

    @property
    def arithmetic(self) -> str:
        """The figure for the evidence."""
        allowed = self.alpha + _REACH * sqrt(self.alpha * (1 - self.alpha) / self.runs)
        return (
            f"{self.alarms} of {self.runs} splits by chance of {self.spaces} untreated spaces over {self.buckets} "
            f"buckets were called worse ({self.share * 100:.3g} %), {'not ' if self.trusted else ''}more than "
            f"{allowed * 100:.3g} % (alpha {self.alpha * 100:g} % and what {self.runs} runs leave to chance)"
        )


def replay(levels: NDArray[np.float64], looks: int, alpha: float, seed: str, runs: int = RUNS) -> Replay | None:
    """Judge the history as if half of its spaces had been treated from its middle on.

    Args:
        levels: [space, bucket], the metric of nobody treated, not less anything, NaN where a space was silent.
        looks: how many planned looks there are; they are spread evenly over the second half.
        alpha: the error rate of the judge.
        seed: the same seed makes the same splits.
        runs: how many; where all the splits that there are can be tried, all are.

    Returns:
        None with fewer than four spaces or buckets: there is nothing to replay.
    """
    middle = int(levels.shape[1] * BEFORE)
    heard = ~np.isnan(levels[:, :middle]).all(axis=1)
    known = levels[heard]
    spaces, buckets = len(known), levels.shape[1] - middle
    if spaces < FEWEST_SPACES or levels.shape[1] < FEWEST_BUCKETS:
        return None
    values = known[:, middle:] - np.nanmean(known[:, :middle], axis=1, keepdims=True)
    number = max(min(looks, buckets), 1)
    planned = tuple(buckets * look // number for look in range(1, number + 1))
    half = np.arange(spaces) < spaces // 2
    arms = Arms(values, half, planned, seed)
    test = randomisation(values, half, planned, seed, arms.alpha_of_each(alpha))
    splits = slice(None) if test.exact else slice(runs)
    worse = test.alarms(arms.alpha_of_each(alpha))[splits]
    if arms.many:
        means = cumulative_means(values, range(1, buckets + 1))
        every = sequence(means, test.assigned[splits], spaces, arms.alpha_of_each(alpha))
        worse = worse | (every.value - every.reach(arms.alpha_of_each(alpha)) > 0.0).any(axis=1)
    return Replay(len(worse), int(worse.sum()), alpha, spaces, buckets)
