"""Holm's step-down procedure: several hypotheses, one error rate (Holm, Scand. J. Statist. 6, 1979, 65-70)."""

from collections.abc import Sequence


def holm(p_values: Sequence[float], alpha: float) -> tuple[bool, ...]:
    """Which hypotheses are rejected, so that any true one is with a probability of `alpha` at most.

    The smallest p is held against alpha / m, the next against alpha / (m - 1), until one is above. Nothing is assumed
    of how they depend on each other.
    """
    rejected = [False] * len(p_values)
    ranked = sorted(range(len(p_values)), key=lambda place: p_values[place])
    for rank, place in enumerate(ranked):
        if not p_values[place] <= alpha / (len(p_values) - rank):
            break
        rejected[place] = True
    return tuple(rejected)
