"""The one way from the nodes' rows to a judgement: the watcher, `abtest report` and evidence all go it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from runbook.engine.judging.ratio import mismatch
from runbook.engine.judging.span import Arms, Span, arms_of, span_of
from runbook.engine.judging.units import Units, clock, units_of
from runbook.model.cells import Cell
from runbook.model.judgement import Judgement, Mismatch, Verdict
from runbook.model.measurement import Silence
from runbook.model.rollout import Judging, Rollout

SECOND: Final = timedelta(seconds=1)


def judge_stage(rollout: Rollout, rows: Iterable[Cell], now: float) -> Judgement:
    """What the rows say of the stage that the rollout is in, at that moment (seconds since 1970).

    Only buckets that are over by then count, so the same rows, rollout and moment always give the same judgement: take
    the moment before the rows are collected. They come ordered by bucket, as a store gives them, from `rows_needed` on.
    """
    return judge_stage_units(rollout, rows, now)[0]


def judge_stage_units(rollout: Rollout, rows: Iterable[Cell], now: float) -> tuple[Judgement, Units | None]:
    """The same, and the units that it was made of."""
    judging = rollout.current.phase.judging
    units = stage_units(rollout, rows, now)
    if units is None or judging is None:
        return nothing(rollout, now), units
    return judge_units(judging, units), units


def stage_units(rollout: Rollout, rows: Iterable[Cell], now: float) -> Units | None:
    """The units of the stage; None where there can be none, and `nothing` says why."""
    span = span_of(rollout)
    if span is None or why_not(arms_of(rollout), span, now):
        return None
    return units_of(rows, arms_of(rollout), span, now, stage=rollout.current.name)


def judge_units(judging: Judging, units: Units) -> Judgement:
    """The guardrails judged by the units. What blocks makes `safe` inconclusive, and takes no harm back."""
    from runbook.engine.judging.judge import judge  # noqa: PLC0415  # numpy, for those who judge

    recalls = (units.treated_recalls, units.recalls - units.treated_recalls)
    ratio = _dated(mismatch(units.sighted, units.expected_share, recalls), units)
    return hindered(judge(units.stage, tuple(units.strata.values()), judging, ratio, units.blocked, units.told))


def _dated(found: Mismatch, units: Units) -> Mismatch:
    """The bucket in which a mismatch began, as a moment."""
    if found.since_bucket is None:
        return found
    began = clock(units.since + found.since_bucket * units.bucket)
    return replace(found, arithmetic=f"{found.arithmetic}; it began in the bucket of {began}")


def hindered(found: Judgement, silent: Sequence[Silence] = (), told: Sequence[str] = ()) -> Judgement:
    """The judgement, `safe` no more where something blocks: a node that is silent now is a reason, too."""
    found = replace(found, told=(*found.told, *told))
    blocked = (*found.blocked, *(f"{each.node} could not be asked: {each.reason}" for each in silent))
    reasons = list(blocked)
    if found.mismatch is not None and found.mismatch.blocks:
        reasons.append(f"the ratio of the arms is not as it was assigned: {found.mismatch.arithmetic}")
    if found.verdict is not Verdict.SAFE or not reasons:
        return replace(found, blocked=blocked)
    why = f"nothing is promoted on this: {'; '.join(reasons)}"
    return replace(found, verdict=Verdict.INCONCLUSIVE, why=why, blocked=blocked)


def nothing(rollout: Rollout, now: float) -> Judgement:
    """The judgement where there are no units: no data, and why."""
    span = span_of(rollout)
    if span is not None:
        why = why_not(arms_of(rollout), span, now) or "the plan asks for no judgement at this stage"
    elif rollout.plan.bucket % SECOND:
        why = f"the plan's bucket of {rollout.plan.bucket.total_seconds():g} s is not made of whole seconds"
    else:
        why = "the stage is not entered yet"
    return Judgement(rollout.current.name, (), None, Verdict.NO_DATA, why)


def why_not(arms: Arms, span: Span, now: float) -> str:
    """Why nothing can be compared; empty where it can."""
    if not arms.drawn:
        named = "; spaces that are named were not drawn by chance" if arms.always else ""
        return f"no space was moved by chance at this stage{named}: there is nothing to compare"
    if not arms.concurrent:
        return "every space is treated: no concurrent control is left, the gate is the validator against the baseline"
    if not span.buckets(now):
        return f"no bucket of {span.bucket} s is over yet since the stage began"
    return ""


def rows_needed(rollout: Rollout) -> float:
    """From when on (seconds since 1970) rows are needed to judge the stage: the own time of the spaces before it."""
    span = span_of(rollout)
    return 0.0 if span is None else float(span.own)


def look_moments(rollout: Rollout) -> tuple[float, ...]:
    """When the planned looks of the stage are due (seconds since 1970); none where it is not entered."""
    span = span_of(rollout)
    return () if span is None else span.moments()
