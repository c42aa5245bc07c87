"""One guardrail of one stage, simulated many times with the very judge that will decide. Pure. It imports numpy."""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runbook.model.foresight import Behaviour
from runbook.model.judgement import Guardrail, Metric
from runbook.statistics.arms import Arms, decisions

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
_SHARES = {Metric.ERRORS, Metric.SLOW}


@dataclass(frozen=True, slots=True)
class Trial:
    """What is drawn: units with so many `recalls` a bucket, over `own` buckets before the stage and those of it.

    `looks` are the numbers of buckets after which the plan looks. `alpha` is that of the stage, over `guardrails`.
    """

    guardrail: Guardrail
    behaviour: Behaviour
    recalls: Numbers
    treated: Flags
    own: int
    looks: tuple[int, ...]
    alpha: float
    guardrails: int
    seed: str


def found_safe(trial: Trial, runs: int) -> Numbers:
    """At which look (from 0) each run in which nothing changed is proved safe; infinity where it is not."""
    return np.array([_first(_safe(trial, run)) for run in range(runs)])


def found_harm(trial: Trial, runs: int, worse: float) -> Numbers:
    """At which look the harm is found in each run in which treatment is `worse` (in the guardrail's own measure)."""
    shift, alpha = raw(trial.guardrail.metric, worse), trial.alpha / trial.guardrails
    margin, limit = (
        raw(trial.guardrail.metric, each) for each in (trial.guardrail.margin, trial.guardrail.harm_margin)
    )
    return np.array([_first(decisions(_arms(trial, run, shift), alpha, margin, limit).worse) for run in range(runs)])


def raw(metric: Metric, told: float) -> float:
    """In the unit of the cells: a relative difference of latency is one of logarithms."""
    return math.log1p(told) if metric is Metric.LATENCY else told


def _safe(trial: Trial, run: int) -> Flags:
    arms = _arms(trial, run, 0.0)
    margin, limit = (
        raw(trial.guardrail.metric, each) for each in (trial.guardrail.margin, trial.guardrail.harm_margin)
    )
    found = decisions(arms, trial.alpha, margin, limit).safe
    if trial.guardrail.metric not in _SHARES:
        return found
    # What can hide in so few recalls: the judge's own rule for shares of failures.
    recalls = trial.recalls[trial.treated].sum() * np.array(trial.looks)
    hidden = math.log(len(trial.looks) / trial.alpha) / np.maximum(recalls, 1e-9)
    return np.asarray(found & (hidden < margin))


def _arms(trial: Trial, run: int, shift: float) -> Arms:
    """The judge's input, one column for each look: so made that the mean over the columns is that over the buckets."""
    means = _means(trial, run, shift)
    columns, before, count = np.full(means.shape, np.nan), np.zeros(len(means)), np.zeros(len(means))
    for look in range(means.shape[1]):
        heard = ~np.isnan(means[:, look])
        count += heard
        now = np.where(heard, means[:, look], 0.0)
        columns[heard, look] = (count * now - (count - 1) * before)[heard]
        before = now
    return Arms(columns, trial.treated, tuple(range(1, len(trial.looks) + 1)), trial.seed)


def _means(trial: Trial, run: int, shift: float) -> Numbers:
    """[unit, look]: the mean over the buckets up to the look less the unit's own before; NaN before its first recall.

    Drawn at once and not bucket by bucket: sums of what wanders and of chance are normal with known covariances.
    """
    key = int.from_bytes(hashlib.sha256(f"{trial.seed}:{trial.guardrail.metric}:{run}".encode()).digest()[:16], "big")
    draw = np.random.Generator(np.random.Philox(key=key))
    units, looks, behaviour = len(trial.recalls), np.array(trial.looks, dtype=np.float64), trial.behaviour
    wandered = draw.standard_normal((units, len(looks) + 1)) @ _wandering(trial).T
    drift = behaviour.drift * draw.standard_normal((units, 1))
    chance = np.cumsum(draw.standard_normal((units, len(looks))) * np.sqrt(np.diff(looks, prepend=0.0)), axis=1) / looks
    chance *= (_noise(trial, shift) * np.sqrt(_spread(trial.recalls)))[:, None]
    own = behaviour.noise * draw.standard_normal(units) / np.sqrt(np.maximum(trial.recalls * trial.own, 1.0))
    first = draw.geometric(-np.expm1(-np.maximum(trial.recalls, 1e-9)))  # the bucket of its first recall
    means = wandered[:, 1:] - wandered[:, :1] + drift + chance - own[:, None] + shift * trial.treated[:, None]
    return np.where(first[:, None] <= looks, means, np.nan)


def _spread(recalls: Numbers) -> Numbers:
    """The variance of the mean of one bucket's recalls, for a variance of 1: E(1/n), given that there was one.

    For n of Poisson's distribution; beyond 30 it is 1/n but for a thirtieth. Buckets without recalls do not count: as
    many fewer are averaged.
    """
    numbers = np.arange(1, 101)[:, None]
    logs = numbers * np.log(np.maximum(recalls, 1e-9)) - recalls - np.cumsum(np.log(numbers), axis=0)
    heard = -np.expm1(-np.maximum(recalls, 1e-9))
    inverse = (np.exp(logs) / numbers).sum(axis=0) / heard
    return np.asarray(np.where(recalls > 30, 1 / np.maximum(recalls, 1.0), inverse / heard))  # noqa: PLR2004  see above


def _noise(trial: Trial, shift: float) -> Numbers:
    """Of one recall, by unit: a share of failures that rises is noisier."""
    plain = trial.behaviour.noise
    if trial.guardrail.metric not in _SHARES:
        return np.full(len(trial.recalls), plain)
    share = min(max(trial.behaviour.level + shift, 0.0), 1.0)
    return np.where(trial.treated, max(plain, math.sqrt(share * (1 - share))), plain)


def _wandering(trial: Trial) -> Numbers:
    """A root of the covariance of the means over the time before and up to each look, of what is autoregressive.

    The sums over a and b >= a buckets from the same one on share the first a; the time before ends where the stage
    begins. phi^|i-j|, added up over rectangles.
    """
    phi, own, looks = trial.behaviour.persistence, trial.own, np.array(trial.looks, dtype=np.float64)

    def geometric(length: Numbers) -> Numbers:
        return np.asarray((1 - phi**length) / (1 - phi))

    def square(length: Numbers) -> Numbers:
        return np.asarray((length * (1 + phi) - 2 * phi * geometric(length)) / (1 - phi))

    shorter, longer = np.minimum.outer(looks, looks), np.maximum.outer(looks, looks)
    before, size = np.array([float(own)]), np.concatenate([[float(own)], looks])
    sums = np.zeros((len(size), len(size)))
    sums[0, 0] = square(before)[0]
    sums[1:, 1:] = square(shorter) + phi * geometric(shorter) * geometric(longer - shorter)
    sums[0, 1:] = sums[1:, 0] = phi * geometric(before) * geometric(looks)
    values, vectors = np.linalg.eigh(sums / np.outer(size, size))
    return np.asarray(trial.behaviour.wander * vectors * np.sqrt(np.maximum(values, 0.0)))


def _first(found: Flags) -> float:
    return float(np.argmax(found)) if found.any() else math.inf
