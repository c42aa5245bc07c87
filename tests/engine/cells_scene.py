"""A rollout that moves half of sixty spaces, and the rows that its nodes would tell."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from runbook.model.assignment import in_treatment
from runbook.model.cells import CONTROL, TREATMENT, Cell
from runbook.model.judgement import Guardrail, Metric
from runbook.model.rollout import Entered, Judging, Phase, Rollout, RolloutPlan, Standing

SALT = "salt"
SPACES = tuple(f"space-{number:03}" for number in range(60))
BEGAN, AT = 10_001, 10_005
"""When its entering began, and when it was read back: the stage's buckets of 2 s begin at 10 006."""
SINCE, UNTIL = 10_006, 10_000
GUARDRAILS = (Guardrail(Metric.LATENCY, 0.10), Guardrail(Metric.ERRORS, 0.01), Guardrail(Metric.CONFIDENCE, 0.05))


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as the journal has them."""
    return datetime.fromtimestamp(seconds, UTC)


def rollout(
    *shares: float,
    stage: int = 0,
    bucket: float = 2,
    hold: float = 60,
    look_every: float = 20,
    spaces: tuple[str, ...] = (),
) -> Rollout:
    """A rollout whose stages have these shares, entered as far as `stage`."""
    judging = Judging(GUARDRAILS, timedelta(seconds=look_every))
    phase = Phase(
        "gradual",
        "Gradual",
        "why",
        {},
        shares=shares or (0.5,),
        hold=timedelta(seconds=hold),
        judging=judging,
        spaces=spaces,
    )
    plan = RolloutPlan("plan", "Plan", (phase,), bucket=timedelta(seconds=bucket), salt=SALT)
    entered = tuple(Entered(number, moment(10), number, "run", moment(5)) for number in range(stage))
    return Rollout(
        id="r1",
        target="prod",
        plan=plan,
        digest="digest",
        who="ann",
        at=moment(0),
        seq=1,
        reason="",
        standing=Standing.RUNNING,
        stage=stage,
        entered=(*entered, Entered(stage, moment(AT), 9, "run", moment(BEGAN))),
    )


@dataclass(frozen=True, slots=True)
class Traffic:
    """What the spaces are asked, and what becomes of it; the wandering is made by arithmetic, not by chance."""

    slower: float = 0.0
    failing: float = 0.0
    recalls: int = 10
    seconds: int = 2
    share: float = 0.5
    spaces: tuple[str, ...] = SPACES

    def cell(self, space: str, bucket: int, *, node: str | None = None, group: str | None = None) -> Cell:
        """The row of a space in a bucket."""
        number = SPACES.index(space) if space in SPACES else sum(map(ord, space))
        served = group or (CONTROL if bucket < AT - 1 else group_of(space, self.share))
        treated = served == TREATMENT
        mean = math.log(5) + number * 0.01 + 0.02 * math.sin(number * 12.9 + bucket * 7.7)
        mean += math.log1p(self.slower) if treated else 0.0
        failed = round(self.recalls * self.failing) if treated else 0
        n = self.recalls - failed
        sums = (n * mean, n * (mean * mean + 0.04), failed, 0, n, n * 0.8, n * 0.65)
        return Cell(node or f"n{number % 3}", bucket, self.seconds, space, served, n, *sums)

    def rows(self, begin: int = 9_900, end: int = 10_066) -> Iterator[Cell]:
        """All rows from begin to before end, as a store gives them."""
        for bucket in range(begin, end, self.seconds):
            yield from sorted((self.cell(space, bucket) for space in self.spaces), key=lambda cell: cell.node)


def group_of(space: str, share: float = 0.5) -> str:
    """As the nodes decide."""
    return TREATMENT if in_treatment(space, salt=SALT, share=share) else CONTROL


def relabelled(cell: Cell) -> Cell:
    """The same row, served in the other group."""
    return replace(cell, group=TREATMENT if cell.group == CONTROL else CONTROL)
