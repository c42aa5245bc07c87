"""How fast a gauge grows: since the last restart, after the warm-up, as a whole and by its parts. Pure."""

import math
from collections.abc import Sequence

from runbook.engine.restarts import started_at, starts
from runbook.model.measurement import Growth, Measurement, NodeSamples, Sample, Series, WarmUp
from runbook.model.quantity import Quantity
from runbook.model.runbook import Breakdown
from runbook.statistics.slope import slope

SECONDS_PER_HOUR = 3600.0
REACH = 0.9
"""A quantity over three hours is answered from samples that reach back this share of them."""


def growth(
    node: str, found: NodeSamples, series: Sequence[Series], quantity: Quantity, warm_up: WarmUp | None = None
) -> Measurement:
    """The slope with its interval, or the reason why there is none."""
    begin = _begin(found, warm_up)
    settled = [sample for sample in _lately(summed(series), quantity) if sample.at >= begin]
    if quantity.over is not None and settled and not _reaches(settled, quantity.over.total_seconds()):
        back = settled[-1].at - settled[0].at
        return Measurement(node, quantity.name, None, f"the samples since the process settled reach back {back:.0f} s")
    line = slope(settled)
    if line is None:
        return Measurement(node, quantity.name, None, _too_few(found, settled, warm_up))
    scale = SECONDS_PER_HOUR * quantity.scale
    return Measurement(node, quantity.name, line.value * scale, low=line.low * scale, high=line.high * scale)


def growths(found: NodeSamples, breakdown: Breakdown, warm_up: WarmUp | None = None) -> tuple[Growth, ...]:
    """Each part of the gauge, the fastest first; parts with too few samples are left out."""
    parts: dict[str, list[Series]] = {}
    for each in found.named(breakdown.metric):
        parts.setdefault(each.label(breakdown.label) or "", []).append(each)
    begin, scale = _begin(found, warm_up), SECONDS_PER_HOUR / 1e6
    lines = {part: slope([s for s in summed(series) if s.at >= begin]) for part, series in parts.items()}
    known = [Growth(part, *(each * scale for each in (s.value, s.low, s.high))) for part, s in lines.items() if s]
    return tuple(sorted(known, key=lambda each: -each.value))


def summed(series: Sequence[Series]) -> tuple[Sample, ...]:
    """One series of all of them, one value a moment."""
    sums: dict[float, float] = {}
    for each in series:
        for at, value in {sample.at: sample.value for sample in each.samples}.items():
            sums[at] = sums.get(at, 0.0) + value
    return tuple(Sample(at, value) for at, value in sorted(sums.items()))


def _lately(samples: Sequence[Sample], quantity: Quantity) -> Sequence[Sample]:
    if quantity.over is None or not samples:
        return samples
    begin = samples[-1].at - quantity.over.total_seconds()
    return [sample for sample in samples if sample.at >= begin]


def _reaches(samples: Sequence[Sample], seconds: float) -> bool:
    return samples[-1].at - samples[0].at >= REACH * seconds


def _begin(found: NodeSamples, warm_up: WarmUp | None) -> float:
    """From when on samples count: the last restart that was seen, and the end of the warm-up, on the samples' clock."""
    begin = max(starts(found), default=-math.inf)
    started = started_at(found)
    if warm_up is None or started is None or not warm_up.length:
        return begin
    newest = max(each.samples[-1].at for each in found.series if each.samples)
    return max(begin, newest - (warm_up.now - started) + warm_up.length.total_seconds())


def _too_few(found: NodeSamples, samples: Sequence[Sample], warm_up: WarmUp | None) -> str:
    started = started_at(found)
    if warm_up is not None and started is not None:
        age = warm_up.now - started
        length = warm_up.length.total_seconds()
        if round(age) < 0:
            ahead = f"its clock is ahead of ours by {-age:.0f} s or more"
            return f"{ahead}: whether the warm-up of {length:.0f} s is over is not known"
        if age < length:
            return f"started {max(age, 0.0):.0f} s ago: the warm-up of {length:.0f} s is not over"
    return f"{len(samples)} samples since the last restart are too few for a slope"
