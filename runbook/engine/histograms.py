"""Quantities of histograms: quantiles, means, and the ratio of two groups' means. Pure."""

import math
from collections.abc import Sequence
from itertools import chain

from runbook.engine.restarts import restarts
from runbook.model.measurement import Measurement, NodeSamples, Series
from runbook.model.quantity import Labels, Quantity
from runbook.statistics.counters import histogram_quantile, increase, since
from runbook.statistics.means import FEWEST, Observed, mean_interval, mean_ratio

NO_SPREAD = "what was seen in the window tells no spread"


def quantile(node: str, found: NodeSamples, series: Sequence[Series], quantity: Quantity) -> Measurement:
    """A quantile of what was seen in the window."""
    if _one_sample(found, series):
        return Measurement(node, quantity.name, None, "only one sample in the window")
    value = histogram_quantile(quantity.quantile or 0.0, _buckets(found, series))
    if value is None:
        return Measurement(node, quantity.name, None, "nothing happened in the window")
    return Measurement(node, quantity.name, value * quantity.scale)


def mean(node: str, found: NodeSamples, series: Sequence[Series], quantity: Quantity) -> Measurement:
    """The mean of what was seen in the window, with its interval."""
    if _one_sample(found, series):
        return Measurement(node, quantity.name, None, "only one sample in the window")
    seen = mean_interval(_observed(found, series, quantity.metric))
    if seen is None:
        return Measurement(node, quantity.name, None, "nothing happened in the window")
    value, low, high = (each * quantity.scale for each in (seen.value, seen.low, seen.high))
    why = "" if math.isfinite(low) else NO_SPREAD
    return Measurement(node, quantity.name, value, why, low, high)


def ratio(node: str, found: NodeSamples, series: Sequence[Series], quantity: Quantity) -> Measurement:
    """The mean of one group as a share of the other's; moot where one of them has no traffic at all."""
    one, other = (
        _observed(found, [each for each in series if set(labels) <= set(each.labels)], quantity.metric)
        for labels in (quantity.labels, quantity.other)
    )
    if one.count + other.count <= 0:
        return Measurement(node, quantity.name, None, "nothing happened in the window")
    if min(one.count, other.count) <= 0:
        empty = quantity.labels if one.count <= 0 else quantity.other
        return Measurement(node, quantity.name, None, moot=f"there is no traffic with {_told(empty)} to compare with")
    if not (one.mean and other.mean and min(one.mean, other.mean) > 0):
        return Measurement(node, quantity.name, None, "the mean of a group is not above zero")
    found_ratio = mean_ratio(one, other)
    if found_ratio is None:
        few = f"{one.count:.0f} and {other.count:.0f} in the groups, {FEWEST} in each are needed"
        return Measurement(node, quantity.name, one.mean / other.mean, few, -math.inf, math.inf)
    if math.isnan(found_ratio.low):
        return Measurement(node, quantity.name, found_ratio.value, NO_SPREAD, -math.inf, math.inf)
    return Measurement(node, quantity.name, found_ratio.value, low=found_ratio.low, high=found_ratio.high)


def _told(labels: Labels) -> str:
    return ", ".join(f"{name} {value}" for name, value in labels)


def _observed(found: NodeSamples, series: Sequence[Series], metric: str) -> Observed:
    again = restarts(found, series)
    begin = begin_of(found)

    def rise(ending: str) -> float:
        return sum(increase(since(each.samples, begin), again) for each in series if each.name == metric + ending)

    buckets = [each for each in series if each.name == f"{metric}_bucket"]
    return Observed(rise("_sum"), rise("_count"), _buckets(found, buckets))


def _buckets(found: NodeSamples, series: Sequence[Series]) -> list[tuple[float, float]]:
    again, begin = restarts(found, series), begin_of(found)
    rises: dict[float, float] = {}
    for each in series:
        bound = _bound(each)
        rises[bound] = rises.get(bound, 0.0) + increase(since(each.samples, begin), again)
    return list(rises.items())


def begin_of(found: NodeSamples) -> float:
    """When the node was first seen in the window."""
    return min(each.samples[0].at for each in found.series if each.samples)


def _one_sample(found: NodeSamples, series: Sequence[Series]) -> bool:
    return max(sample.at for sample in chain.from_iterable(each.samples for each in series)) <= begin_of(found)


def _bound(bucket: Series) -> float:
    try:
        return float(bucket.label("le") or "nan")
    except ValueError:
        return math.nan
