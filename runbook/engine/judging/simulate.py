"""Can each stage of a plan decide its margins with this fleet, in its time? Simulated, before anyone is treated. Pure.

Each unit is one of the recorded spaces with its own traffic; how it wanders is what the record says of all of them.
Every guardrail is simulated twice: nothing changed (is it proved safe?), and twice the margin worse (is it found?). The
harm is asked for at alpha over the number of guardrails, which is what Holm's procedure asks of a single one. It
imports numpy, so import it where it is called.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from runbook.engine.judging.behaviour import Rows, behaviour_of
from runbook.engine.judging.power import Trial, found_harm, found_safe
from runbook.engine.judging.span import OWN_BUCKETS, Arms, shortest_time
from runbook.model.cells import TREATMENT
from runbook.model.foresight import FEWEST_UNITS, Foresight, Power, Record, StageForeseen
from runbook.model.judgement import Guardrail
from runbook.model.rollout import Judging, RolloutPlan, Stage

RUNS = 100
"""The error of a share from so many runs is 4 % at 80 %: enough to plan by."""
TWICE = 2.0
"""The harm that has to be found, in margins."""
MOST_LOOKS = 24
"""So many are simulated; of more, these, as far apart: what a stage can decide hardly depends on it, the time does."""
_FEWER = f"of more than {MOST_LOOKS} looks {MOST_LOOKS} are simulated, evenly apart"
_NOT_YET = "the salt is drawn when the rollout starts: other spaces will be moved then, and about as many"


@dataclass(frozen=True, slots=True)
class _Place:
    """One judged stage with its units: the recorded spaces that the hash puts into each arm, treated ones last."""

    stage: Stage
    judging: Judging
    bucket: timedelta
    lasts: timedelta
    looks: tuple[int, ...]  # those that are simulated
    planned: int
    own: int
    recalls: tuple[float, ...]  # a bucket
    treated: tuple[bool, ...]


def foresee(plan: RolloutPlan, rows: Rows, runs: int = RUNS) -> Foresight:
    """What the recorded rows of a target let expect of every judged stage of the plan.

    Deterministic: the same plan, rows and number of runs give the same answer. Where the plan has no salt yet, its name
    stands for it. Rows of treated spaces are left aside if there are others.
    """
    record = behaviour_of(rows, max(int(plan.bucket.total_seconds()), 1))
    if isinstance(record, str):
        return Foresight(plan.name, runs, None, (), record)
    places = tuple(_places(plan, record))
    stages = tuple(_foreseen(place, record, runs) for place in places)
    why_not = "" if stages else "no stage of the plan moves spaces by chance and is judged beside those it leaves"
    fewer = (_FEWER,) if any(place.planned > len(place.looks) for place in places) else ()
    told = (*fewer, *record.told) if plan.salt else (_NOT_YET, *fewer, *record.told)
    return Foresight(plan.name, runs, record, stages, why_not, told)


def _places(plan: RolloutPlan, record: Record) -> Iterator[_Place]:
    named = frozenset(space for phase in plan.phases for space in phase.spaces)
    own, before = record.buckets * record.seconds / plan.bucket.total_seconds(), 0.0
    for stage in plan.stages:
        judging = stage.phase.judging
        if judging is not None and before < stage.share < 1:
            arms = Arms(plan.salt or plan.name, before, stage.share, named)
            yield _place(plan, stage, judging, (arms, record, min(max(int(own), 1), OWN_BUCKETS)))
        own += shortest_time(stage) / plan.bucket
        before = max(before, stage.share)


def _place(plan: RolloutPlan, stage: Stage, judging: Judging, given: tuple[Arms, Record, int]) -> _Place:
    arms, record, own = given
    units = sorted((arm == TREATMENT, space) for space in record.recalls if (arm := arms.arm(space)))
    lasts = max(shortest_time(stage), judging.look_every)
    many, buckets = max(1, lasts // judging.look_every), max(1, lasts // plan.bucket)
    planned = _evenly(buckets, many)
    looks = planned if len(planned) <= MOST_LOOKS else _evenly(buckets, MOST_LOOKS)
    recalls = tuple(record.recalls[space] * plan.bucket.total_seconds() for _, space in units)
    return _Place(
        stage, judging, plan.bucket, lasts, looks, len(planned), own, recalls, tuple(treated for treated, _ in units)
    )


def _evenly(buckets: int, looks: int) -> tuple[int, ...]:
    return tuple(sorted({max(1, round(buckets * each / looks)) for each in range(1, looks + 1)}))


def _foreseen(place: _Place, record: Record, runs: int) -> StageForeseen:
    treated = sum(place.treated)
    controls = len(place.treated) - treated
    powers, every = [], np.ones(runs, dtype=np.bool_)
    for guardrail in place.judging.guardrails:
        safe, harm = _simulated(place, guardrail, record, runs)
        every &= np.isfinite(safe)
        powers.append(_power(guardrail, safe, harm, place))
    few = min(treated, controls) < FEWEST_UNITS
    return StageForeseen(
        place.stage.name, treated, controls, place.planned, place.lasts, tuple(powers), float(every.mean()), few=few
    )


def _simulated(
    place: _Place, guardrail: Guardrail, record: Record, runs: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At which look each run was proved safe, and each harm found."""
    never = np.full(runs, math.inf)
    behaviour = record.behaviours.get(guardrail.metric)
    if behaviour is None or len(set(place.treated)) < 2:  # noqa: PLR2004  both arms
        return never, never
    trial = Trial(
        guardrail,
        behaviour,
        np.array(place.recalls),
        np.array(place.treated),
        place.own,
        place.looks,
        place.judging.alpha,
        len(place.judging.guardrails),
        place.stage.name,
    )
    return found_safe(trial, runs), found_harm(trial, runs, TWICE * guardrail.margin)


def _power(guardrail: Guardrail, safe: NDArray[np.float64], harm: NDArray[np.float64], place: _Place) -> Power:
    return Power(
        guardrail,
        safe=float(np.isfinite(safe).mean()),
        safe_after=_after(safe, place),
        harmful=TWICE * guardrail.margin,
        harm=float(np.isfinite(harm).mean()),
        harm_after=_after(harm, place),
    )


def _after(looks: NDArray[np.float64], place: _Place) -> timedelta | None:
    """The time after which half of the runs have decided; None where fewer ever do."""
    middle = float(np.quantile(looks, 0.5, method="inverted_cdf"))
    return place.bucket * place.looks[int(middle)] if math.isfinite(middle) else None
