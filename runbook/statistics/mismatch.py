"""Sample ratio mismatch: did chance split the units as it was told to? Looked at as often as one likes.

The e-process of Lindon and Malek (Anytime-Valid Inference for Multinomial Count Data, NeurIPS 2022, arXiv 2011.03567):
the Dirichlet-multinomial marginal likelihood of the counts over their likelihood at the expected share. While the split
is as expected its mean is 1 at any moment that one chooses to look, so it is ever above 1/alpha with a probability of
alpha at most (Ville). A unit counts once: the recalls of one space are not drawn apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

STRENGTH = 10.0
"""Of the prior around the expected share, in units: a few tens of them suffice to see a gross mismatch."""


@dataclass(frozen=True, slots=True)
class Split:
    """The evidence after each step, and the step (from 0) from which on it grew to what blocks; None: it does not."""

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
    logs = log_evidence(counts, share)
    limit = -math.log(alpha)
    crossing = next((step for step, log in enumerate(logs) if log > limit), None)
    since = None
    if crossing is not None:
        before = [0.0, *logs[:crossing]]
        # Where it was lowest the counts were last as expected: what pushed it over the limit came behind.
        since = max(step for step, log in enumerate(before) if log == min(before))
    return Split(tuple(math.exp(min(log, 700.0)) for log in logs), since)


def log_evidence(counts: Sequence[tuple[int, int]], share: float) -> list[float]:
    """The logarithm of the e-value after each step.

    ln B(a + x, b + y) - ln B(a, b) - x ln s - y ln(1 - s), where a : b = s : 1 - s.
    """
    a, b = STRENGTH * share, STRENGTH * (1 - share)
    treated = controls = 0
    logs = []
    for more_treated, more_controls in counts:
        treated, controls = treated + more_treated, controls + more_controls
        expected = treated * math.log(share) + controls * math.log(1 - share)
        logs.append(_log_beta(a + treated, b + controls) - _log_beta(a, b) - expected)
    return logs


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
