"""From samples to measurements: one number for a quantity of a node, or the reason why there is none."""

import math
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from runbook.model.measurement import Measurement, NodeSamples, Sample, Samples, Series, Silence
from runbook.model.quantity import How, Quantity
from runbook.model.target import Node
from runbook.ports import ReadPorts
from runbook.statistics.counters import falls, histogram_quantile, increase, since
from runbook.statistics.slope import slope

START_TIME = "process_start_time_seconds"
SECONDS_PER_HOUR = 3600.0
FEWEST_SCRAPES = 10
LONGEST_PAUSE_SECONDS = 15.0


def series_of(quantities: Sequence[Quantity]) -> tuple[str, ...]:
    """The series that a source must read to answer for these quantities."""
    names = [name for quantity in quantities for name in quantity.series]
    return tuple(dict.fromkeys([*names, START_TIME]))


def pause_of(window: timedelta) -> float:
    """Seconds between two observations, so that a window holds at least ten."""
    return min(window.total_seconds() / FEWEST_SCRAPES, LONGEST_PAUSE_SECONDS)


def gather(ports: ReadPorts, nodes: Sequence[Node], names: Sequence[str], window: timedelta) -> Samples:
    """The samples of one window: looked up where the source looks back, else observed now for that long.

    Raises:
        UnreachableError: the source itself cannot be reached.
    """
    probes, clock = ports.probes, ports.clock
    if probes.looks_back:
        return probes.samples(nodes, names, window)
    begin, total = clock.monotonic(), window.total_seconds()
    while True:
        probes.observe(nodes, names)
        passed = clock.monotonic() - begin
        ports.talk.progress("measuring", min(passed, total), total)
        if passed >= total:
            return probes.samples(nodes, names, timedelta(seconds=passed + pause_of(window)))
        clock.sleep(min(pause_of(window), max(total - passed, 0.0)))


def measure(node: str, found: NodeSamples | Silence, quantity: Quantity) -> Measurement:
    """One quantity of one node. Silence, too few samples and an idle histogram are "no data", never zero."""
    if isinstance(found, Silence):
        return _nothing(node, quantity, found.reason)
    series = [each for name in quantity.series for each in found.named(name) if each.samples]
    if not series or not all(math.isfinite(sample.value) for each in series for sample in each.samples):
        lack = "a value that is no number for" if series else "no"
        return _nothing(node, quantity, f"the node exposes {lack} {quantity.metric}")
    match quantity.how:
        case How.LAST:
            total = sum(each.samples[-1].value for each in series)
            return Measurement(node, quantity.name, total * quantity.scale)
        case How.RATE_PER_MINUTE:
            return _rate(node, found, series, quantity)
        case How.QUANTILE:
            return _quantile(node, found, series, quantity)
        case How.GROWTH_PER_HOUR:
            return _growth(node, found, series, quantity)


def _nothing(node: str, quantity: Quantity, reason: str) -> Measurement:
    return Measurement(node, quantity.name, None, reason)


def _begin(found: NodeSamples) -> float:
    return min(each.samples[0].at for each in found.series if each.samples)


def _rate(node: str, found: NodeSamples, series: Sequence[Series], quantity: Quantity) -> Measurement:
    begin, end = _begin(found), max(each.samples[-1].at for each in series)
    if end <= begin:
        return _nothing(node, quantity, "only one sample in the window")
    restarts = _restarts(found, series)
    rise = sum(increase(since(each.samples, begin), restarts) for each in series)
    return Measurement(node, quantity.name, rise / (end - begin) * 60 * quantity.scale)


def _quantile(node: str, found: NodeSamples, series: Sequence[Series], quantity: Quantity) -> Measurement:
    begin = _begin(found)
    if max(each.samples[-1].at for each in series) <= begin:
        return _nothing(node, quantity, "only one sample in the window")
    restarts = _restarts(found, series)
    rises: dict[float, float] = {}
    for each in series:
        bound = _bound(each)
        rises[bound] = rises.get(bound, 0.0) + increase(since(each.samples, begin), restarts)
    value = histogram_quantile(quantity.quantile or 0.0, list(rises.items()))
    if value is None:
        return _nothing(node, quantity, "nothing happened in the window")
    return Measurement(node, quantity.name, value * quantity.scale)


def _restarts(found: NodeSamples, series: Sequence[Series]) -> frozenset[float]:
    """Where the start time changed, or one counter fell, all began again, whatever the others show."""
    return frozenset(_starts(found)).union(*(falls(each.samples) for each in series))


def _starts(found: NodeSamples) -> list[float]:
    pairs = (pair for each in found.named(START_TIME) for pair in pairwise(each.samples))
    return [after.at for before, after in pairs if after.value != before.value]


def _bound(bucket: Series) -> float:
    try:
        return float(bucket.label("le") or "nan")
    except ValueError:
        return math.nan


def _growth(node: str, found: NodeSamples, series: Sequence[Series], quantity: Quantity) -> Measurement:
    samples = _since_restart(found, _summed(series))
    line = slope(samples)
    if line is None:
        return _nothing(node, quantity, f"{len(samples)} samples since the last restart are too few for a slope")
    scale = SECONDS_PER_HOUR * quantity.scale
    return Measurement(node, quantity.name, line.value * scale, low=line.low * scale, high=line.high * scale)


def _summed(series: Sequence[Series]) -> tuple[Sample, ...]:
    sums: dict[float, float] = {}
    for each in series:
        for at, value in {sample.at: sample.value for sample in each.samples}.items():  # one value a moment
            sums[at] = sums.get(at, 0.0) + value
    return tuple(Sample(at, value) for at, value in sorted(sums.items()))


def _since_restart(found: NodeSamples, samples: Sequence[Sample]) -> tuple[Sample, ...]:
    begin = max(_starts(found), default=-math.inf)
    return tuple(sample for sample in samples if sample.at >= begin)
