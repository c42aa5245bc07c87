"""How much longer an inconclusive guardrail has to be looked at, as far as that can be said. Pure."""

import math
from datetime import timedelta

from runbook.model.judgement import Estimate, Guardrail, Metric, Stratum
from runbook.statistics.sequence import FEWEST


def left(stratum: Stratum, estimate: Estimate, guardrail: Guardrail) -> timedelta | None:
    """Until the look at which the interval is likely to be beyond one of the margins; None if at none.

    An interval shrinks with the square root of the time at best, so this is a hint for people and decides nothing.
    Where the interval is endless it is the time to the next look.
    """
    so_far = buckets(stratum)
    needed = _needed(estimate, guardrail, so_far)
    if min(stratum.treated, stratum.controls) >= FEWEST and not math.isinf(needed):
        ahead = math.ceil(needed) - so_far  # the confidence sequence looks at any time, after the last look, too
    else:
        ahead = next((look - so_far for look in stratum.looks if look > so_far and look >= needed), 0)
    return timedelta(seconds=ahead * stratum.bucket_seconds) if ahead > 0 else None


def until_last(stratum: Stratum) -> timedelta:
    """How long it is to the last planned look; nothing, once that was taken."""
    ahead = max((*stratum.looks, 0)) - buckets(stratum)
    return timedelta(seconds=max(ahead, 0) * stratum.bucket_seconds)


def buckets(stratum: Stratum) -> int:
    """How many time buckets the stratum has lasted."""
    return max((len(path.differences) for path in stratum.paths), default=0)


def _needed(estimate: Estimate, guardrail: Guardrail, so_far: int) -> float:
    """After how many buckets one of the bounds will have passed its margin, if the difference stays as it is."""
    value, low, high, margin, harm = (
        _straight(guardrail.metric, number)
        for number in (estimate.value, estimate.low, estimate.high, guardrail.margin, guardrail.harm_margin)
    )
    ways = [(high - value, margin - value), (value - low, value - harm)]
    known = [(reach, gap) for reach, gap in ways if gap > 0]
    if any(math.isinf(reach) for reach, _ in known):
        return so_far + 1
    return min((so_far * (reach / gap) ** 2 for reach, gap in known), default=math.inf)


def _straight(metric: Metric, told: float) -> float:
    if metric is not Metric.LATENCY:
        return told
    return math.log1p(told) if told > -1 else -math.inf
