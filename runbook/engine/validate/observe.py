"""What the validator makes of one node's samples: each number with its interval, by blocks of time. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from runbook.engine.restarts import START_TIME, starts
from runbook.engine.validate.blocks import FEWEST_IN_BLOCK, Histogram, histograms, joined_pairs, pairs, total
from runbook.model.measurement import NodeSamples, Series
from runbook.model.validation import Kept, Observed
from runbook.model.validation_limits import P99_SECONDS
from runbook.statistics.counters import histogram_quantile
from runbook.statistics.distance import effective_size
from runbook.statistics.means import Interval
from runbook.statistics.proportions import proportion_interval
from runbook.statistics.typical import design_effect, median_interval, ratio_interval

RECALL, RECALLS = "engram_recall_duration_seconds", "engram_recall_total"
ERRORS, CONFIDENCE = "engram_recall_errors_total", "engram_recall_confidence"
FANS, CYCLES = "engram_concept_fan_out", "engram_consolidation_runs_total"
MEMORY, CPU, CONCEPTS = "process_resident_memory_bytes", "process_cpu_seconds_total", "engram_concepts"
_CROWDED = 0.9
_TICKS = 0.15
"""CPU seconds that a block must hold at least: a kernel counts in hundredths, some nodes too."""
_NO_NUMBER = "the node exposes a value that is no number"
_SAME_BOUND = 1e-6

SERIES = (
    *(f"{name}_bucket" for name in (RECALL, FANS)),
    f"{CONFIDENCE}_sum",
    f"{CONFIDENCE}_count",
    RECALLS,
    ERRORS,
    CYCLES,
    MEMORY,
    CPU,
    CONCEPTS,
    START_TIME,
)
"""Everything that a source must read for it."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with the interval of the share; `worth` is the number of independent observations."""

    hits: float
    count: float
    worth: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Fans:
    """The fan-out of the activations of a window, cumulative by bound, and how many independent ones they are worth."""

    histogram: Histogram
    worth: float


def observed(found: NodeSamples, confidence: float) -> dict[Kept, Observed]:
    """Every number of the node that is compared with its baseline."""
    return {
        Kept.LATENCY: latency(found, confidence),
        Kept.P99: p99(found),
        Kept.MEMORY: memory(found, confidence),
        Kept.CPU: cpu(found, confidence),
        Kept.TRAFFIC: traffic(found),
        Kept.CONFIDENCE: sureness(found, confidence),
        Kept.ERRORS: _observed(errors(found, confidence)),
        Kept.CONSOLIDATION: _observed(consolidation(found, confidence)),
    }


def latency(found: NodeSamples, confidence: float) -> Observed:
    """The typical recall, seconds: the median over blocks of time of their geometric mean."""
    blocks = _recalls(found)
    if isinstance(blocks, str):
        return Observed(None, reason=blocks)
    whole = total(blocks)
    logs = median_interval([block.mean_log for block in blocks if block.count > 0], confidence)
    if logs is None:
        return Observed(None, reason=f"the buckets of {RECALL} tell no latency")
    if whole.crowded > _CROWDED:
        return Observed(
            math.exp(logs.value), reason=f"{whole.crowded:.0%} of the recalls are in one bucket: too coarse"
        )
    return Observed(math.exp(logs.value), _exp(logs.low), _exp(logs.high), _endless(logs))


def p99(found: NodeSamples) -> Observed:
    """The 99th percentile of the recalls, seconds, for people: what it may be is asked by `slow`."""
    blocks = _recalls(found)
    if isinstance(blocks, str):
        return Observed(None, reason=blocks)
    return Observed(histogram_quantile(0.99, list(total(blocks).counts.items())))


def slow(found: NodeSamples, confidence: float) -> tuple[Share, Share] | str:
    """The share of recalls over the limit of p99, or why there is none.

    Buckets need not have a bound there: the first counts what is over the bound below (at most so many are slow), the
    second what is over the bound above (at least so many are).
    """
    blocks = _recalls(found)
    if isinstance(blocks, str):
        return blocks
    whole = total(blocks)
    limit = P99_SECONDS.value
    under = max((bound for bound in whole.counts if bound <= limit * (1 + _SAME_BOUND)), default=None)
    over = min((bound for bound in whole.counts if bound >= limit * (1 - _SAME_BOUND)), default=math.inf)
    most = [(block.count - (0.0 if under is None else block.counts.get(under, 0.0)), block.count) for block in blocks]
    least = [(block.count - block.counts.get(over, 0.0), block.count) for block in blocks]
    return share_of(most, confidence), share_of(least, confidence)


def memory(found: NodeSamples, confidence: float) -> Observed:
    """Resident bytes: the median over the samples, all processes of the node together."""
    by_time: dict[float, float] = {}
    for each in found.named(MEMORY):
        for sample in each.samples:
            by_time[sample.at] = by_time.get(sample.at, 0.0) + sample.value
    return _median(list(by_time.values()), confidence, _nothing(found, MEMORY).reason)


