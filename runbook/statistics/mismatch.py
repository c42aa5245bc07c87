"""Sample ratio mismatch: did chance split the units as it was told to? Looked at as often as one likes.

The e-process of Lindon and Malek (Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022, arXiv 2011.03567):
the Dirichlet-multinomial marginal likelihood of the counts over their likelihood at the expected share. One begins at
each step, since a split may go wrong late, and they are averaged with weights fixed beforehand, 1/2, 1/6, 1/12, ...;
an average of e-processes is one. While the split is as expected its mean is 1 at any moment that one chooses to look,
so it is ever above 1/alpha with a probability of alpha at most (Ville). A unit counts once: the recalls of one space
are not drawn apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

STRENGTH = 10.0
"""Of the prior around the expected share, in units: a few tens of them suffice to see a gross mismatch."""
_GREATEST = 700.0  # exp of more is no float


@dataclass(frozen=True, slots=True)
class Split:
    """The evidence after each step, and the step (from 0) from which on it grew to what blocks; None: it did not."""

    e_values: tuple[float, ...]
    since: int | None

    @property
    def strongest(self) -> float:
        """The greatest e-value so far; 1 before anything was seen."""
        return max(self.e_values, default=1.0)


def split(counts: Sequence[tuple[int, int]], share: float, alpha: float) -> Split:
    """The e-process over the steps.

    Args:
        counts: new units by step: (treated, controls).
        share: of the treated, as it was assigned, in (0, 1).
        alpha: the error rate.
    """
    found: list[float] = []
    since = None
    for step in range(1, len(counts) + 1):
        parts = [_part(counts[begin:step], share) / (begin + 1) / (begin + 2) for begin in range(step)]
        found.append(math.fsum(parts) + 1 / (step + 1))  # those that have not begun yet are at 1
        if since is None and found[-1] > 1 / alpha:
            since = parts.index(max(parts))
    return Split(tuple(found), since)


def log_evidence(treated: int, controls: int, share: float) -> float:
    """The logarithm of one e-value: ln B(a + x, b + y) - ln B(a, b) - x ln s - y ln(1 - s), where a : b = s : 1 - s."""
    a, b = STRENGTH * share, STRENGTH * (1 - share)
    expected = treated * math.log(share) + controls * math.log(1 - share)
    return _log_beta(a + treated, b + controls) - _log_beta(a, b) - expected


def _part(counts: Sequence[tuple[int, int]], share: float) -> float:
    log = log_evidence(sum(count[0] for count in counts), sum(count[1] for count in counts), share)
    return math.exp(min(log, _GREATEST))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
