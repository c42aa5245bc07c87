"""When a stage is judged, and who is judged in it: arithmetic on the plan, the salt and the moments of entering."""

import math
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile

from runbook.model.assignment import in_treatment, limit, place
from runbook.model.cells import CONTROL, TREATMENT
from runbook.model.rollout import Entered, Rollout, Stage

OWN_BUCKETS = 168
"""A space's own time before is that many buckets at most: the week of hours of the design's simulated fleet."""


@dataclass(frozen=True, slots=True)
class Arms:
    """Who is treated, and who is compared: by hash, in the steps of the assignment.

    Treatment units are the spaces moved from share `before` to `share`. Control units are as large a part of the hash,
    counted from its top end, of those that are not moved. `named` spaces are treated by name at some stage, not by
    chance, so they are units of neither. With `everyone` all spaces that are not treated are control units.
    """

    salt: str
    before: float
    share: float
    named: frozenset[str] = frozenset()
    always: frozenset[str] = frozenset()
    everyone: bool = False

    def arm(self, space: str) -> str | None:
        """Of which arm the space is a unit; None: of neither."""
        if space in self.named or self.share <= self.before:
            return None
        hashed = place(space, self.salt)
        if limit(self.before) <= hashed < limit(self.share):
            return TREATMENT
        lowest = self.share if self.everyone else max(self.share, 1.0 - (self.share - self.before))
        return CONTROL if hashed >= limit(lowest) else None

    def assigned(self, space: str) -> str:
        """In which group the nodes have to serve it, unit or not."""
        treated = in_treatment(space, salt=self.salt, share=self.share, always=self.always)
        return TREATMENT if treated else CONTROL

    @property
    def drawn(self) -> bool:
        """Was anyone moved by chance at this stage?"""
        return self.share > self.before

    @property
    def concurrent(self) -> bool:
        """Is anyone left who is not moved?"""
        return self.share < 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """The buckets of a stage, in whole seconds since 1970 and by the plan's bucket: what was, and what is, and when.

    Own time is [own, until), the stage from `since` on; what lies between was neither. `looks` are the numbers of
    buckets after which the plan looks.
    """

    bucket: int
    own: int
    until: int
    since: int
    looks: tuple[int, ...]

    def buckets(self, now: float) -> int:
        """How many buckets of the stage are over at that moment."""
        return max(0, int((now - self.since) // self.bucket))

    def moments(self) -> tuple[float, ...]:
        """When the planned looks are due, in seconds since 1970."""
        return tuple(float(self.since + look * self.bucket) for look in self.looks)


def arms_of(rollout: Rollout) -> Arms:
    """The arms of the stage that it is in, or that is being entered."""
    plan, stage = rollout.plan, rollout.current
    before = max((each.share for each in plan.stages[: stage.number]), default=0.0)
    named = frozenset(space for phase in plan.phases for space in phase.spaces)
    return Arms(plan.salt, before, stage.share, named, frozenset(stage.phase.spaces))


def span_of(rollout: Rollout) -> Span | None:
    """The buckets of the stage that it is in; None where it is not entered, or the plan's bucket is no whole second."""
    bucket = rollout.plan.bucket.total_seconds()  # shorter or broken ones cannot be made of the nodes' whole seconds
    entered = list(takewhile(lambda each: each.stage == rollout.stage, reversed(rollout.entered)))
    if not entered or bucket < 1 or bucket != int(bucket):
        return None
    return span_from(entered[-1], rollout.current, int(bucket))


def span_from(entered: Entered, stage: Stage, bucket: int) -> Span:
    """The buckets of a stage that was entered then. Its looks are spread evenly over those of its shortest time."""
    at, began = entered.at.timestamp(), (entered.began or entered.at).timestamp()
    since, until = math.ceil(at / bucket) * bucket, math.floor(min(began, at) / bucket) * bucket
    judging = stage.phase.judging
    every = timedelta(seconds=bucket) if judging is None else judging.look_every
    shortest = max(shortest_time(stage), every)
    within = max(1, int((at + shortest.total_seconds() - since) // bucket))
    many = max(1, shortest // every)
    looks = sorted({max(1, round(within * each / many)) for each in range(1, many + 1)})
    return Span(bucket, until - OWN_BUCKETS * bucket, until, since, tuple(looks))


def shortest_time(stage: Stage) -> timedelta:
    """How long the stage lasts at least; the phase's minimum is the stage's where it has but one."""
    phase = stage.phase
    return max(phase.hold, phase.minimum) if len(phase.shares) == 1 else phase.hold
