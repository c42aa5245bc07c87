"""Without a rollout: what the nodes' own `dual_memory.treatment_rate` does, judged at one look. Pure.

When the nodes began to assign as they do now is not written anywhere. So it is read off the rows: the last bucket in
which a space was served in another group than it is assigned to now.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from runbook.engine.judging.assigned import Regime
from runbook.engine.judging.judgement import judge_units, why_not
from runbook.engine.judging.span import OWN_BUCKETS, Arms, Span
from runbook.engine.judging.sums import AHEAD_SECONDS
from runbook.engine.judging.units import Units, units_of
from runbook.model.cells import Cell
from runbook.model.judgement import Judgement, Metric, Verdict
from runbook.model.rollout import Judging

STAGE: Final = "the nodes' own share"
ONE_LOOK = "no rollout is running, so this is one look; looking again until it says something finds something by chance"
AS_THEY_ARE = "no space has an untreated time before: they are compared as they are, which sees less"
_SECONDS_PER_HOUR = 3600

Rows = Callable[[], Iterable[Cell]]
"""All rows, ordered by bucket; they are read more than once."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What one pass over the rows found: since when the nodes assign as now, from when on and in which buckets."""

    first: int
    since: int
    lengths: frozenset[int]


def judge_own_rate(rows: Rows, regime: Regime | None, judging: Judging, now: float) -> tuple[Judgement, Units | None]:
    """All treated spaces against all that are not, at that moment (seconds since 1970); and the units, if any.

    Each is compared with its own untreated time before, where there is any. Without a regime that all nodes share
    there is nothing to compare.
    """
    if regime is None:
        return _nothing("the nodes do not agree on share, salt and named spaces: see runbook config drift"), None
    arms = Arms(regime.salt, 0.0, regime.share, regime.always, regime.always, everyone=True)
    known = _look(rows(), regime, now)
    span = None if known is None else _span(known, now)
    if span is None:
        return _nothing("the nodes have told of no recall"), None
    if why := why_not(arms, span, now):
        return _nothing(why), None
    units = units_of(rows(), arms, span, now, stage=STAGE)
    told = ONE_LOOK
    if not _both(units):
        units = units_of(rows(), arms, span, now, stage=STAGE, own=False)
        told = f"{ONE_LOOK}; {AS_THEY_ARE}"
    return judge_units(judging, replace(units, told=(told, *units.told))), units


def _look(rows: Iterable[Cell], regime: Regime, now: float) -> _Known | None:
    first, since, lengths = math.inf, 0, set()
    groups: dict[str, str] = {}
    for cell in rows:
        if cell.bucket > now + AHEAD_SECONDS or not cell.n + cell.errors:
            continue
        if cell.space not in groups:
            groups[cell.space] = regime.group(cell.space)
        first = min(first, cell.bucket)
        lengths.add(cell.seconds)
        if groups[cell.space] != cell.group:
            since = max(since, cell.bucket + cell.seconds)
    return _Known(int(first), since, frozenset(lengths)) if lengths else None


def _span(known: _Known, now: float) -> Span:
    """Buckets in which those of all nodes add up; so long that there are no more of them than of own time."""
    began = known.since or known.first
    bucket = math.lcm(*known.lengths)
    if bucket > max(_SECONDS_PER_HOUR, *known.lengths):
        bucket = max(known.lengths)
    bucket *= max(1, math.ceil((now - began) / (OWN_BUCKETS * bucket)))
    since, until = math.ceil(began / bucket) * bucket, math.floor(began / bucket) * bucket
    buckets = max(1, int((now - since) // bucket))
    return Span(bucket, until - OWN_BUCKETS * bucket, until, since, (buckets,))


def _both(units: Units) -> bool:
    """Has each arm a unit?"""
    stratum = units.strata[Metric.LATENCY]
    return bool(stratum.treated and stratum.controls)


def _nothing(why: str) -> Judgement:
    return Judgement(STAGE, (), None, Verdict.NO_DATA, why)
