"""Means of histograms and their ratio: closed forms, published values, and how often the interval is right."""

import math
import random
from bisect import bisect_left
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.statistics.means import FEWEST, REACH, Interval, Observed, mean_interval, mean_ratio

SHARES = [step / 20 for step in range(21)]
"""Bounds of the node's histogram of confidence: 0.05 wide."""


def seen(values: list[float], bounds: list[float]) -> Observed:
    """What a histogram with these bounds keeps of the values."""
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[bisect_left(bounds, value)] += 1
    cumulative = map(float, accumulate(counts))
    return Observed(math.fsum(values), float(len(values)), list(zip([*bounds, math.inf], cumulative, strict=True)))


def test_a_mean_is_exact_and_of_nothing_there_is_none() -> None:
    """Sum by count, whatever the buckets."""
    assert seen([0.11, 0.12, 0.94], SHARES).mean == pytest.approx(0.39)
    assert Observed(0.0, 0.0).mean is None
    assert math.isnan(Observed(0.0, 0.0).variance)


def test_the_variance_of_a_uniform_histogram_is_that_of_the_uniform_distribution_and_what_is_added() -> None:
    """Closed form: k equal buckets over 0..1 have (1 - 1/k^2)/12 at their middles; each adds 1/k^2/12, in all 1/12."""
    for buckets in (1, 4, 20):
        bounds = [(at + 1) / buckets for at in range(buckets)]
        counts = [100.0 * (at + 1) for at in range(buckets)]
        observed = Observed(
            50.0 * buckets, 100.0 * buckets, [*zip(bounds, counts, strict=True), (math.inf, counts[-1])]
        )
        assert observed.variance == pytest.approx(1 / 12)


def test_what_lies_beyond_the_last_bound_counts_as_lying_on_it() -> None:
    """At 1 and beyond: half on each side of a mean of one half."""
    observed = Observed(5.0, 10.0, [(0.0, 5.0), (1.0, 5.0), (math.inf, 10.0)])
    assert observed.variance == pytest.approx(0.25)


@pytest.mark.parametrize("buckets", [[], [(math.inf, 100.0)], [(0.5, 10.0), (1.0, 100.0)]])
def test_without_whole_buckets_the_variance_is_not_known(buckets: list[tuple[float, float]]) -> None:
    """It is not zero: an interval of no width would settle every limit."""
    observed = Observed(60.0, 100.0, buckets)
    assert math.isnan(observed.variance)
    found = mean_ratio(observed, seen([0.5] * 99 + [0.7], SHARES))
    assert found is not None
    assert math.isnan(found.low)
    assert math.isnan(found.high)


@given(some.lists(some.floats(0, 1), min_size=1, max_size=200), some.randoms(use_true_random=False))
def test_the_variance_is_within_the_width_of_a_bucket_of_the_true_one(
    values: list[float], order: random.Random
) -> None:
    """Against numpy on the values themselves: a value is moved by half a width at most, then w^2/12 is added."""
    observed = seen(values, SHARES)
    shuffled = list(observed.buckets)
    order.shuffle(shuffled)
    spread = math.sqrt(max(observed.variance - 0.05**2 / 12, 0.0))
    assert spread == pytest.approx(float(np.std(values)), abs=0.025 + 1e-9) or observed.variance < 0.05**2 / 12
    assert Observed(observed.total, observed.count, shuffled).variance == pytest.approx(observed.variance)


def test_the_interval_of_a_mean_is_students() -> None:
    """By hand, with the 0.975 quantile of any table: 2.262 for 9 degrees of freedom, 1.984 for 99."""
    # around 0.6: (0.35^2 + 0.15^2)/2 + 0.25/12
    variance = 0.0933333
    for count, t in ((10.0, 2.262157), (100.0, 1.984217)):
        found = mean_interval(Observed(0.6 * count, count, [(0.5, count / 2), (1.0, count), (math.inf, count)]))
        assert found is not None
        reach = t * math.sqrt(variance / (count - 1))
        assert (found.value, found.low, found.high) == pytest.approx((0.6, 0.6 - reach, 0.6 + reach), rel=1e-4)


def test_of_nothing_there_is_no_interval_and_of_one_or_without_a_spread_it_is_endless() -> None:
    """An interval of no width would settle every limit."""
    assert mean_interval(Observed(0.0, 0.0)) is None
    assert mean_interval(seen([], SHARES)) is None
    endless = Interval(0.6, -math.inf, math.inf)
    assert mean_interval(Observed(0.6, 1.0, [(0.5, 0.0), (1.0, 1.0), (math.inf, 1.0)])) == endless
    for buckets in ([], [(math.inf, 100.0)], [(0.5, 10.0), (1.0, 100.0)]):
        assert mean_interval(Observed(60.0, 100.0, buckets)) == endless


@given(some.lists(some.floats(0.01, 1), min_size=2, max_size=120), some.integers(2, 50))
def test_the_interval_of_a_mean_is_around_it_and_narrower_of_more(values: list[float], times: int) -> None:
    """The same values again and again: always narrower, never of no width."""
    few, many = mean_interval(seen(values, SHARES)), mean_interval(seen(values * times, SHARES))
    assert few is not None
    assert many is not None
    assert few.low < few.value < few.high
    assert few.value - few.low == pytest.approx(few.high - few.value)
    assert 0 < many.high - many.low < few.high - few.low


