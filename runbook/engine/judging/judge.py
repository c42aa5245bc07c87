"""The judge: from the paths of the spaces to a verdict for every guardrail, and one for the stage. Pure, deterministic.

Measuring was done before, acting is done behind. It imports numpy, so import it where it is called.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from runbook.engine.judging.judge_arithmetic import arithmetic
from runbook.engine.judging.judge_told import told_beside
from runbook.engine.judging.judge_words import Outcome, overall, sentence
from runbook.engine.judging.looking_on import left
from runbook.model.judgement import Estimate, Guardrail, Judged, Judgement, Method, Metric, Mismatch, Stratum, Verdict
from runbook.model.rollout import Judging
from runbook.statistics.arms import Arms, Bounds, by_draws, by_sequence
from runbook.statistics.holm import holm

MOST = 0.5
"""Where more than this share of an arm's recalls fails, what is left says nothing, and nothing is safe."""

POSSIBLE = 1e6
"""No logarithm of a latency and no share is that large: a node that says so has said nothing."""


@dataclass(frozen=True, slots=True)
class _Found:
    """One guardrail, before Holm: bounds by each method, and the two put together."""

    guardrail: Guardrail
    stratum: Stratum | None
    draws: Bounds | None = None
    sequence: Bounds | None = None
    estimate: Estimate | None = None


def judge(
    stage: str,
    strata: Sequence[Stratum],
    judging: Judging,
    mismatch: Mismatch | None = None,
    blocked: Sequence[str] = (),
    told: Sequence[str] = (),
) -> Judgement:
    """What the strata (one for each metric, all of this stage) say of the guardrails.

    In this order: nothing to compare is `no-data`; an upper bound below the margin is `safe`, also where the lower one
    is above 0; a lower bound above the harm margin is `harm`, if Holm's procedure over all guardrails of the stage says
    so at `judging.alpha` in all; all else is `inconclusive`. The stage is `harm` if any guardrail is, `safe` if all
    are. A guardrail whose metric has no stratum has no data.
    """
    by_metric = {stratum.metric: stratum for stratum in strata}
    found = [_find(guardrail, by_metric.get(guardrail.metric), judging.alpha) for guardrail in judging.guardrails]
    rejected = holm([one.estimate.p_harm if one.estimate else 1.0 for one in found], judging.alpha)
    judged = tuple(_judged(one, harmed=harmed) for one, harmed in zip(found, rejected, strict=True))
    verdict, why = overall(judged)
    return Judgement(stage, judged, mismatch, verdict, why, tuple(blocked), (*told, *told_beside(strata)))


def _find(guardrail: Guardrail, stratum: Stratum | None, alpha: float) -> _Found:
    if stratum is None or not stratum.treated or not stratum.controls:
        return _Found(guardrail, stratum)
    arms = arms_of(stratum)
    margin, harm = _raw(guardrail.metric, guardrail.margin), _raw(guardrail.metric, guardrail.harm_margin)
    draws, sequence = by_draws(arms, alpha, margin, harm), by_sequence(arms, alpha, margin, harm)
    return _Found(guardrail, stratum, draws, sequence, _estimate(stratum, arms, draws, sequence, alpha))


def arms_of(stratum: Stratum) -> Arms:
    """The paths as numbers. A space without a mean of its own before counts as silent; so does what can be none."""
    buckets = max((len(path.differences) for path in stratum.paths), default=0)
    values = np.full((len(stratum.paths), buckets), np.nan)
    for row, path in zip(values, stratum.paths, strict=True):
        if path.before > 0:
            row[: len(path.differences)] = path.differences
    values[~(np.abs(values) < POSSIBLE)] = np.nan
    return Arms(values, np.array([path.treated for path in stratum.paths]), stratum.looks, stratum.seed)


