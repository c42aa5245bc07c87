"""The alerts of rollout plans: every trigger, and every criterion that closes a gate.

A trigger is asked in its phases alone, of targets that are rolled out by its plan. One of the first plan that stands in
every phase, and that no issue asks, is asked always: that recalls fail is bad whether a rollout is under way or not.
Where another plan is under way, its own limits count.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from runbook.engine.monitoring.asks import Asks
from runbook.engine.monitoring.promql import camel, identifier, inert
from runbook.engine.monitoring.questions import Question, absent, gated, present
from runbook.engine.monitoring.stage import by_one_of, phases_with, within
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


def plan_quantities(plans: Sequence[RolloutPlan]) -> tuple[Quantity, ...]:
    """Every quantity that the plans ask for, each once."""
    asked: list[Condition] = []
    for plan in plans:
        asked += [each.condition for each in every_trigger(plan)] + [each.condition for each in every_criterion(plan)]
    return tuple(dict.fromkeys(found for condition in asked for found in quantities_of(condition)))


def plan_limits(plans: Sequence[RolloutPlan]) -> tuple[Recording, ...]:
    """The limits that hang on a baseline."""
    found = [question for plan in plans for _, question in (*_triggers(plan), *_criteria(plan))]
    return tuple(limit for question in found for limit in question.recordings)


def trigger_alerts(plans: Sequence[RolloutPlan], asked_already: Collection[Condition]) -> tuple[Asks, ...]:
    """Those that are asked only in their phases."""
    return tuple(
        Asks(_rolls_back(plan, trigger, question), trigger.condition, plan=plan.name, phase=_phases(plan, trigger)[0])
        for plan in plans
        for trigger, question in _triggers(plan)
        if plan is not plans[0] or not _always(plan, trigger, asked_already)
    )


def standing_alerts(plans: Sequence[RolloutPlan], asked_already: Collection[Condition]) -> tuple[Asks, ...]:
    """Those of the first plan that are asked whether a rollout is under way or not."""
    first, *others = plans
    return tuple(
        Asks(_stands(trigger, _unless(question, others)), trigger.condition)
        for trigger, question in _triggers(first)
        if _always(first, trigger, asked_already)
    )


def gate_alerts(plans: Sequence[RolloutPlan]) -> tuple[Asks, ...]:
    """What a phase waits for: information, since a gate that is closed is how it should be."""
    return tuple(
        Asks(
            _closed(plan, criterion, question),
            criterion.condition,
            holds=True,
            plan=plan.name,
            phase=_phases(plan, criterion)[0],
        )
        for plan in plans
        for criterion, question in _criteria(plan)
    )


def _unless(question: Question, others: Sequence[RolloutPlan]) -> Question:
    """The same, of targets that are rolled out by none of these."""
    if not others:
        return question
    return replace(question, expr=f"({question.expr})\nunless on (target) {by_one_of(others)}")


def _always(plan: RolloutPlan, trigger: Trigger, asked_already: Collection[Condition]) -> bool:
    return len(phases_with(plan, trigger)) == len(plan.phases) and trigger.condition not in asked_already


def _phases(plan: RolloutPlan, part: Trigger | Criterion) -> tuple[str, ...]:
    return tuple(phase.name for phase in phases_with(plan, part))


def _triggers(plan: RolloutPlan) -> Iterator[tuple[Trigger, Question]]:
    for number, trigger in enumerate(every_trigger(plan), start=1):
        question = present(trigger.condition, f"{plan.name}-trigger-{number}-{identifier(trigger.title)}")
        if question is not None:
            yield trigger, question


def _criteria(plan: RolloutPlan) -> Iterator[tuple[Criterion, Question]]:
    for number, criterion in enumerate(every_criterion(plan), start=1):
        question = absent(criterion.condition, f"{plan.name}-criterion-{number}-{identifier(criterion.title)}")
        if question is not None:
            yield criterion, question


def _rolls_back(plan: RolloutPlan, trigger: Trigger, question: Question) -> AlertRule:
    return AlertRule(
        f"Rollout{camel(trigger.title)}",
        gated(question, within(plan, _phases(plan, trigger))).expr,
        Severity.CRITICAL,
        ROLLOUT,
        f"{inert(trigger.title)} on {where()}: {told(question)}; the rollout's watch takes it back",
        inert(trigger.why),
        command("runbook rollout status"),
        BACK,
        trigger.lasting,
        (("plan", plan.name), ("phases", inert(", ".join(_phases(plan, trigger))))),
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
    held = gated(question, within(plan, phases))
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
        (("criterion", inert(criterion.title)), ("plan", plan.name), ("phases", inert(", ".join(phases)))),
    )
