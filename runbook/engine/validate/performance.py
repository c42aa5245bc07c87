"""Latency, memory and CPU against the baseline. Pure."""

from runbook.engine.figures import figure
from runbook.engine.growth import growth
from runbook.engine.validate import observe
from runbook.engine.validate.against import Before, Words, by_ratio, by_value, nothing, settled
from runbook.engine.validate.look import Look
from runbook.model.measurement import NodeSamples
from runbook.model.metric import Metric
from runbook.model.validation import Checked, Kept, Observed, Outcome, Part
from runbook.model.validation_limits import (
    CPU,
    CPU_RATIO,
    GROWTH_3_H,
    GROWTH_6_H,
    GROWTH_AT_ONCE,
    LATENCY,
    LATENCY_RATIO,
    MEMORY,
    MEMORY_RATIO,
    P99_SECONDS,
    P99_SHARE,
    TRAFFIC_RATIO,
    Limit,
)

_TYPICAL = Words("the typical recall takes as long as before", "ms", 1000.0)
_P99 = Words("p99 keeps its limit", "%", 100.0)
_RESIDENT = Words("resident memory is what it was", "MB", 1e-6)
_PER_RECALL = Words("a recall costs as much CPU as before", "ms", 1000.0)
_GROWS = "memory does not grow"
_HOUR = 3600.0
_WHOLE = 0.9
"""A look counts as one over three hours from this share of them on, as everywhere."""


def latency(look: Look) -> Checked:
    """Is a recall as fast as before, and p99 within its limit?"""
    parts: list[Part] = look.silent("recalls are as fast as before")
    for node, found in look.heard():
        parts += [_p99(look, node, found)]
        now = observe.latency(found, look.confidence)
        parts += [by_ratio(node, _TYPICAL, now, look.before(node, Kept.LATENCY), LATENCY_RATIO, look.confidence)]
    return Checked(LATENCY.name, tuple(parts))


def _p99(look: Look, node: str, found: NodeSamples) -> Part:
    shares = observe.slow(found, look.confidence)
    if isinstance(shares, str):
        return nothing(node, _P99.question, shares)
    most, least = shares
    value, before = observe.p99(found).value, look.before(node, Kept.P99).value
    was = "" if before is None else f" (was {figure(before * 1000)})"
    told = "" if value is None else f"p99 {figure(value * 1000)} ms{was}; "
    told += f"{most.hits:.0f} of {most.count:.0f} recalls over {figure(P99_SECONDS.value * 1000)} ms: "
    now = Observed(most.hits / most.count, least.low, most.high)
    return by_value(node, _P99, now, P99_SHARE, told=told)


def memory(look: Look) -> Checked:
    """Is there as much memory in use as before, and does it not grow?"""
    parts: list[Part] = look.silent("memory is what it was")
    for node, found in look.heard():
        now = observe.memory(found, look.confidence)
        parts += [by_ratio(node, _RESIDENT, now, look.before(node, Kept.MEMORY), MEMORY_RATIO, look.confidence)]
        grows = _growth(look, node, found)
        # A minute's slope proves nothing good; it may well prove something bad.
        if look.soak or grows.outcome is Outcome.FAIL:
            parts += [grows]
    return Checked(MEMORY.name, tuple(parts))


def growth_limit(seconds: float) -> Limit:
    """The longer it lasts, the less it may be."""
    if seconds >= _WHOLE * 6 * _HOUR:
        return GROWTH_6_H
    return GROWTH_3_H if seconds >= _WHOLE * 3 * _HOUR else GROWTH_AT_ONCE


def _growth(look: Look, node: str, found: NodeSamples) -> Part:
    quantity = Metric(observe.MEMORY).megabytes_per_hour()
    series = found.named(observe.MEMORY)
    if not series:
        return nothing(node, _GROWS, f"the node exposes no {observe.MEMORY}")
    slope = growth(node, found, series, quantity, look.warm_up)
    limit = growth_limit(look.seconds)
    now = Observed(slope.value, *_ends(slope.low, slope.high), slope.reason)
    return by_value(node, Words(_GROWS, "MB/h"), now, limit)


def _ends(low: float | None, high: float | None) -> tuple[float, float]:
    nothing_known = Observed(None)
    return (nothing_known.low if low is None else low, nothing_known.high if high is None else high)


def cpu(look: Look) -> Checked:
    """Does a recall cost as much CPU time as before?"""
    parts: list[Part] = look.silent("CPU is what it was")
    for node, found in look.heard():
        traffic, before = observe.traffic(found), look.before(node, Kept.TRAFFIC)
        if traffic.reason:
            parts += [nothing(node, _PER_RECALL.question, traffic.reason)]
            continue
        strange = _other_traffic(traffic, before)
        if strange:
            parts += [Part(node, _PER_RECALL.question, Outcome.UNKNOWN, strange)]
            continue
        now = observe.cpu(found, look.confidence)
        parts += [by_ratio(node, _PER_RECALL, now, look.before(node, Kept.CPU), CPU_RATIO, look.confidence)]
    return Checked(CPU.name, tuple(parts))


def _other_traffic(now: Observed, before: Before) -> str:
    """What is spent per recall depends on how many there are, since a node has work of its own."""
    if not now.value or not before.value:
        return ""
    ratio = now.value / before.value
    if settled(ratio, ratio, TRAFFIC_RATIO) is Outcome.PASS and ratio > 1 / TRAFFIC_RATIO.value:
        return ""
    return (
        f"{figure(now.value)} recalls/min against {figure(before.value)} in the baseline: CPU per recall cannot be "
        "compared; capture a baseline at this traffic"
    )