def cpu(found: NodeSamples, confidence: float) -> Observed:
    """CPU seconds per recall over the whole window."""
    for name in (CPU, RECALLS):
        if not found.named(name):
            return _nothing(found, name)
        if not _numbers(found.named(name)):
            return Observed(None, reason=_NO_NUMBER)
    blocks = joined_pairs(pairs(found, found.named(CPU), found.named(RECALLS)), (_TICKS, FEWEST_IN_BLOCK))
    ratio = ratio_interval(blocks, confidence)
    if ratio is None:
        return Observed(None, reason="nobody recalled anything in the window")
    return Observed(ratio.value, ratio.low, ratio.high, _endless(ratio))


def traffic(found: NodeSamples) -> Observed:
    """Recalls per minute."""
    series = found.named(RECALLS)
    if not series:
        return _nothing(found, RECALLS)
    if not _numbers(series):
        return Observed(None, reason=_NO_NUMBER)
    times = [sample.at for each in found.series for sample in each.samples]
    seconds = max(times) - min(times)
    if seconds <= 0:
        return Observed(None, reason="only one sample in the window")
    return Observed(sum(whole for _, whole in pairs(found, (), series)) / seconds * 60)


def sureness(found: NodeSamples, confidence: float) -> Observed:
    """The mean confidence of a recall over the whole window."""
    sums, counts = found.named(f"{CONFIDENCE}_sum"), found.named(f"{CONFIDENCE}_count")
    if not sums or not counts:
        return _nothing(found, f"{CONFIDENCE}_count")
    if not _numbers((*sums, *counts)):
        return Observed(None, reason=_NO_NUMBER)
    ratio = ratio_interval(joined_pairs(pairs(found, sums, counts)), confidence)
    if ratio is None:
        return Observed(None, reason="nobody recalled anything in the window")
    return Observed(ratio.value, ratio.low, ratio.high, _endless(ratio))


def errors(found: NodeSamples, confidence: float) -> Share | str:
    """The share of the recalls that failed, or why there is none."""
    return _share(found, found.named(ERRORS), found.named(RECALLS), confidence, (ERRORS, RECALLS))


def consolidation(found: NodeSamples, confidence: float) -> Share | str:
    """The share of the consolidation runs that succeeded, or why there is none."""
    runs = found.named(CYCLES)
    return _share(
        found, [each for each in runs if each.label("outcome") == "success"], runs, confidence, (CYCLES, CYCLES)
    )


def fans(found: NodeSamples) -> Fans | str:
    """The distribution of the fan-out of the window, or why there is none."""
    if not _numbers(found.named(f"{FANS}_bucket")):
        return _NO_NUMBER
    blocks = [block for block in histograms(found, FANS) if block.count > 0]
    if not blocks:
        named = found.named(f"{FANS}_bucket")
        return "no concept was activated in the window" if named else _nothing(found, f"{FANS}_bucket").reason
    return Fans(total(blocks), effective_size([block.counts for block in blocks]))


def began_again(found: NodeSamples) -> int:
    """How often another process was seen within the window."""
    return len(starts(found))


def share_of(blocks: Sequence[tuple[float, float]], confidence: float) -> Share:
    """The share over all blocks; clustered in time, it is worth fewer observations than it has."""
    hits, count = (sum(each[side] for each in blocks) for side in (0, 1))
    worth = count / design_effect(blocks)
    low, high = proportion_interval(hits / count * worth if count else 0.0, worth, confidence)
    return Share(hits, count, worth, low, high)


def _share(
    found: NodeSamples, part: Sequence[Series], whole: Sequence[Series], confidence: float, names: tuple[str, str]
) -> Share | str:
    if not part or not whole:
        return _nothing(found, names[0] if not part else names[1]).reason
    if not _numbers((*part, *whole)):
        return _NO_NUMBER
    blocks = pairs(found, part, whole)
    if sum(count for _, count in blocks) <= 0:
        return f"{names[1]} did not rise in the window"
    return share_of(joined_pairs(blocks), confidence)


def _recalls(found: NodeSamples) -> list[Histogram] | str:
    series = found.named(f"{RECALL}_bucket")
    if not series:
        return f"the node exposes no {RECALL}_bucket"
    if not _numbers(series):
        return _NO_NUMBER
    blocks = [block for block in histograms(found, RECALL) if block.count > 0]
    return blocks or "nobody recalled anything in the window, or it holds one sample only"


def _median(values: Sequence[float], confidence: float, nothing: str) -> Observed:
    if not all(map(math.isfinite, values)):
        return Observed(None, reason=_NO_NUMBER)
    found = median_interval(values, confidence)
    if found is None:
        return Observed(None, reason=nothing or "only one sample in the window")
    return Observed(found.value, found.low, found.high, _endless(found))


def _endless(found: Interval) -> str:
    return "" if math.isfinite(found.low) else "too few blocks of time for an interval"


def _observed(share: Share | str) -> Observed:
    if isinstance(share, str):
        return Observed(None, reason=share)
    return Observed(share.hits / share.count, share.low, share.high)


def _nothing(found: NodeSamples, name: str) -> Observed:
    return Observed(None, reason=f"the node exposes no {name}" if not found.named(name) else "only one sample")


def _exp(value: float) -> float:
    return math.exp(value) if math.isfinite(value) else (0.0 if value < 0 else math.inf)


def _numbers(series: Sequence[Series]) -> bool:
    return all(math.isfinite(sample.value) for each in series for sample in each.samples)
