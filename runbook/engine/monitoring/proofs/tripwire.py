"""The proof of the tripwires: gross damage within the minute, and not where it may be chance, or nobody is treated."""

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta

from runbook.engine.monitoring.promql import FEWEST_SCRAPES, widest
from runbook.engine.monitoring.proofs.alerts import in_phase
from runbook.engine.monitoring.proofs.craft import Scene
from runbook.engine.monitoring.proofs.nodes import firing
from runbook.engine.rollout.tripwire import ERRORS, RECALLS, SECONDS
from runbook.model.cells import CONTROL, TREATMENT
from runbook.model.monitoring import Expected, Given, Proof
from runbook.model.rollout import RolloutPlan

STEPS = 40
SLOW = 0.5
BY_CHANCE = 0.02
"""A part of the treated that makes their p99 slow, and may be chance where there are not thousands of them."""


def tripwire_proofs(plans: Sequence[RolloutPlan], scrape: timedelta) -> tuple[tuple[Proof, ...], timedelta]:
    """Of the first tripwire of the plans, in the first phase that has it, if any; and the step of the test."""
    found = ((plan.name, each.name, each.tripwire) for plan in plans for each in plan.phases if each.tripwire)
    first = next(found, None)
    if first is None:
        return (), scrape
    plan, phase, wire = first
    step = widest(wire.window, scrape) / FEWEST_SCRAPES
    many = 4.0 * wire.fewest / FEWEST_SCRAPES
    given: list[Given] = []
    slower = 1.5 * wire.latency_ratio
    for target, share, slow, recalls, inside in (
        ("errors", min(10 * wire.errors, 0.9), 0.0, many, True),
        ("slow", 0.0, 1.0, many, True),
        ("chance", 0.0, BY_CHANCE, many, True),
        ("well", wire.errors / 2, 0.0, many, True),
        ("few", min(10 * wire.errors, 0.9), 1.0, many / 8, True),
        ("no-rollout", 0.9, 1.0, many, False),
    ):
        scene = Scene(target, step, STEPS)
        given += [*_recalls(scene, share, (slower, slow), recalls), *(in_phase(scene, plan, phase) if inside else ())]
    told = tuple(_told(2 * FEWEST_SCRAPES * step))
    return (Proof("Gross damage in the treatment group", tuple(given), told),), step


def _told(at: timedelta) -> Iterator[Expected]:
    for alert, target in (("RolloutTripwireErrors", "errors"), ("RolloutTripwireLatency", "slow")):
        for each in ("errors", "slow", "chance", "well", "few", "no-rollout"):
            yield firing(alert, each, at, yes=each == target)


def _recalls(scene: Scene, share: float, slow: tuple[float, float], recalls: float) -> Iterator[Given]:
    """`share` of the treated fail; `slow` is how many times as long a part of them takes, and that part."""
    times, part = slow
    for group, failing, slower, late in ((TREATMENT, share, times, part), (CONTROL, 0.0, 1.0, 0.0)):
        labels = (("group", group),)
        yield scene.line(RECALLS, 0, recalls, labels)
        yield scene.line(ERRORS, 0, recalls * failing, labels)
        yield scene.line(SECONDS.replace("_bucket", "_count"), 0, recalls, labels)
        ends = {SLOW * 0.99: 0.0, SLOW * 1.01: recalls * (1 - late), SLOW * slower * 1.01: recalls, math.inf: recalls}
        for le, rise in ends.items():
            text = "+Inf" if math.isinf(le) else f"{le:.6g}"
            yield scene.line(SECONDS, 0, rise, (*labels, ("le", text)))
