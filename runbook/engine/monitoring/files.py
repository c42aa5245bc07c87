"""The files of rules, put together: what is recorded, and what is alerted of."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from runbook.engine.monitoring.asks import Asks
from runbook.engine.monitoring.nodes import node_alerts
from runbook.engine.monitoring.ourselves import own_alerts
from runbook.engine.monitoring.plans import plan_alerts
from runbook.engine.monitoring.promql import span
from runbook.engine.monitoring.questions import BASELINE, BY_ADDRESS, TOLD
from runbook.engine.monitoring.series import recordings
from runbook.engine.monitoring.stage import RECORDINGS as STAGE
from runbook.engine.monitoring.stage import REMEMBERED
from runbook.engine.monitoring.symptoms import conditions, present_alert, symptom_alerts, symptom_limits
from runbook.engine.monitoring.triggers import (
    gate_alerts,
    plan_limits,
    plan_quantities,
    standing_alerts,
    trigger_alerts,
)
from runbook.engine.monitoring.tripwire import tripwire_groups
from runbook.model.monitoring import SCRAPE, AlertRule, Recording, RuleFile, RuleGroup
from runbook.model.quantity import Quantity
from runbook.model.rollout import RolloutPlan
from runbook.model.runbook import Runbook

_LAST = BY_ADDRESS.replace(TOLD, f"last_over_time({TOLD}[{span(REMEMBERED)}])")
_KNOWN = Recording(
    BASELINE,
    f"max by (target, node, instance, quantity) (\n  {_LAST}\n)",
    note="The baseline of each node, by the address that Prometheus scrapes it at; for a while as it was last told.",
)


def rule_files(
    runbooks: Sequence[Runbook], plans: Sequence[RolloutPlan], scrape: timedelta = SCRAPE
) -> tuple[RuleFile, ...]:
    """Every file, in the order of their names."""
    asked = conditions(runbooks)
    return (
        _issues(runbooks),
        RuleFile(
            "nodes",
            "The nodes themselves: down, started again, not scraped, silent. No data is no health.",
            (RuleGroup("engram-nodes", alerts=node_alerts()),),
        ),
        _recorded(runbooks, plans, scrape),
        RuleFile(
            "rollout",
            f"{_named(plans)}: triggers, tripwires, gates. In the plan's phases alone, but for what stands in every "
            "phase and no issue asks.",
            (
                RuleGroup("engram-rollout-triggers", alerts=_alerts(trigger_alerts(plans, asked))),
                RuleGroup("engram-always", alerts=_alerts(standing_alerts(plans, asked))),
                *tripwire_groups(plans, scrape),
                RuleGroup("engram-rollout-gates", alerts=_alerts(gate_alerts(plans))),
                RuleGroup("engram-rollout-plans", alerts=plan_alerts(plans)),
            ),
        ),
        RuleFile(
            "runbook",
            "This tool: a watch that is silent, serve, the journal, runs, backups, notifications.",
            (RuleGroup("engram-runbook", alerts=own_alerts(plans)),),
        ),
    )


def _named(plans: Sequence[RolloutPlan]) -> str:
    many = "s" if len(plans) > 1 else ""
    return f"Rollout plan{many} {', '.join(plan.name for plan in plans)}"


def _issues(runbooks: Sequence[Runbook]) -> RuleFile:
    groups = tuple(
        RuleGroup(f"engram-issue-{issue.slug}", alerts=(*present_alert(issue), *_alerts(symptom_alerts(issue))))
        for issue in runbooks
    )
    return RuleFile("issues", "The known issues: each symptom that metrics tell.", groups)


def _recorded(runbooks: Sequence[Runbook], plans: Sequence[RolloutPlan], scrape: timedelta) -> RuleFile:
    quantities = _quantities(runbooks, plans)
    kept = tuple(each for quantity in quantities for each in recordings(quantity, scrape))
    limits = (*symptom_limits(runbooks), *plan_limits(plans))
    return RuleFile(
        "recording",
        "What the alerts and the dashboards are made of: each quantity of each node, its baseline, its limit.",
        (RuleGroup("engram-recorded", (_KNOWN, *STAGE, *kept, *limits)),),
    )


def _alerts(asks: Iterable[Asks]) -> tuple[AlertRule, ...]:
    return tuple(each.alert for each in asks)


def _quantities(runbooks: Sequence[Runbook], plans: Sequence[RolloutPlan]) -> Iterable[Quantity]:
    of_issues = (quantity for issue in runbooks for quantity in issue.quantities)
    return dict.fromkeys((*of_issues, *plan_quantities(plans)))
