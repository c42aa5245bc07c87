"""How many spaces of a fleet each judged stage of a plan compares with how many: arithmetic on their hashes. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runbook.engine.judging.span import Arms
from runbook.model.cells import CONTROL, TREATMENT
from runbook.model.foresight import FEWEST_UNITS
from runbook.model.rollout import RolloutPlan, Stage

WHOLE = 1.0


@dataclass(frozen=True, slots=True)
class StageArms:
    """The units of one judged stage; at a whole share there are none to compare with.

    `decides` says whether it can decide its margins in its time, by simulation; None where that was not simulated.
    """

    stage: Stage
    treated: int
    controls: int
    decides: bool | None = None

    @property
    def empty(self) -> bool:
        """Has an arm no space at all?"""
        return not min(self.treated, self.controls)

    @property
    def few(self) -> bool:
        """Has an arm fewer than thirty spaces?"""
        return min(self.treated, self.controls) < FEWEST_UNITS


def arms_of_plan(plan: RolloutPlan, spaces: Iterable[str]) -> Iterator[StageArms]:
    """Every judged stage that moves spaces by chance. With no salt yet the plan's name stands for it."""
    known, before = sorted(set(spaces)), 0.0
    named = frozenset(space for phase in plan.phases for space in phase.spaces)
    for stage in plan.stages:
        if stage.phase.judging is not None and before < stage.share < WHOLE:
            arms = Arms(plan.salt or plan.name, before, stage.share, named)
            counted = [arms.arm(space) for space in known]
            yield StageArms(stage, counted.count(TREATMENT), counted.count(CONTROL))
        before = max(before, stage.share)
