"""The alerts of a rollout plan: every trigger, and every criterion that closes a gate.

A trigger is asked in its phases alone. One that stands in every phase, and that no issue asks, is asked always: that
recalls fail is bad whether a rollout is under way or not.
"""

from collections.abc import Collection, Iterator
from datetime import timedelta

from runbook.engine.monitoring.asks import Asks
from runbook.engine.monitoring.promql import camel, identifier, inert
from runbook.engine.monitoring.questions import Question, absent, gated, present
from runbook.engine.monitoring.stage import phases_with, within
from runbook.engine.monitoring.symptoms import command, told, where
from runbook.model.monitoring import AlertRule, Recording, Severity
from runbook.model.quantity import Condition, Quantity, quantities_of
from runbook.model.rollout import Criterion, RolloutPlan, Trigger

ROLLOUT, FLEET = "rollout", "fleet"
BACK, GATES = (f"operations/dual_memory_rollout.md#{place}" for place in ("rolling-back", "gates"))
GATE_LASTS = timedelta(minutes=30)
_FOR = (
    "`for` begins again where there is no data; this tool's watch breaks nothing off by silence. The node that is "
    "silent has alerts of its own."
)


def every_trigger(plan: RolloutPlan) -> tuple[Trigger, ...]:
    """Each once, in the order of the phases."""
    return tuple(dict.fromkeys(trigger for phase in plan.phases for trigger in phase.triggers))


def every_criterion(plan: RolloutPlan) -> tuple[Criterion, ...]:
    """Each once, in the order of the phases."""
    return tuple(dict.fromkeys(criterion for phase in plan.phases for criterion in phase.criteria))


def plan_quantities(plan: RolloutPlan) -> tuple[Quantity, ...]:
    """Every quantity that the plan asks for, each once."""
    asked = [each.condition for each in every_trigger(plan)] + [each.condition for each in every_criterion(plan)]
    return tuple(dict.fromkeys(found for condition in asked for found in quantities_of(condition)))


def plan_limits(plan: RolloutPlan) -> tuple[Recording, ...]:
    """The limits that hang on a baseline."""
    found = [*_triggers(plan), *_criteria(plan)]
    return tuple(limit for _, question in found for limit in question.recordings)


def trigger_alerts(plan: RolloutPlan, asked_already: Collection[Condition]) -> tuple[Asks, ...]:
    """Those that are asked only in their phases."""
    return tuple(
        Asks(_rolls_back(plan, trigger, question), trigger.condition, phase=_phases(plan, trigger)[0])
        for trigger, question in _triggers(plan)
        if not _always(plan, trigger, asked_already)
    )


def standing_alerts(plan: RolloutPlan, asked_already: Collection[Condition]) -> tuple[Asks, ...]:
    """Those that are asked whether a rollout is under way or not."""
    return tuple(
        Asks(_stands(trigger, question), trigger.condition)
        for trigger, question in _triggers(plan)
        if _always(plan, trigger, asked_already)
    )


def gate_alerts(plan: RolloutPlan) -> tuple[Asks, ...]:
    """What a phase waits for: information, since a gate that is closed is how it should be."""
    return tuple(
        Asks(_closed(plan, criterion, question), criterion.condition, holds=True, phase=_phases(plan, criterion)[0])
        for criterion, question in _criteria(plan)
    )


def _always(plan: RolloutPlan, trigger: Trigger, asked_already: Collection[Condition]) -> bool:
    return len(phases_with(plan, trigger)) == len(plan.phases) and trigger.condition not in asked_already


def _phases(plan: RolloutPlan, part: Trigger | Criterion) -> tuple[str, ...]:
    return tuple(phase.name for phase in phases_with(plan, part))


def _triggers(plan: RolloutPlan) -> Iterator[tuple[Trigger, Question]]:
    for number, trigger in enumerate(every_trigger(plan), start=1):
        question = present(trigger.condition, f"trigger-{number}-{identifier(trigger.title)}")
        if question is not None:
            yield trigger, question


def _criteria(plan: RolloutPlan) -> Iterator[tuple[Criterion, Question]]:
    for number, criterion in enumerate(every_criterion(plan), start=1):
        question = absent(criterion.condition, f"criterion-{number}-{identifier(criterion.title)}")
        if question is not None:
            yield criterion, question


def _rolls_back(plan: RolloutPlan, trigger: Trigger, question: Question) -> AlertRule:
    return AlertRule(
        f"Rollout{camel(trigger.title)}",
        gated(question, within(_phases(plan, trigger))).expr,
        Severity.CRITICAL,
        ROLLOUT,
        f"{inert(trigger.title)} on {where()}: {told(question)}; the rollout's watch takes it back",
        inert(trigger.why),
        command("runbook rollout status"),
        BACK,
        trigger.lasting,
        (("phases", inert(", ".join(_phases(plan, trigger)))),),
        _FOR if trigger.lasting else "",
    )


def _stands(trigger: Trigger, question: Question) -> AlertRule:
    name = camel(trigger.title) or "Trigger"
    return AlertRule(
        name,
        question.expr,
        Severity.CRITICAL,
        FLEET,
        f"{inert(trigger.title)} on {where()}: {told(question)}; a rollout's watch takes it back",
        inert(trigger.why),
        command("runbook diagnose"),
        f"reference/alerts.md#{name.lower()}",
        trigger.lasting,
        (),
        "A trigger of every phase: asked always. " + (_FOR if trigger.lasting else ""),
    )


def _closed(plan: RolloutPlan, criterion: Criterion, question: Question) -> AlertRule:
    phases = _phases(plan, criterion)
    held = gated(question, within(phases))
    return AlertRule(
        "RolloutGateClosed",
        held.expr,
        Severity.INFO,
        ROLLOUT,
        f"Not so on {where()}: {inert(criterion.title).lower()} ({told(question)})",
        inert(criterion.why),
        command("runbook rollout status"),
        GATES,
        GATE_LASTS,
        (("criterion", inert(criterion.title)), ("phases", inert(", ".join(phases)))),
    )
