"""Counters, histograms and slopes, against published rules and other people's code."""

import math
import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy import stats

from runbook.model.measurement import Sample
from runbook.statistics.counters import histogram_quantile, increase, since
from runbook.statistics.slope import slope, t_quantile

counts = some.lists(some.integers(0, 10**12).map(float), max_size=30)


def samples(values: list[float], step: float = 1.0) -> list[Sample]:
    """One sample every `step` seconds."""
    return [Sample(index * step, value) for index, value in enumerate(values)]


@given(counts)
def test_a_counter_never_falls(values: list[float]) -> None:
    """A fall is a restart, and what was counted since is at least nothing."""
    assert increase(samples(values)) >= 0


@given(counts, some.integers(0, 29))
def test_an_increase_is_the_sum_of_the_increases_of_its_parts(values: list[float], at: int) -> None:
    """Wherever the window is split, the sample at the split counting for both."""
    whole = samples(values)
    assert increase(whole) == increase(whole[: at + 1]) + increase(whole[at:])


@given(counts)
def test_without_a_restart_it_is_last_minus_first(values: list[float]) -> None:
    """Nothing else happens to a counter."""
    rising = sorted(values)
    assert increase(samples(rising)) == (rising[-1] - rising[0] if rising else 0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [  # series of prometheus/promql/promqltest/testdata/functions.test, without the extrapolation to the window's ends
        ([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100], 100),
        ([0, 10, 20, 30, 40, 50, 0, 10, 20, 30, 40, 50], 100),
        ([0, 1, 2, 3, 2, 3, 4], 3 + 2 + 1 + 1),
        ([5], 0),
        ([], 0),
    ],
)
def test_restarts_are_counted_as_prometheus_does(values: list[float], expected: float) -> None:
    """After a fall it counts from zero."""
    assert increase(samples(list(map(float, values)))) == expected


def test_a_restart_seen_elsewhere_is_a_restart_here_too() -> None:
    """This series passed its old value before it was read again: only its sister shows the restart."""
    assert increase(samples([50.0, 70.0])) == 20
    assert increase(samples([50.0, 70.0]), restarts={1.0}) == 70


def test_a_series_that_begins_within_the_window_begins_at_zero() -> None:
    """The first concept of a space is a concept formed."""
    born = [Sample(5, 3.0), Sample(6, 4.0)]
    assert increase(since(born, 0)) == 4
    assert increase(since(born, 5)) == 1
    assert since([], 0) == ()


BOUNDS = [0.005 * 1.3**step for step in range(25)]


def histogram(observed: list[float], bounds: list[float]) -> list[tuple[float, float]]:
    """The cumulative buckets of what was observed."""
    return [(bound, float(sum(value <= bound for value in observed))) for bound in [*bounds, math.inf]]


@given(
    some.lists(some.floats(0.001, BOUNDS[-1]), min_size=1, max_size=200),
    some.floats(0, 1),
    some.randoms(use_true_random=False),
)
def test_a_quantile_is_within_a_bucket_of_the_true_one(observed: list[float], q: float, order: random.Random) -> None:
    """Against numpy on the values themselves, which a histogram has forgotten."""
    buckets = histogram(observed, BOUNDS)
    order.shuffle(buckets)
    found = histogram_quantile(q, buckets)
    assert found is not None
    inverted = float(np.quantile(observed, q, method="inverted_cdf"))
    neighbours = {index for index, bound in enumerate(BOUNDS) if inverted <= bound}
    bucket = min(neighbours)
    low = BOUNDS[bucket - 1] if bucket else 0.0
    assert low - 1e-9 <= found <= BOUNDS[bucket] + 1e-9


@pytest.mark.parametrize(
    ("q", "expected"),
    [  # `testhistogram` of prometheus/promql/promqltest/testdata/histograms.test: 12 observations in uneven buckets
        (0.0, 0.0),
        (0.2, 0.048),
        (0.5, 0.15),
        (0.8, 0.72),
    ],
)
def test_a_quantile_is_interpolated_as_prometheus_does(q: float, expected: float) -> None:
    """`testhistogram{start="positive"}`: le 0.1: 5, 0.2: 7, 1e0: 11, Inf: 12 per 5 minutes."""
    buckets = [(0.1, 5.0), (0.2, 7.0), (1.0, 11.0), (math.inf, 12.0)]
    assert histogram_quantile(q, buckets) == pytest.approx(expected)


@pytest.mark.parametrize(
    "buckets",
    [
        [],
        [(0.1, 5.0), (1.0, 6.0)],
        [(0.1, 0.0), (math.inf, 0.0)],
        [(math.nan, 3.0), (math.inf, 3.0), (0.1, 1.0)],
        [(0.1, math.nan), (math.inf, math.nan)],
        [(math.inf, 7.0)],
    ],
)
def test_a_histogram_that_says_nothing_has_no_quantile(buckets: list[tuple[float, float]]) -> None:
    """No buckets, no infinite bucket, no observation, garbage, no finite bound: none, and no zero."""
    assert histogram_quantile(0.99, buckets) is None


