"""The alert of a rollout whose plan these rules were not written for: none of its limits is asked."""

from collections.abc import Sequence
from datetime import timedelta

from runbook.engine.monitoring.stage import by_none_of
from runbook.model.monitoring import AlertRule, Severity
from runbook.model.rollout import RolloutPlan


def plan_alerts(plans: Sequence[RolloutPlan]) -> tuple[AlertRule, ...]:
    """No alert of a rollout is no sign of health where nobody asks."""
    return (
        AlertRule(
            "RolloutPlanUnknown",
            by_none_of(plans),
            Severity.WARNING,
            "rollout",
            "{{ $labels.target }} is rolled out by plan {{ $labels.plan }}, and no rules were written for it",
            "Its triggers, tripwires and gates are asked by the rollout's watch alone. Write the rules again, and "
            "reload Prometheus.",
            "runbook monitoring write FOLDER --under-way",
            "reference/alerts.md#rolloutplanunknown",
            timedelta(minutes=5),
        ),
    )
