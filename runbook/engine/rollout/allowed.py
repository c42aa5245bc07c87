"""May a stage be entered, by the target's safety rails? A way back never comes this way."""

from collections.abc import Sequence

from runbook.engine.rails import check_history, check_plan
from runbook.engine.rollout.crew import Crew
from runbook.errors import RefusedError
from runbook.model.risk import Risk
from runbook.model.rollout import Approved, Stage
from runbook.model.run import RunPlan

NARROWER = "a rollout sets every node, in waves: these rails stand in runbook.toml"


def risk_of_stage(stage: Stage) -> Risk:
    """Whoever is treated may notice; a stage that treats nobody only takes something away."""
    return Risk.MEDIUM if stage.treats else Risk.LOW


def check_allowed(crew: Crew, stage: Stage, plan: RunPlan, who: str, approved: Sequence[Approved] = ()) -> None:
    """Reason, number of nodes, highest risk, steps of the last hour, cool-down, and a second person.

    `who` started the rollout; an approval of the plan or of a phase by somebody else is that second person's.

    Raises:
        RefusedError: one is not kept to.
    """
    target, risk = crew.target, risk_of_stage(stage)
    try:
        check_plan(target, plan, risk)
    except RefusedError as error:
        if plan.reason.strip() or not target.rails.require_reason:
            error.hint = NARROWER
        raise
    check_history(target, plan, crew.ports.journal, crew.ports.read.clock)
    asked = target.rails.require_approval
    if asked is not None and risk >= asked and not any(each.who != who for each in approved):
        raise RefusedError(
            f"{stage.name} is of risk {risk.name.lower()}: {target.name} asks for a second person from "
            f"{asked.name.lower()} on",
            hint="another user: runbook rollout approve --plan",
        )
