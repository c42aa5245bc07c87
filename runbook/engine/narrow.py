"""A smaller plan: only some nodes, only steps up to some risk; what is left out is shown with its reason. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from runbook.model.finding import Change, Plan, PlannedStep, Skipped
from runbook.model.risk import Risk


def narrowed(plan: Plan, nodes: Sequence[str], highest: Risk | None) -> Plan:
    """The plan without changes on other nodes than those (empty: all), and without steps of a higher risk."""

    def reason(step: PlannedStep, change: Change) -> str:
        if highest is not None and step.step.risk > highest:
            return f"its risk is {step.step.risk.name.lower()}, above --max-risk {highest.name.lower()}"
        return "it is not among the --node" if nodes and change.node not in nodes else ""

    def smaller(step: PlannedStep) -> PlannedStep:
        left_out = tuple(
            Skipped(step.step.title, change.node, why) for change in step.changes if (why := reason(step, change))
        )
        kept = tuple(change for change in step.changes if not reason(step, change))
        return replace(step, changes=kept, skipped=(*step.skipped, *left_out))

    return replace(plan, steps=tuple(smaller(step) for step in plan.steps))
