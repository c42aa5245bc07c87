"""How the spaces behave while nothing is changed: variances out of recorded rows. Pure. It imports numpy."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runbook.model.cells import CONTROL, Cell
from runbook.model.foresight import Behaviour, Record
from runbook.model.judgement import Metric

Numbers = NDArray[np.float64]

FEWEST_BUCKETS = 8
FEWEST_SPACES = 2
MOST_PERSISTENT = 0.98
_COUNT, _SUM, _SQUARES = range(3)


@dataclass(frozen=True, slots=True)
class _Grid:
    """Rows on a grid: [metric] -> [space, bucket, (count, sum, sum of squares)]."""

    spaces: tuple[str, ...]
    seconds: int
    of: dict[Metric, Numbers]


def behaviour_of(rows: Iterable[Cell], bucket_seconds: int) -> Record | str:
    """How each metric behaves, or why that cannot be said.

    Untreated rows alone count; where there are none, those of a fleet that is treated as a whole. They are added up to
    buckets of `bucket_seconds`, the plan's; where the record is too short for eight of those, to the longest shorter
    ones of which there are eight: wandering between short buckets is then taken for wandering between long ones, which
    is not too little. `told` says either.
    """
    every = [cell for cell in rows if cell.n + cell.errors]
    kept = [cell for cell in every if cell.group == CONTROL] or every
    if not kept:
        return "no recall is on record"
    if odd := sorted({cell.seconds for cell in kept if bucket_seconds % cell.seconds}):
        return f"a node counts in buckets of {odd[0]} s, which do not add up to the plan's of {bucket_seconds} s"
    seconds = _seconds(kept, bucket_seconds)
    if seconds is None:
        return f"the record is too short: fewer than {FEWEST_BUCKETS} buckets of the nodes"
    grid = _grid(kept, seconds)
    if len(grid.spaces) < FEWEST_SPACES:
        return "one space alone is on record: nothing can be said of how spaces differ"
    length = grid.of[Metric.ERRORS].shape[1] * seconds
    recalls = grid.of[Metric.ERRORS][:, :, _COUNT].sum(axis=1) / length
    behaviours = {metric: found for metric in Metric if (found := _behaviour(metric, grid.of[metric])) is not None}
    told = (*_all_treated(kept), *_short(seconds, bucket_seconds, length))
    by_space = dict(zip(grid.spaces, map(float, recalls), strict=True))
    return Record(seconds, length // seconds, by_space, behaviours, told)


def _all_treated(rows: list[Cell]) -> tuple[str, ...]:
    if rows[0].group == CONTROL:
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


def _seconds(rows: list[Cell], wanted: int) -> int | None:
    """The longest bucket up to the plan's, a multiple of every node's, of which eight are whole on record."""
    least = math.lcm(*{cell.seconds for cell in rows})
    begin, end = min(cell.bucket for cell in rows), max(cell.bucket + cell.seconds for cell in rows)
    longest = min(wanted, (end - begin) // FEWEST_BUCKETS) // least * least
    fitting = (seconds for seconds in range(longest, 0, -least) if _whole(begin, end, seconds) >= FEWEST_BUCKETS)
    return next(fitting, None)


def _whole(begin: int, end: int, seconds: int) -> int:
    return end // seconds - -(-begin // seconds)


def _grid(rows: list[Cell], seconds: int) -> _Grid:
    begin = -(-min(cell.bucket for cell in rows) // seconds)
    end = max(cell.bucket + cell.seconds for cell in rows) // seconds
    spaces = tuple(sorted({cell.space for cell in rows}))
    place = {space: at for at, space in enumerate(spaces)}
    of = {metric: np.zeros((len(spaces), end - begin, 3)) for metric in Metric}
    for cell in rows:
        bucket = cell.bucket // seconds - begin
        if not 0 <= bucket < end - begin:
            continue
        for metric in Metric:
            of[metric][place[cell.space], bucket] += _numbers(cell, metric)
    return _Grid(spaces, seconds, of)


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
