"""The tripwires of a plan, as alerts: gross damage in the treatment group of all nodes together.

`runbook/engine/rollout/tripwire.py` has the last word, and rolls back. It also asks that more of treatment's recalls
than of control's are over the limit for certain, which a histogram in Prometheus cannot be asked with a limit that
moves.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta

from runbook.engine.monitoring.promql import inert, number, of_nodes, selector, window
from runbook.engine.monitoring.stage import within
from runbook.engine.monitoring.symptoms import command
from runbook.engine.rollout.tripwire import CERTAIN, ERRORS, RECALLS, SECONDS, TAIL
from runbook.model.cells import CONTROL, TREATMENT
from runbook.model.monitoring import SCRAPE, AlertRule, Recording, RuleGroup, Severity
from runbook.model.rollout import RolloutPlan, Tripwire

_STEPS = (64, 16, 4, 1)
"""How many times the fewest recalls there are, in steps: what is certain of few is certain of more, too."""
_ASKED_PER_SCRAPE = 5
"""So often, lest what a scrape tells is known only when the next one comes."""
PAGE = "operations/dual_memory_rollout.md#rolling-back"
_BEGIN = "engram:tripwire"


def every_tripwire(plans: Sequence[RolloutPlan]) -> tuple[Tripwire, ...]:
    """Each once, in the order of the plans and of their phases."""
    return tuple(dict.fromkeys(phase.tripwire for plan in plans for phase in plan.phases if phase.tripwire is not None))


def tripwire_groups(plans: Sequence[RolloutPlan], scrape: timedelta = SCRAPE) -> Iterator[RuleGroup]:
    """One group for each tripwire that some phases have, with what it is made of."""
    for index, tripwire in enumerate(every_tripwire(plans), start=1):
        name = _BEGIN if index == 1 else f"{_BEGIN}_{index}"
        alerts = tuple(alert for plan in plans for alert in _alerts(name, tripwire, plan))
        recordings = tuple(_recordings(name, tripwire, scrape))
        yield RuleGroup(f"engram-tripwire-{index}", recordings, alerts, every=scrape / _ASKED_PER_SCRAPE)


def _recordings(name: str, tripwire: Tripwire, scrape: timedelta) -> Iterator[Recording]:
    over, treated = window(tripwire.window, scrape), (("group", TREATMENT),)
    recalls, errors = (f"sum by (target) (increase({of_nodes(each, treated)}[{over}]))" for each in (RECALLS, ERRORS))
    # Wilson's lower end, at 99.95 %: as the watch asks it.
    n, squared = f"{name}:recalls", number(CERTAIN * CERTAIN)
    share = f"clamp_max({name}:errors, 1)"
    half = f"sqrt({share} * (1 - {share}) * {squared} / {n} + ({squared} / (2 * {n})) ^ 2)"
    yield Recording(n, f"{recalls} > 0", note="The treated recalls in the window, all nodes together.")
    yield Recording(f"{name}:errors", f"{errors}\n  / {n}")
    low = f"({share} + {squared} / (2 * {n}) - {half})\n  / (1 + {squared} / {n})"
    yield Recording(f"{name}:errors_low", low, note="The lower end of Wilson's 99.9 % interval.")
    buckets = f"sum by (le, target, group) (rate({of_nodes(SECONDS)}[{over}]))"
    p99 = f"histogram_quantile({number(1 - TAIL)}, {buckets}) >= 0"
    count = f"{SECONDS.removesuffix('_bucket')}_count"
    enough = f"sum by (target, group) (increase({of_nodes(count)}[{over}]))"
    yield Recording(f"{name}:p99", f"{p99}\n  and {enough} >= {tripwire.fewest}")
    treated_buckets = f"sum by (le, target) (rate({of_nodes(SECONDS, treated)}[{over}]))"
    many = f"sum by (target) (increase({of_nodes(count, treated)}[{over}]))"
    low = "\n  or ".join(
        f"histogram_quantile({_surely(least):.4f}, {treated_buckets}) >= 0 and {many} >= {least}"
        for least in (tripwire.fewest * step for step in _STEPS)
    )
    yield Recording(f"{name}:p99_low", low, note="What treatment's p99 is at least, at 99.9 %: a quantile of its own.")


def _surely(recalls: int) -> float:
    """The quantile that is not above the p99 for certain, of so many recalls: the score test, as Wilson's interval."""
    return 1 - TAIL - CERTAIN * math.sqrt(TAIL * (1 - TAIL) / recalls)


def _alerts(name: str, tripwire: Tripwire, plan: RolloutPlan) -> Iterator[AlertRule]:
    phases = [phase.name for phase in plan.phases if phase.tripwire == tripwire]
    if not phases:
        return
    on = f"and on (target) {within(plan, phases)}"
    labels = (("plan", plan.name), ("phases", inert(", ".join(phases))))
    share = number(tripwire.errors)
    yield AlertRule(
        "RolloutTripwireErrors",
        f"{name}:errors_low > {share}\nand on (target) {name}:recalls >= {tripwire.fewest}\n{on}",
        Severity.CRITICAL,
        "rollout",
        f"{{{{ $value | humanizePercentage }}}} of the treated recalls fail, for certain: > {tripwire.errors:.2%}",
        "Gross damage: the rollout's watch takes it back at once.",
        command("runbook rollout status"),
        PAGE,
        labels=labels,
    )
    control = selector(f"{name}:p99", {"group": CONTROL})
    yield AlertRule(
        "RolloutTripwireLatency",
        f"{name}:p99_low / on (target) ({control} > 0) > {number(tripwire.latency_ratio)}\n{on}",
        Severity.CRITICAL,
        "rollout",
        f"Treatment's p99 is at least {{{{ printf \"%.3g\" $value }}}} x control's: > {tripwire.latency_ratio:g} x",
        "Gross damage: the rollout's watch takes it back at once.",
        command("runbook rollout status"),
        PAGE,
        labels=labels,
    )
