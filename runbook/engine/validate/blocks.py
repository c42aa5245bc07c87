"""A window cut into blocks of time at its samples: what rose in each, restarts handled. Pure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from runbook.engine.histograms import begin_of
from runbook.engine.restarts import restarts
from runbook.model.measurement import NodeSamples, Series
from runbook.statistics.counters import since

FEWEST_IN_BLOCK = 20.0
"""Observations under which a block is joined with the next: the mean of fewer tells little."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """What a histogram saw in one block, by upper bound, cumulative."""

    counts: dict[float, float] = field(default_factory=dict)

    @property
    def count(self) -> float:
        """How many observations."""
        return max(self.counts.values(), default=0.0)

    def joined(self, other: "Histogram") -> "Histogram":
        """Both together."""
        return Histogram({b: self.counts.get(b, 0.0) + other.counts.get(b, 0.0) for b in {*self.counts, *other.counts}})

    @property
    def mean_log(self) -> float:
        """The mean logarithm, everything in a bucket at its geometric middle.

        Of values that spread over several buckets it moves as they do. The lowest bucket has no lower end: it is taken
        to be as wide as the next one; the infinite one counts at the highest bound.
        """
        ordered = sorted((bound, count) for bound, count in self.counts.items() if bound > 0)
        finite = [bound for bound, _ in ordered if math.isfinite(bound)]
        if len(finite) < 2 or self.count <= 0:  # noqa: PLR2004 - a bucket has two ends
            return math.nan
        low, before, total = finite[0] ** 2 / finite[1], 0.0, 0.0
        for bound, count in ordered:
            high = bound if math.isfinite(bound) else low
            total += max(count - before, 0.0) * (math.log(low) + math.log(high)) / 2
            low, before = high, max(before, count)
        return total / self.count

    @property
    def crowded(self) -> float:
        """The share of the observations in the fullest bucket: near 1 the buckets are too wide to tell anything."""
        rising = [count for _, count in sorted(self.counts.items())]
        return max((after - before for before, after in pairwise([0.0, *rising])), default=0.0) / (self.count or 1.0)


def rises(found: NodeSamples, series: Sequence[Series]) -> dict[float, float]:
    """By the end of each block, how much the counters rose in it, all together; empty with one sample only."""
    again, begin = restarts(found, series), begin_of(found)
    total: dict[float, float] = {}
    for each in series:
        for before, after in pairwise(since(each.samples, begin)):
            # `increase` says the same of two samples; this is the loop in which a day of watching is spent.
            restarted = again and any(before.at < moment <= after.at for moment in again)
            rise = after.value if restarted or after.value < before.value else after.value - before.value
            total[after.at] = total.get(after.at, 0.0) + rise
    return dict(sorted(total.items()))


def histograms(found: NodeSamples, metric: str) -> list[Histogram]:
    """What the histogram saw in each block, its series summed over their labels; blocks with too little are joined."""
    by_bound: dict[float, list[Series]] = defaultdict(list)
    for each in found.named(f"{metric}_bucket"):
        by_bound[_bound(each)].append(each)
    blocks: dict[float, dict[float, float]] = {}
    for bound, series in by_bound.items():
        for at, rise in rises(found, series).items():
            blocks.setdefault(at, {})[bound] = rise
    whole = [Histogram(counts) for _, counts in sorted(blocks.items()) if len(counts) == len(by_bound)]
    return _joined(whole)


def pairs(found: NodeSamples, part: Sequence[Series], whole: Sequence[Series]) -> list[tuple[float, float]]:
    """(rise of the part, rise of the whole) of each block."""
    parts = rises(found, part)
    return [(parts.get(at, 0.0), count) for at, count in rises(found, whole).items()]


def joined_pairs(
    blocks: Iterable[tuple[float, float]], least: tuple[float, float] = (0.0, FEWEST_IN_BLOCK)
) -> list[tuple[float, float]]:
    """The same, blocks with too little of the part or the whole joined with the next, the last with the one before."""
    found: list[tuple[float, float]] = []
    part = whole = 0.0
    for more_part, more_whole in blocks:
        part, whole = part + more_part, whole + more_whole
        if part >= least[0] and whole >= least[1]:
            found.append((part, whole))
            part = whole = 0.0
    if whole > 0 and found:
        part, whole = part + found[-1][0], whole + found.pop()[1]
    return [*found, (part, whole)] if whole > 0 else found


def _joined(blocks: Iterable[Histogram]) -> list[Histogram]:
    found: list[Histogram] = []
    open_ = Histogram()
    for block in blocks:
        open_ = open_.joined(block)
        if open_.count >= FEWEST_IN_BLOCK:
            found.append(open_)
            open_ = Histogram()
    if open_.count and not found:
        return [open_]
    return [*found[:-1], found[-1].joined(open_)] if open_.count else found


def total(blocks: Iterable[Histogram]) -> Histogram:
    """All of them together."""
    whole = Histogram()
    for block in blocks:
        whole = whole.joined(block)
    return whole


def _bound(bucket: Series) -> float:
    try:
        return float(bucket.label("le") or "nan")
    except ValueError:
        return math.nan
