"""From samples to measurements: one number for a quantity of a node, or the reason why there is none."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from runbook.engine import histograms
from runbook.engine.growth import growth
from runbook.engine.histograms import begin_of
from runbook.engine.restarts import START_TIME, restarts, same_process
from runbook.model.measurement import Measurement, NodeSamples, Samples, Series, Silence, WarmUp
from runbook.model.quantity import How, Quantity
from runbook.model.target import Node
from runbook.ports import ReadPorts
from runbook.statistics.counters import increase, since
from runbook.statistics.shares import share_interval

FEWEST_SCRAPES = 10
LONGEST_PAUSE_SECONDS = 15.0


def series_of(quantities: Sequence[Quantity]) -> tuple[str, ...]:
    """The series that a source must read to answer for these quantities."""
    names = [name for quantity in quantities for name in quantity.series]
    return tuple(dict.fromkeys([*names, START_TIME]))


def pause_of(window: timedelta, scrapes: int = FEWEST_SCRAPES) -> float:
    """Seconds between two observations, so that a window holds at least ten, or as many as are asked for."""
    return min(window.total_seconds() / scrapes, LONGEST_PAUSE_SECONDS)


def gather(
    ports: ReadPorts, nodes: Sequence[Node], names: Sequence[str], window: timedelta, scrapes: int = FEWEST_SCRAPES
) -> Samples:
    """The samples of one window: looked up where the source looks back, else observed now for that long.

    Raises:
        UnreachableError: the source itself cannot be reached.
    """
    return gather_until(ports, nodes, names, Span(window, window, scrapes), lambda _: True)[0]


@dataclass(frozen=True, slots=True)
class Span:
    """How long to measure: `usual`, and where that settles nothing up to `longest`; `scrapes` in each usual one."""

    usual: timedelta
    longest: timedelta
    scrapes: int = FEWEST_SCRAPES


def gather_until(
    ports: ReadPorts, nodes: Sequence[Node], names: Sequence[str], span: Span, enough: Callable[[Samples], bool]
) -> tuple[Samples, timedelta]:
    """The samples, and the window that they cover: the usual one, or twice that and so on until they are `enough`.

    Not asked at each look: who asks often enough finds what he looks for by chance. A source that looks back is asked
    once.

    Raises:
        UnreachableError: the source itself cannot be reached.
    """
    probes, clock, window = ports.probes, ports.clock, span.usual
    if probes.looks_back:
        return probes.samples(nodes, names, window), window
    pause, begin = pause_of(window, span.scrapes), clock.monotonic()
    due = total = window.total_seconds()
    while True:
        probes.observe(nodes, names)
        passed = clock.monotonic() - begin
        ports.talk.progress("measuring", min(passed, total), total)
        if passed >= due:
            samples = probes.samples(nodes, names, timedelta(seconds=passed + pause))
            if passed >= span.longest.total_seconds() or enough(samples):
                return samples, timedelta(seconds=round(passed, 1))
            if total < span.longest.total_seconds():
                total = span.longest.total_seconds()
                ports.talk.say(f"not settled yet: looking on, for up to {total:.0f} s in all")
            due = min(2 * due, total)
        clock.sleep(min(pause, max(total - passed, pause / FEWEST_SCRAPES)))


def measure(node: str, found: NodeSamples | Silence, quantity: Quantity, warm_up: WarmUp | None = None) -> Measurement:
    """One quantity of one node. Silence, too few samples and an idle histogram are "no data", never zero."""
    if isinstance(found, Silence):
        return _nothing(node, quantity, found.reason)
    if quantity.over is not None and quantity.how is not How.GROWTH_PER_HOUR:  # a slope has its own way to reach back
        found = _lately(found, quantity.over)
    if quantity.how is How.RISE and same_process(found):
        return Measurement(node, quantity.name, 0.0)  # others may have been ended; or the node does not tell
    series = [each for name in quantity.series for each in found.named(name) if _counts(each, quantity)]
    missing = [name for name in quantity.series if all(each.name != name for each in series)]
    if missing:
        what = quantity.whole if missing == [quantity.whole] else _wanted(quantity)
        return _nothing(node, quantity, f"the node exposes no {what}")
    if not all(math.isfinite(sample.value) for each in series for sample in each.samples):
        return _nothing(node, quantity, f"the node exposes a value that is no number for {_wanted(quantity)}")
    if quantity.how is How.GROWTH_PER_HOUR:
        return growth(node, found, series, quantity, warm_up)
    return _WAYS[quantity.how](node, found, series, quantity)


def _lately(found: NodeSamples, over: timedelta) -> NodeSamples:
    """Only what was seen in the last so long, as far as the samples reach back."""
    newest = max((each.samples[-1].at for each in found.series if each.samples), default=0.0)
    begin = newest - over.total_seconds()
    series = (replace(each, samples=tuple(s for s in each.samples if s.at >= begin)) for each in found.series)
    return replace(found, series=tuple(each for each in series if each.samples))


def _counts(series: Series, quantity: Quantity) -> bool:
    ungrouped = series.name == quantity.whole or bool(quantity.other)  # a ratio sorts its two groups out itself
    return bool(series.samples) and (ungrouped or set(quantity.labels) <= set(series.labels))


def _wanted(quantity: Quantity) -> str:
    labels = ", ".join(f"{name} {value}" for name, value in quantity.labels)
    return f"{quantity.metric} with {labels}" if labels else quantity.metric


def _nothing(node: str, quantity: Quantity, reason: str) -> Measurement:
    return Measurement(node, quantity.name, None, reason)


def _last(node: str, found: NodeSamples, series: Sequence[Series], quantity: Quantity) -> Measurement:
    del found
    return Measurement(node, quantity.name, sum(each.samples[-1].value for each in series) * quantity.scale)


def _rise(node: str, found: NodeSamples, series: Sequence[Series], quantity: Quantity) -> Measurement:
    if max(each.samples[-1].at for each in series) <= begin_of(found):
        return _nothing(node, quantity, "only one sample in the window")
    rise = sum(max(after.value - before.value, 0.0) for each in series for before, after in pairwise(each.samples))
    return Measurement(node, quantity.name, rise * quantity.scale)


def _share(node: str, found: NodeSamples, series: Sequence[Series], quantity: Quantity) -> Measurement:
    del found
    part = sum(each.samples[-1].value for each in series if each.name == quantity.metric)
    whole = sum(each.samples[-1].value for each in series if each.name == quantity.whole)
    if whole <= 0:
        return _nothing(node, quantity, f"{quantity.whole} is not above zero")
    return Measurement(node, quantity.name, part / whole * quantity.scale)


def _rate(node: str, found: NodeSamples, series: Sequence[Series], quantity: Quantity) -> Measurement:
    begin, end = begin_of(found), max(each.samples[-1].at for each in series)
    if end <= begin:
        return _nothing(node, quantity, "only one sample in the window")
    again = restarts(found, series)
    rise = sum(increase(since(each.samples, begin), again) for each in series)
    return Measurement(node, quantity.name, rise / (end - begin) * 60 * quantity.scale)


def _part(node: str, found: NodeSamples, series: Sequence[Series], quantity: Quantity) -> Measurement:
    """Of nothing there is no share; of few the interval is wide."""
    begin = begin_of(found)
    if max(each.samples[-1].at for each in series) <= begin:
        return _nothing(node, quantity, "only one sample in the window")
    again = restarts(found, series)
    rises: list[float] = []
    for name, labels in ((quantity.metric, quantity.labels), (quantity.whole, quantity.other)):
        chosen = [each for each in series if each.name == name and set(labels) <= set(each.labels)]
        if not chosen:
            told = ", ".join(f"{label} {value}" for label, value in labels)
            return _nothing(node, quantity, f"the node exposes no {name} with {told}")
        rises.append(sum(increase(since(each.samples, begin), again) for each in chosen))
    share = share_interval(*rises)
    if share is None:
        return _of_nothing(node, quantity, [each for each in series if each.name == quantity.whole], begin)
    value, low, high = (each * quantity.scale for each in (share.value, share.low, share.high))
    return Measurement(node, quantity.name, value, low=low, high=high)


def _of_nothing(node: str, quantity: Quantity, whole: Sequence[Series], begin: float) -> Measurement:
    """Moot where only others have traffic on the node: nobody is treated there, say."""
    if quantity.other and any(increase(since(each.samples, begin)) > 0 for each in whole):
        told = ", ".join(f"{label} {value}" for label, value in quantity.other)
        return Measurement(node, quantity.name, None, moot=f"there is no traffic with {told}")
    return _nothing(node, quantity, f"{quantity.whole} did not rise in the window")


_WAYS: dict[How, Callable[[str, NodeSamples, Sequence[Series], Quantity], Measurement]] = {
    How.LAST: _last,
    How.RISE: _rise,
    How.SHARE: _share,
    How.PART: _part,
    How.RATE_PER_MINUTE: _rate,
    How.QUANTILE: histograms.quantile,
    How.MEAN: histograms.mean,
    How.MEAN_RATIO: histograms.ratio,
}
