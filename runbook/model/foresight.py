"""What can be said of a rollout before it starts: how spaces behave, and whether each stage can decide its margin."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from runbook.model.judgement import Guardrail, Metric

FEWEST_UNITS = 30
"""Spaces in an arm under which it is said that they are few."""

ENOUGH = 0.80
"""A stage can decide where it does in so large a part of the simulated runs: the power that is usually asked for."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one metric behaves from space to space and from time to time while nothing is changed.

    Spreads are standard deviations in the metric's own unit: logarithms for latency, shares for the others. A bucket of
    a space is its level + where it has wandered to + chance; `noise` is of one recall, so a bucket of n has
    noise / sqrt(n). `persistence` is how much of the wandering is left one bucket later. `drift` is how far a space's
    mean moves between two halves of the record beyond all that. `level` is the mean over everything.
    """

    metric: Metric
    level: float
    between: float
    noise: float
    wander: float
    persistence: float
    drift: float


@dataclass(frozen=True, slots=True)
class Record:
    """What the rows of a target say, taken in `buckets` buckets of `seconds`; recalls of each space are by second."""

    seconds: int
    buckets: int
    recalls: Mapping[str, float]
    behaviours: Mapping[Metric, Behaviour]
    told: tuple[str, ...] = ()

    @property
    def spaces(self) -> int:
        """How many were seen."""
        return len(self.recalls)


@dataclass(frozen=True, slots=True)
class Power:
    """One guardrail of one stage: in how many of the simulated runs it is decided, and when in half of them.

    `safe` is with a truth of no change; `harm` with one of twice the margin (`harmful`).
    """

    guardrail: Guardrail
    safe: float
    safe_after: timedelta | None
    harmful: float
    harm: float
    harm_after: timedelta | None

    @property
    def decides(self) -> bool:
        """Both often enough?"""
        return self.safe >= ENOUGH and self.harm >= ENOUGH


@dataclass(frozen=True, slots=True)
class StageForeseen:
    """One judged stage: its units, its looks, and each guardrail.

    `safe` is the share of the runs without a change in which all guardrails are proved safe: only that promotes. `few`
    says that an arm has fewer than thirty spaces: the randomisation test decides alone.
    """

    stage: str
    treated: int
    controls: int
    looks: int
    lasts: timedelta
    powers: tuple[Power, ...]
    safe: float
    few: bool

    @property
    def decides(self) -> bool:
        """Is no change promoted often enough, and each harm found?"""
        return bool(self.powers) and self.safe >= ENOUGH and all(power.decides for power in self.powers)


@dataclass(frozen=True, slots=True)
class Foresight:
    """All judged stages of a plan; with no record (`why_not`) nothing is foreseen."""

    plan: str
    runs: int
    record: Record | None
    stages: tuple[StageForeseen, ...]
    why_not: str = ""
    told: tuple[str, ...] = ()

    @property
    def decides(self) -> bool:
        """Can every judged stage? No record is no answer, and no yes."""
        return not self.why_not and bool(self.stages) and all(stage.decides for stage in self.stages)
