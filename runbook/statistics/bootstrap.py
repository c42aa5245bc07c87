"""The ratio of two arms' p99, for people: no verdict comes of it.

Cells keep the moments of log latency and no quantile, so each arm's p99 is that of a log-normal mixture with the
moments of its spaces put together. The interval is the percentile bootstrap over spaces (Efron and Tibshirani, An
Introduction to the Bootstrap, 1993, chapter 13): recalls of one space are no independent draws, spaces are. What is
judged of the tail is the share of recalls over the service level objective, which is counted and not modelled.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
CONFIDENCE = 0.95
FEWEST = 5
"""Spaces in an arm under which resampling them tells nothing: the ratio stands without an interval."""


@dataclass(frozen=True, slots=True)
class Moments:
    """The recalls of one space: how many, and the sums of their log latencies and of the squares of these."""

    n: int
    total: float
    squares: float


@dataclass(frozen=True, slots=True)
class TailRatio:
    """Treatment's p99 over control's, with the ends of its 95 % interval (infinite and zero with too few spaces)."""

    value: float
    low: float
    high: float


def p99_ratio(treated: Sequence[Moments], controls: Sequence[Moments], seed: str) -> TailRatio | None:
    """The ratio, or None where an arm has no recalls. The same seed resamples the same spaces."""
    arms = [_numbers(treated), _numbers(controls)]
    if any(arm[:, 0].sum() <= 0 for arm in arms):
        return None
    value = math.exp(float(np.subtract(*(_log_p99(arm.sum(axis=0, keepdims=True))[0] for arm in arms))))
    if min(len(arm) for arm in arms) < FEWEST:
        return TailRatio(value, 0.0, math.inf)
    key = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:16], "big")
    chance = np.random.Generator(np.random.Philox(key=key))
    drawn = [chance.multinomial(len(arm), np.full(len(arm), 1 / len(arm)), RESAMPLES) @ arm for arm in arms]
    ratios = np.exp(_log_p99(drawn[0]) - _log_p99(drawn[1]))
    low, high = np.quantile(ratios, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return TailRatio(value, float(low), float(high))


def _numbers(arm: Sequence[Moments]) -> NDArray[np.float64]:
    heard = [(one.n, one.total, one.squares) for one in arm if one.n > 0]
    return np.array(heard, dtype=np.float64).reshape(len(heard), 3)


def _log_p99(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = sums[:, 1] / sums[:, 0]
    variance = np.maximum(sums[:, 2] / sums[:, 0] - mean**2, 0.0)
    return np.asarray(mean + NormalDist().inv_cdf(0.99) * np.sqrt(variance))
