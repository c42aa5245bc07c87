"""How the spaces behave while nothing is changed: variances out of recorded rows. Pure. It imports numpy."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runbook.model.cells import CONTROL, TREATMENT, Cell
from runbook.model.foresight import Behaviour, Record
from runbook.model.judgement import Metric

Numbers = NDArray[np.float64]

FEWEST_BUCKETS = 8
MOST_BUCKETS = 336
FEWEST_SPACES = 2
MOST_PERSISTENT = 0.98
_COUNT, _SUM, _SQUARES = range(3)


Rows = Callable[[], Iterable[Cell]]
"""The rows on record, in any order, each once; they are gone through twice, and never held all at once."""


@dataclass(frozen=True, slots=True)
class _Extent:
    """Which rows count, and how: of that group, from `begin` to `end`, in buckets of `seconds`."""

    group: str
    seconds: int
    begin: int
    end: int

    def place(self, cell: Cell) -> int | None:
        """The bucket of the row, counted from 0; None where it does not count."""
        if cell.group != self.group or not self.begin <= cell.bucket < self.end or not cell.n + cell.errors:
            return None
        return (cell.bucket - self.begin) // self.seconds


def behaviour_of(rows: Rows, bucket_seconds: int) -> Record | str:
    """How each metric behaves, or why that cannot be said.

    Untreated rows alone count; where there are none, those of a fleet that is treated as a whole. They are added up to
    buckets of `bucket_seconds`, the plan's, the newest two weeks of hours of them; where the record is too short for
    eight of those, to the longest shorter ones of which there are eight: wandering between short buckets is then taken
    for wandering between long ones, which is not too little. `told` says either.
    """
    extent = _extent(rows(), bucket_seconds)
    if isinstance(extent, str):
        return extent
    spaces, of = _grid(rows(), extent)
    if len(spaces) < FEWEST_SPACES:
        return "one space alone is on record: nothing can be said of how spaces differ"
    length = extent.end - extent.begin
    recalls = of[Metric.ERRORS][:, :, _COUNT].sum(axis=1) / length
    behaviours = {metric: found for metric in Metric if (found := _behaviour(metric, of[metric])) is not None}
    told = (*_all_treated(extent.group), *_short(extent.seconds, bucket_seconds, length))
    by_space = dict(zip(spaces, map(float, recalls), strict=True))
    return Record(extent.seconds, length // extent.seconds, by_space, behaviours, told)


def _all_treated(group: str) -> tuple[str, ...]:
    if group == CONTROL:
        return ()
    return ("every recall on record is of a treated space: how these behave is taken for how untreated ones would",)


def _short(seconds: int, wanted: int, length: int) -> tuple[str, ...]:
    if seconds == wanted:
        return ()
    told = (
        f"the record of {length} s is too short for buckets of {wanted} s: it was taken in buckets of {seconds} s, and"
        " spaces are assumed to wander as far from one long bucket to the next as from one short one"
    )
    return (told,)


def _extent(rows: Iterable[Cell], wanted: int) -> _Extent | str:
    """What is there to be added up: the longest bucket up to the plan's of which eight are whole on record."""
    found: dict[str, tuple[set[int], list[int]]] = {}
    for cell in rows:
        if cell.n + cell.errors:
            seconds, ends = found.setdefault(cell.group, (set(), [cell.bucket, cell.bucket + cell.seconds]))
            seconds.add(cell.seconds)
            ends[:] = min(ends[0], cell.bucket), max(ends[1], cell.bucket + cell.seconds)
    if not found:
        return "no recall is on record"
    group = CONTROL if CONTROL in found else TREATMENT
    seconds, (begin, end) = found[group]
    if odd := sorted(each for each in seconds if wanted % each):
        return f"a node counts in buckets of {odd[0]} s, which do not add up to the plan's of {wanted} s"
    least = math.lcm(*seconds)
    for length in range(min(wanted, (end - begin) // FEWEST_BUCKETS) // least * least, 0, -least):
        first, last = -(-begin // length), end // length
        if last - first >= FEWEST_BUCKETS:
            return _Extent(group, length, max(first, last - MOST_BUCKETS) * length, last * length)
    return f"the record is too short: fewer than {FEWEST_BUCKETS} buckets of the nodes"


def _grid(rows: Iterable[Cell], extent: _Extent) -> tuple[list[str], dict[Metric, Numbers]]:
    """The spaces, and [metric] -> [space, bucket, (count, sum, sum of squares)]."""
    shape = (len(Metric), (extent.end - extent.begin) // extent.seconds, 3)
    added: dict[str, Numbers] = {}
    for cell in rows:
        at = extent.place(cell)
        if at is not None:
            if cell.space not in added:
                added[cell.space] = np.zeros(shape)
            added[cell.space][:, at] += [_numbers(cell, metric) for metric in Metric]
    spaces = sorted(added)
    return spaces, {metric: np.array([added[space][at] for space in spaces]) for at, metric in enumerate(Metric)}


def _numbers(cell: Cell, metric: Metric) -> tuple[float, float, float]:
    """How many, their sum, and the sum of their squares; turned so that more is worse."""
    match metric:
        case Metric.LATENCY:
            return cell.n, cell.log_latency_sum, cell.log_latency_sum_squares
        case Metric.ERRORS:
            return cell.n + cell.errors, cell.errors, cell.errors
        case Metric.SLOW:
            return cell.n, cell.over_slo, cell.over_slo
        case Metric.CONFIDENCE:
            return cell.confidence_n, -cell.confidence_sum, cell.confidence_sum_squares


def _behaviour(metric: Metric, numbers: Numbers) -> Behaviour | None:
    count, total, squares = (numbers[:, :, at] for at in (_COUNT, _SUM, _SQUARES))
    heard = count > 0
    if heard.any(axis=1).sum() < FEWEST_SPACES:
        return None
    within = squares.sum() - (total[heard] ** 2 / count[heard]).sum()
    variance = max(within, 0.0) / max(count.sum() - heard.sum(), 1)
    means = np.where(heard, total / np.maximum(count, 1), np.nan)
    own = np.nanmean(means[heard.any(axis=1)], axis=1)
    rest = _without_levels(means)
    sampling = variance * float(np.mean(1 / count[heard]))
    wander, persistence = _wandering(rest, sampling)
    return Behaviour(
        metric=metric,
        level=float(total.sum() / count.sum()),
        between=float(np.std(own, ddof=1)),
        noise=float(np.sqrt(variance)),
        wander=wander,
        persistence=persistence,
        drift=_drift(rest, sampling, wander, persistence),
    )


def _without_levels(means: Numbers) -> Numbers:
    """Less the space's own mean, less what all spaces share in a bucket."""
    with np.errstate(invalid="ignore"):
        rest = means - np.where(np.isnan(means).all(axis=1), 0.0, _nanmean(means, 1))[:, None]
        shared = _nanmean(rest, 0)
    return np.asarray(rest - np.nan_to_num(shared)[None, :])


def _nanmean(values: Numbers, axis: int) -> Numbers:
    heard = ~np.isnan(values)
    count = heard.sum(axis=axis)
    return np.asarray(np.where(count > 0, np.where(heard, values, 0.0).sum(axis=axis) / np.maximum(count, 1), np.nan))


def _wandering(rest: Numbers, sampling: float) -> tuple[float, float]:
    """Its standard deviation, and how much is left one bucket later: the variance beyond chance, and lag one.

    The mean of a space was taken off, and with it some of the wandering: as many degrees of freedom are given back.
    """
    heard = ~np.isnan(rest)
    spaces, buckets = rest.shape
    degrees = max(heard.sum() - spaces - buckets + 1, 1)
    whole = float(np.nansum(rest**2) / degrees)
    pairs = rest[:, 1:] * rest[:, :-1]
    known = ~np.isnan(pairs)
    lagged = float(np.nansum(pairs) / max(known.sum(), 1)) + whole / buckets  # the mean was taken off: Kendall's bias
    chance = 2 * whole / np.sqrt(max(known.sum(), 1))
    variance = max(whole - sampling, 0.0)
    if lagged <= chance or not whole:
        return float(np.sqrt(variance)), 0.0
    variance = max(variance, lagged)
    return float(np.sqrt(variance)), float(min(lagged / variance, MOST_PERSISTENT))


def _drift(rest: Numbers, sampling: float, wander: float, persistence: float) -> float:
    """What the two halves differ by, space for space, beyond chance and wandering; 0 where that is within chance."""
    half = rest.shape[1] // 2
    moved = _nanmean(rest[:, half : 2 * half], 1) - _nanmean(rest[:, :half], 1)
    moved = moved[~np.isnan(moved)]
    if len(moved) < FEWEST_SPACES:
        return 0.0
    lags = np.abs(np.subtract.outer(np.arange(2 * half), np.arange(2 * half)))
    weights = np.repeat([-1.0, 1.0], half) / half
    expected = wander**2 * float(weights @ persistence**lags @ weights) + 2 * sampling / half
    found = float(np.var(moved, ddof=1))
    return float(np.sqrt(found - expected)) if found > expected * (1 + 2 * np.sqrt(2 / (len(moved) - 1))) else 0.0
