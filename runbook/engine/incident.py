"""Act on a known issue: from a plan to the run that carries it out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from runbook.model.finding import Plan, PlannedStep
from runbook.model.run import RunPlan, RunStep


@dataclass(frozen=True, slots=True)
class ActOptions:
    """What the person, or the automation, said."""

    run_id: str
    command: str
    reason: str
    watch: timedelta
    allow_disruptive: bool


def run_plan(plan: Plan, target: str, chosen: Sequence[PlannedStep], options: ActOptions) -> RunPlan:
    """The run that takes the chosen steps; those without a change to make are left out."""
    steps = tuple(
        RunStep(
            index,
            planned.step.title,
            do=planned.step.do.playbook,
            undo=planned.step.undo.playbook,
            key=planned.step.do.key,
            changes=planned.changes,
            emergency=planned.step.emergency,
        )
        for index, planned in enumerate((each for each in chosen if each.changes), start=1)
    )
    return RunPlan(
        options.run_id,
        options.command,
        plan.issue,
        target,
        options.reason,
        steps,
        watch_seconds=options.watch.total_seconds(),
        allow_disruptive=options.allow_disruptive,
        limits=plan.limits,
    )
