"""When a node's process began again, as its metrics tell. Pure."""

from collections.abc import Sequence
from itertools import pairwise

from runbook.model.measurement import NodeSamples, Series
from runbook.statistics.counters import falls

START_TIME = "process_start_time_seconds"


def starts(found: NodeSamples) -> list[float]:
    """The moments at which another start time was seen."""
    pairs = (pair for each in found.named(START_TIME) for pair in pairwise(each.samples))
    return [after.at for before, after in pairs if after.value != before.value]


def restarts(found: NodeSamples, series: Sequence[Series]) -> frozenset[float]:
    """Where the start time changed, or one counter fell, all began again, whatever the others show."""
    return frozenset(starts(found)).union(*(falls(each.samples) for each in series))


def same_process(found: NodeSamples) -> bool:
    """Was it one and the same process from the first of the samples to the last? Then nobody ended it in between."""
    told = sorted((sample.at, sample.value) for each in found.named(START_TIME) for sample in each.samples)
    moments = [sample.at for each in found.series for sample in each.samples]
    covered = bool(told) and (told[0][0], told[-1][0]) == (min(moments), max(moments))
    return covered and told[0][0] < told[-1][0] and len({value for _, value in told}) == 1


def started_at(found: NodeSamples) -> float | None:
    """When the process that was seen last began, in seconds since 1970, or None where the node does not tell."""
    newest = [each.samples[-1] for each in found.named(START_TIME) if each.samples]
    return max(newest, key=lambda sample: sample.at).value if newest else None
