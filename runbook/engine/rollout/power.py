"""One guardrail of one stage, simulated many times with the very judge that will decide. Pure. It imports numpy."""

import hashlib
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runbook.model.foresight import Behaviour
from runbook.model.judgement import Guardrail, Metric
from runbook.statistics.arms import Arms, decisions
from runbook.statistics.randomisation import cumulative_means

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
    means = cumulative_means(_differences(trial, run, shift), trial.looks)
    columns, before, count = np.full(means.shape, np.nan), np.zeros(len(means)), np.zeros(len(means))
    for look in range(means.shape[1]):
        heard = ~np.isnan(means[:, look])
        count += heard
        now = np.where(heard, means[:, look], 0.0)
        columns[heard, look] = (count * now - (count - 1) * before)[heard]
        before = now
    return Arms(columns, trial.treated, tuple(range(1, len(trial.looks) + 1)), trial.seed)


def _differences(trial: Trial, run: int, shift: float) -> Numbers:
    """[unit, bucket] of the stage, less the unit's own mean before; NaN where a unit has no recall."""
    key = int.from_bytes(hashlib.sha256(f"{trial.seed}:{trial.guardrail.metric}:{run}".encode()).digest()[:16], "big")
    draw = np.random.Generator(np.random.Philox(key=key))
    units, buckets, behaviour = len(trial.recalls), trial.own + trial.looks[-1], trial.behaviour
    count = draw.poisson(trial.recalls[:, None], (units, buckets)).astype(np.float64)
    drift = behaviour.drift * draw.standard_normal((units, 1))
    values = _wandering(behaviour, draw, units, buckets)
    chance = draw.standard_normal((units, buckets)) / np.sqrt(np.maximum(count, 1))
    own, since = slice(0, trial.own), slice(trial.own, buckets)
    values[:, own] += behaviour.noise * chance[:, own]
    values[:, since] += _noise(trial, shift)[:, None] * chance[:, since] + drift + shift * trial.treated[:, None]
    before = count[:, own].sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (count[:, own] * values[:, own]).sum(axis=1) / before
    return np.where(count[:, since] > 0, values[:, since] - mean[:, None], np.nan)


def _noise(trial: Trial, shift: float) -> Numbers:
    """Of one recall, by unit: a share of failures that rises is noisier."""
    plain = trial.behaviour.noise
    if trial.guardrail.metric not in _SHARES:
        return np.full(len(trial.recalls), plain)
    share = min(max(trial.behaviour.level + shift, 0.0), 1.0)
    return np.where(trial.treated, max(plain, math.sqrt(share * (1 - share))), plain)


def _wandering(behaviour: Behaviour, draw: np.random.Generator, units: int, buckets: int) -> Numbers:
    """Autoregressive of order one, stationary from its first bucket on."""
    steps = draw.standard_normal((buckets, units))
    steps[1:] *= math.sqrt(1 - behaviour.persistence**2)
    for bucket in range(1, buckets) if behaviour.persistence else ():
        steps[bucket] += behaviour.persistence * steps[bucket - 1]
    return np.asarray(behaviour.wander * steps.T)


def _first(found: Flags) -> float:
    return float(np.argmax(found)) if found.any() else math.inf
