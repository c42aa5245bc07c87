"""What `runbook serve` tells of a rollout, and what is asked only while it tells of one."""

from collections.abc import Iterable
from datetime import timedelta

from runbook.engine.monitoring.promql import any_of, quoted, span, window
from runbook.model.monitoring import Recording
from runbook.model.rollout import Criterion, Phase, RolloutPlan, Trigger

SAID = "engram_runbook_rollout_under_way"
ANY_UNDER_WAY = f"({SAID} == 1)"
UNDER_WAY, PHASE = "engram:rollout_under_way", "engram:rollout_phase"

LATELY = window(timedelta(minutes=1))
"""So long a phase counts after it has ended: a rollout that is harmful is taken back before Prometheus has asked."""
REMEMBERED = timedelta(hours=6)
"""So long what nobody tells any more counts as it was last told: a server that is down disarms no alert."""
_STAGE = f"max by (target, plan, phase) (max_over_time(engram_runbook_rollout_stage_info[{LATELY}]))"


def last_told(metric: str, by: str = "target", *, but: str = "") -> str:
    """The metric as `serve` tells it; where it tells nothing of it, as it last did, for a while.

    `but`: who tells that, and nothing of the metric, has nothing to tell of it any more.
    """
    before = f"last_over_time({metric}[{span(REMEMBERED)}])" + (f" unless on (instance) {but}" if but else "")
    return f"(max by ({by}) ({metric}) or max by ({by}) ({before}))"


RECORDINGS = (
    Recording(
        UNDER_WAY,
        f"{last_told(SAID)} == 1",
        note="There is a series for each target with a rollout under way, and none for the others; for a while as "
        "it was last told.",
    ),
    Recording(
        PHASE,
        f"(\n  {_STAGE}\n  or ({PHASE} unless on (target) {_STAGE})\n)\n"
        f"and on (target) max_over_time({UNDER_WAY}[{LATELY}])",
        note="The phase that it is in, or was in a moment ago: what takes it back is faster than a scrape. While "
        "nobody tells, the one that it was in at last.",
    ),
)


def within(plan: RolloutPlan, phases: Iterable[str]) -> str:
    """There is a series for each target that is in one of these phases of that plan."""
    return f"{PHASE}{{plan={quoted(plan.name)},phase=~{any_of(phases)}}}"


def by_one_of(plans: Iterable[RolloutPlan]) -> str:
    """There is a series for each target that is rolled out by one of these plans."""
    return f"{PHASE}{{plan=~{any_of(plan.name for plan in plans)}}}"


def by_none_of(plans: Iterable[RolloutPlan]) -> str:
    """There is a series for each target that is rolled out by another plan than these."""
    return f"{PHASE}{{plan!~{any_of(plan.name for plan in plans)}}}"


def phases_with(plan: RolloutPlan, part: Trigger | Criterion) -> tuple[Phase, ...]:
    """The phases that have this very trigger, or criterion."""
    return tuple(phase for phase in plan.phases if part in phase.triggers or part in phase.criteria)