def test_a_quantile_beyond_the_last_bound_is_that_bound() -> None:
    """At least that; Prometheus says the same."""
    assert histogram_quantile(0.99, [(1.0, 5.0), (2.0, 6.0), (math.inf, 100.0)]) == 2.0


def test_buckets_that_were_not_read_at_one_moment_still_give_a_finite_answer() -> None:
    """Counts that are not cumulative, as a scrape in the middle of an observation leaves them."""
    found = histogram_quantile(0.5, [(1.0, 5.0), (2.0, 4.0), (4.0, 8.0), (math.inf, 8.0)])
    assert found is not None
    assert 0 <= found <= 4


@pytest.mark.parametrize("degrees", [2, 2.5, 3, 3.7, 4, 5, 7.3, 10, 20, 30, 100, 1e4])
def test_the_t_quantile_is_as_exact_as_it_says(degrees: float) -> None:
    """Within 1 % from 2 degrees on and 0.1 % from 4 on, against scipy."""
    exact = float(stats.t.ppf(0.975, degrees))
    assert t_quantile(0.975, degrees) == pytest.approx(exact, rel=0.001 if degrees >= 4 else 0.01)


@given(some.integers(0, 2**32 - 1), some.integers(8, 60), some.floats(-1e6, 1e6))
def test_a_slope_is_that_of_ordinary_least_squares(seed: int, size: int, per_second: float) -> None:
    """The value against scipy, at the size of real memory; the interval is never narrower than the textbook's."""
    noise = np.random.default_rng(seed).normal(0, 1e6, size)
    values = [1e9 + per_second * at + noise[at] for at in range(size)]
    line = slope(samples(values))
    reference = stats.linregress(range(size), values)
    assert line is not None
    assert line.value == pytest.approx(reference.slope, rel=1e-6, abs=1e-3)
    textbook = stats.t.ppf(0.975, size - 2) * reference.stderr
    assert line.value - line.low >= textbook * 0.999
    assert line.high - line.value == pytest.approx(line.value - line.low) or math.isinf(line.high)


def ar1(
    random_numbers: np.random.Generator, size: int, correlation: float
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Noise of which each value holds that share of the one before."""
    noise = random_numbers.normal(0, 1, size)
    series = np.empty(size)
    series[0] = noise[0] / math.sqrt(1 - correlation**2)
    for at in range(1, size):
        series[at] = correlation * series[at - 1] + noise[at]
    return series


@pytest.mark.parametrize(("size", "least"), [(11, 0.80), (20, 0.86), (40, 0.90), (120, 0.90)], ids=str)
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_the_interval_holds_the_true_slope_though_neighbours_are_alike(
    size: int, least: float, correlation: float
) -> None:
    """As often as the module says, in a seeded simulation, for the windows that are really used."""
    numbers = np.random.default_rng(20_000 + size)
    held = 0
    for _ in range(400):
        values = ar1(numbers, size, correlation) + 0.05 * np.arange(size)
        line = slope(samples([float(value) for value in values]))
        assert line is not None
        held += line.low <= 0.05 <= line.high
    assert held >= 400 * least


def test_a_straight_line_has_no_spread() -> None:
    """Rounding is no noise, even at the size of memory."""
    line = slope(samples([4e9 + 1e5 * at / 3 for at in range(20)]))
    assert line is not None
    assert line.value == pytest.approx(1e5 / 3)
    assert line.low == line.value == line.high


@pytest.mark.parametrize("size", range(5))
def test_too_few_samples_have_no_slope(size: int) -> None:
    """Four points prove nothing."""
    assert slope(samples([float(value) for value in range(size)])) is None


def test_samples_of_one_moment_have_no_slope() -> None:
    """No time went by."""
    assert slope([Sample(7.0, float(value)) for value in range(9)]) is None


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_values_that_are_no_numbers_have_no_slope(odd: float) -> None:
    """And no crash."""
    assert slope(samples([1.0, 2.0, odd, 4.0, 5.0, 6.5, -odd])) is None


@given(some.lists(some.floats(allow_nan=False, allow_infinity=False, width=32), min_size=5, max_size=40))
def test_an_interval_is_never_upside_down(values: list[float]) -> None:
    """Whatever was read."""
    line = slope(samples(values))
    assert line is not None
    assert line.low <= line.value <= line.high


@given(counts.filter(lambda values: len(values) > 1))
def test_an_increase_is_at_least_the_largest_rise(values: list[float]) -> None:
    """No rise is lost."""
    assert increase(samples(values)) >= max(max(after - before, 0.0) for before, after in pairwise(values))
