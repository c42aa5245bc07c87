"""A small plan, and a journal in which a rollout of it is told entry by entry."""

from datetime import UTC, datetime, timedelta
from typing import Any

from runbook.engine.rollout import record
from runbook.engine.rollout.state import details_of, digest_of, rollouts_of
from runbook.model.journal import Entry, Event
from runbook.model.metric import Metric
from runbook.model.rollout import (
    Approvals,
    Criterion,
    Fresh,
    Phase,
    Rollout,
    RolloutPlan,
)

BEGIN = datetime(2026, 11, 2, 9, tzinfo=UTC)
ROLLOUT = "20261102T090000-aaaa"
TARGET = "fleet"
DAY = timedelta(days=1)

concepts = Metric("engram_concepts_formed_total").per_minute("concepts/min")

SHADOW = Phase(
    name="shadow",
    title="Shadow",
    why="Nobody sees it.",
    flags={"dual_memory.enabled": True, "dual_memory.use_blended_recall": False},
    minimum=14 * DAY,
    criteria=(Criterion("Few concepts are formed", concepts.below(16.7)),),
)
RAMP = Phase(
    name="ramp",
    title="Ramp",
    why="More and more see it.",
    flags={"dual_memory.use_blended_recall": True},
    settings={"dual_memory.semantic_weight": 0.1},
    shares=(0.05, 0.5, 1.0),
    hold=2 * DAY,
    approvals=Approvals(people=1),
    fresh=Fresh(backup=DAY, rehearsal=30 * DAY),
    complaints=3,
)
PLAN = RolloutPlan("small", "A small plan", (SHADOW, RAMP), salt="pepper")


class Told:
    """A journal as entries, and the rollout that they fold into; each entry is `after` the one before."""

    def __init__(self, plan: RolloutPlan = PLAN, who: str = "anna") -> None:
        self.entries: list[Entry] = []
        self.now = BEGIN
        self.tell(
            Event.ROLLOUT_STARTED,
            who=who,
            **record.started(TARGET, "staging", details_of(plan), digest_of(plan), "it is time"),
        )

    def tell(
        self,
        event: Event,
        *,
        after: timedelta = timedelta(minutes=1),
        who: str = "anna",
        by: str = ROLLOUT,
        **details: Any,
    ) -> Entry:
        """Append one entry."""
        self.now += after
        entry = Entry(len(self.entries) + 1, self.now, event, by, who, "here", details)
        self.entries.append(entry)
        return entry

    def enter(self, stage: int, after: timedelta = timedelta(minutes=1)) -> Entry:
        """A stage is intended, set and read back."""
        entered = self.rollout.plan.stages[stage]
        self.tell(Event.ROLLOUT_ENTERING, after=after, **record.entering(entered, "run"))
        return self.tell(Event.ROLLOUT_ENTERED, **record.entered(entered, "run"))

    @property
    def rollout(self) -> Rollout:
        """Where it stands."""
        return rollouts_of(self.entries)[ROLLOUT]
