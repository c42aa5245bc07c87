"""What a plan asks for: every quantity, and those that are compared with the baseline. Pure."""

from collections.abc import Iterator

from runbook.model.quantity import (
    AboveBaseline,
    BelowBaseline,
    Condition,
    Quantity,
    Regained,
    Settled,
    quantities_of,
)
from runbook.model.rollout import Phase, RolloutPlan


def conditions(phase: Phase) -> Iterator[tuple[str, Condition]]:
    """Each criterion and each trigger, by its title."""
    yield from ((each.title, each.condition) for each in phase.criteria)
    yield from ((each.title, each.condition) for each in phase.triggers)


def compared(plan: RolloutPlan) -> tuple[Quantity, ...]:
    """The quantities that are compared with what they were when the fleet was well, each once."""
    found = [
        condition.quantity
        for phase in plan.phases
        for _, condition in conditions(phase)
        if isinstance(condition, AboveBaseline | Settled | BelowBaseline | Regained)
    ]
    return tuple(dict.fromkeys(found))


def asked(phase: Phase) -> tuple[Quantity, ...]:
    """Every quantity that the phase asks for, each once."""
    return tuple(dict.fromkeys(each for _, condition in conditions(phase) for each in quantities_of(condition)))
