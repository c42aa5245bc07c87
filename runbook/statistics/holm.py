"""Holm's step-down procedure: several hypotheses, one error rate (Holm, Scand. J. Statist. 6, 1979, 65-70)."""

import math
from collections.abc import Sequence


def holm(p_values: Sequence[float], alpha: float) -> tuple[bool, ...]:
    """Which hypotheses are rejected, so that any true one is with a probability of `alpha` at most.

    The smallest p is held against alpha / m, the next against alpha / (m - 1), until one is above. Nothing is assumed
    of how they depend on each other. What is no number counts as 1.
    """
    rejected = [False] * len(p_values)
    known = [1.0 if math.isnan(p) else p for p in p_values]
    for rank, place in enumerate(sorted(range(len(known)), key=known.__getitem__)):
        if known[place] > alpha / (len(known) - rank):
            break
        rejected[place] = True
    return tuple(rejected)
