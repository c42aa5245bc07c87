"""What `runbook serve` tells of a rollout, and what is asked only while it tells of one."""

from collections.abc import Iterable
from datetime import timedelta

from runbook.engine.monitoring.promql import any_of, window
from runbook.model.monitoring import Recording
from runbook.model.rollout import Criterion, Phase, RolloutPlan, Trigger

SAID = "engram_runbook_rollout_under_way"
ANY_UNDER_WAY = f"({SAID} == 1)"
UNDER_WAY, PHASE = "engram:rollout_under_way", "engram:rollout_phase"

LATELY = window(timedelta(minutes=1))
"""So long a phase counts after it has ended: a rollout that is harmful is taken back before Prometheus has asked."""

RECORDINGS = (
    Recording(
        UNDER_WAY,
        f"max by (target) ({SAID}) == 1",
        note="There is a series for each target with a rollout under way, and none for the others.",
    ),
    Recording(
        PHASE,
        f"max by (target, phase) (max_over_time(engram_runbook_rollout_stage_info[{LATELY}]))\n"
        f"and on (target) max_over_time({UNDER_WAY}[{LATELY}])",
        note="The phase that it is in, or was in a moment ago: what takes it back is faster than a scrape.",
    ),
)


def within(phases: Iterable[str]) -> str:
    """There is a series for each target that is in one of these phases."""
    return f"{PHASE}{{phase=~{any_of(phases)}}}"


def phases_with(plan: RolloutPlan, part: Trigger | Criterion) -> tuple[Phase, ...]:
    """The phases that have this very trigger, or criterion."""
    return tuple(phase for phase in plan.phases if part in phase.triggers or part in phase.criteria)
