"""How much longer an inconclusive guardrail has to be looked at, as far as that can be said. Pure."""

import math
from datetime import timedelta

from runbook.model.judgement import Estimate, Guardrail, Metric, Stratum
from runbook.statistics.sequence import FEWEST

FAR = 2
"""With many spaces looking goes on after the last planned look: so many times as long as the stage, and no longer."""

_NEVER = 1000  # an interval that has to become so many times narrower takes a million times as long


def left(stratum: Stratum, estimate: Estimate, guardrail: Guardrail) -> timedelta | None:
    """Until the look at which the interval is likely to be beyond one of the margins; None if at none.

    An interval shrinks with the square root of the time at best, and the difference moves, so this is a hint for people
    and decides nothing. Where the difference as it is would settle nothing, but none at all would, it is the time to
    the last look. Where the interval is endless it is the time to the next.
    """
    so_far, last = buckets(stratum), max((*stratum.looks, 0))
    needed, hopeful = _needed(estimate, guardrail, so_far)
    if min(stratum.treated, stratum.controls) >= FEWEST and needed <= FAR * max(last, so_far):
        ahead = math.ceil(needed) - so_far  # the confidence sequence looks at any time
    else:
        enough = last if needed > last >= hopeful else needed
        ahead = next((look - so_far for look in stratum.looks if look > so_far and look >= enough), 0)
    return timedelta(seconds=ahead * stratum.bucket_seconds) if ahead > 0 else None


def until_last(stratum: Stratum) -> timedelta:
    """How long it is to the last planned look; nothing, once that was taken."""
    ahead = max((*stratum.looks, 0)) - buckets(stratum)
    return timedelta(seconds=max(ahead, 0) * stratum.bucket_seconds)


def buckets(stratum: Stratum) -> int:
    """How many time buckets the stratum has lasted."""
    return max((len(path.differences) for path in stratum.paths), default=0)


def _needed(estimate: Estimate, guardrail: Guardrail, so_far: int) -> tuple[float, float]:
    """After how many buckets a bound will have passed its margin: if the difference stays, and if it turns out none."""
    value, low, high, margin, harm = (
        _straight(guardrail.metric, number)
        for number in (estimate.value, estimate.low, estimate.high, guardrail.margin, guardrail.harm_margin)
    )
    ways = [(high - value, margin - value), (value - low, value - harm)]
    known = [(reach, gap) for reach, gap in ways if gap > 0]
    if any(math.isinf(reach) for reach, _ in known):
        return so_far + 1, so_far + 1
    stays = min((_until(so_far, reach, gap) for reach, gap in known), default=math.inf)
    return stays, _until(so_far, high - value, margin)


def _until(so_far: int, reach: float, gap: float) -> float:
    if gap <= 0 or reach > _NEVER * gap:
        return math.inf
    return so_far * (reach / gap) ** 2


def _straight(metric: Metric, told: float) -> float:
    if metric is not Metric.LATENCY:
        return told
    return math.log1p(told) if told > -1 else -math.inf