@pytest.mark.parametrize("size", [3, 10, 40, 400])
@pytest.mark.parametrize(
    "shape", [(8.0, 3.0), (2.0, 2.0), (30.0, 5.0), (0.8, 0.8)], ids=["sure", "wide", "close", "split"]
)
def test_the_interval_holds_the_true_mean_as_often_as_it_says(size: int, shape: tuple[float, float]) -> None:
    """95 % is claimed; 92 % at least in a seeded simulation, with as few as three recalls that are all or nothing."""
    numbers = np.random.default_rng(9_000 + size)
    trials, true = 1000, shape[0] / sum(shape)
    held = 0
    for values in numbers.beta(*shape, (trials, size)):
        found = mean_interval(seen(values.tolist(), SHARES))
        assert found is not None
        held += found.low <= true <= found.high
    assert held >= 0.92 * trials


def test_the_interval_is_the_delta_methods() -> None:
    """By hand: two buckets, half of each side in either."""
    one = Observed(60.0, 100.0, [(0.5, 50.0), (1.0, 100.0), (math.inf, 100.0)])
    other = Observed(100.0, 200.0, [(0.5, 100.0), (1.0, 200.0), (math.inf, 200.0)])
    # around 0.6: (0.35^2 + 0.15^2)/2 + 0.25/12 = 0.0725 + 0.0208333; around 0.5: 0.25^2 + 0.25/12
    error = math.sqrt(0.0933333 / 100 / 0.36 + 0.0833333 / 200 / 0.25)
    found = mean_ratio(one, other)
    assert found is not None
    assert found.value == pytest.approx(1.2)
    assert found.low == pytest.approx(1.2 * math.exp(-1.959964 * error), rel=1e-5)
    assert found.high == pytest.approx(1.2 * math.exp(1.959964 * error), rel=1e-5)


def test_the_reach_is_the_normal_quantile() -> None:
    """Of any table."""
    assert pytest.approx(1.9599639845, abs=1e-6) == REACH


@pytest.mark.parametrize(("one", "other"), [(FEWEST - 1, 500), (500, FEWEST - 1), (0, 0)])
def test_too_few_on_either_side_have_no_ratio(one: int, other: int) -> None:
    """The normal approximation is for many."""
    assert mean_ratio(seen([0.5] * one, SHARES), seen([0.6] * other, SHARES)) is None


@pytest.mark.parametrize(("one", "other"), [(0.0, 0.5), (0.5, 0.0), (-0.5, 0.5)])
def test_a_mean_that_is_not_positive_has_no_ratio(one: float, other: float) -> None:
    """A logarithm would not have it."""
    assert mean_ratio(Observed(one * 100, 100), Observed(other * 100, 100)) is None


confidences = some.lists(some.floats(0.01, 1), min_size=FEWEST, max_size=120)


@given(confidences, confidences)
def test_the_other_way_round_it_is_the_reciprocal(one: list[float], other: list[float]) -> None:
    """Value and ends: who is compared with whom decides nothing."""
    left, right = seen(one, SHARES), seen(other, SHARES)
    there, back = mean_ratio(left, right), mean_ratio(right, left)
    assert there is not None
    assert back is not None
    assert 0 < there.low <= there.value <= there.high
    assert there.value * back.value == pytest.approx(1)
    assert there.low * back.high == pytest.approx(1)


@given(confidences, some.integers(2, 50))
def test_more_of_the_same_is_more_certain(values: list[float], times: int) -> None:
    """The width goes with the root of the number of observations."""
    few, many = seen(values, SHARES), seen(values * times, SHARES)
    wide, narrow = mean_ratio(few, few), mean_ratio(many, many)
    assert wide is not None
    assert narrow is not None
    assert math.log(wide.high / wide.low) == pytest.approx(math.sqrt(times) * math.log(narrow.high / narrow.low))


@pytest.mark.parametrize("size", [100, 400])
@pytest.mark.parametrize(
    "shape", [(8.0, 3.0), (2.0, 2.0), (30.0, 5.0), (0.8, 0.8)], ids=["sure", "wide", "close", "split"]
)
def test_the_interval_holds_the_true_ratio_as_often_as_it_says(size: int, shape: tuple[float, float]) -> None:
    """95 % is claimed; 93 % at least in a seeded simulation of confidences, treatment a tenth under control."""
    numbers = np.random.default_rng(7_000 + size)
    trials, held = 1000, 0
    edges = np.array([-1.0, *SHARES, 2.0])
    for _ in range(trials):
        sides = (0.9 * numbers.beta(*shape, size), numbers.beta(*shape, 2 * size))
        observed = []
        for values in sides:
            counts = np.histogram(-values, bins=-edges[::-1])[0][::-1].cumsum()  # (low, high], as Prometheus counts
            buckets = list(zip([*SHARES, math.inf], map(float, counts), strict=True))
            observed.append(Observed(float(values.sum()), float(values.size), buckets))
        found = mean_ratio(*observed)
        assert found is not None
        held += found.low <= 0.9 <= found.high
    assert held >= 0.93 * trials