def _estimate(
    stratum: Stratum, arms: Arms, draws: Bounds | None, sequence: Bounds | None, alpha: float
) -> Estimate | None:
    """Both methods' bounds as one interval: each may err half as often, so both together as often as alpha says."""
    heard = ~np.isnan(arms.values).all(axis=1)
    treated, controls = int((heard & arms.treated).sum()), int((heard & ~arms.treated).sum())
    if not treated or not controls:
        return None
    means = np.nanmean(arms.values[heard], axis=1)
    mine = arms.treated[heard]
    plain = float(means[mine].mean() - means[~mine].mean())
    known = [bounds for bounds in (sequence, draws) if bounds]
    if sequence and draws and (draws.low > sequence.high or sequence.low > draws.high):
        known = [sequence]  # the last look is out of date: things have changed since
    value = known[0].value if known else plain
    low = max((bounds.low for bounds in known), default=-math.inf)
    high = max(min((bounds.high for bounds in known), default=math.inf), value + _grain(stratum, alpha))
    p_harm = min((bounds.p_worse * alpha / bounds.alpha for bounds in known), default=1.0)
    metric = stratum.metric
    return Estimate(
        value=_told(metric, value),
        low=_told(metric, low),
        high=_told(metric, high),
        p_harm=min(p_harm, 1.0),
        alpha=alpha,
        method=_method(draws, sequence),
        treated=treated,
        controls=controls,
        look=sum(look <= arms.values.shape[1] for look in stratum.looks),
        looks=len(stratum.looks),
    )


def _method(draws: Bounds | None, sequence: Bounds | None) -> Method:
    if draws and sequence:
        return Method.BOTH
    return Method.RANDOMISATION if draws else Method.SEQUENCE if sequence else Method.NONE


def _grain(stratum: Stratum, alpha: float) -> float:
    """How large a share of failures can hide in so few recalls: with none in n, it may still be ln(looks / alpha) / n.

    That is the exact binomial bound for none seen, at alpha over the looks. Other metrics hide nothing in counts.
    """
    if stratum.metric not in {Metric.ERRORS, Metric.SLOW}:
        return 0.0
    recalls = sum(path.after for path in stratum.paths if path.treated)
    return math.log(max(len(stratum.looks), 1) / alpha) / recalls if recalls else math.inf


def _judged(found: _Found, *, harmed: bool) -> Judged:
    guardrail, stratum, estimate = found.guardrail, found.stratum, found.estimate
    spaces = len(stratum.paths) if stratum else 0
    reporting = estimate.treated + estimate.controls if estimate else 0
    failing = _failing(stratum) if stratum else 0.0
    verdict = _verdict(guardrail, estimate, failing, harmed=harmed)
    more = left(stratum, estimate, guardrail) if stratum and estimate and verdict is Verdict.INCONCLUSIVE else None
    outcome = Outcome(guardrail, stratum, found.draws, found.sequence, estimate, verdict, failing, harmed, more)
    worse = estimate is not None and estimate.low > 0
    return Judged(
        guardrail, verdict, estimate, reporting, spaces, arithmetic(outcome), sentence(outcome), worse=worse, left=more
    )


def _verdict(guardrail: Guardrail, estimate: Estimate | None, failing: float, *, harmed: bool) -> Verdict:
    if estimate is None:
        return Verdict.NO_DATA
    if estimate.high < guardrail.margin and failing <= MOST:
        return Verdict.SAFE
    return Verdict.HARM if harmed and estimate.low > guardrail.harm_margin else Verdict.INCONCLUSIVE


def _failing(stratum: Stratum) -> float:
    """The share of recalls that failed since, in the arm where it is greater."""
    shares = []
    for treated in (True, False):
        arm = [path for path in stratum.paths if path.treated is treated]
        failed, after = sum(path.failed for path in arm), sum(path.after for path in arm)
        asked = after if stratum.metric is Metric.ERRORS else after + failed
        shares.append(failed / asked if asked else 0.0)
    return max(shares)


def _raw(metric: Metric, told: float) -> float:
    return math.log1p(told) if metric is Metric.LATENCY else told


def _told(metric: Metric, raw: float) -> float:
    if metric is not Metric.LATENCY or math.isinf(raw):
        return raw
    return math.expm1(raw) if raw < 700 else math.inf  # noqa: PLR2004  exp of more is no float
