"""What is usual over blocks of time: medians, ratios, and how far two distributions are apart."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, kstwobign, t

from runbook.statistics.distance import distance, effective_size, massart
from runbook.statistics.typical import median_interval, ranks_below, ratio_interval


@pytest.mark.parametrize(("count", "rank"), [(6, 1), (10, 2), (20, 6), (25, 8), (30, 10), (50, 18), (100, 40)])
def test_published_ranks(count: int, rank: int) -> None:
    """The 95 % interval of a median runs from that rank to the same from above (Conover, 3rd ed., 3.2)."""
    below = ranks_below(count, 0.95)
    assert below is not None
    assert below + 1 == rank


@given(st.integers(1, 400), st.sampled_from([0.9, 0.95, 0.9833]))
def test_ranks_agree_with_the_binomial(count: int, confidence: float) -> None:
    """Each end is missed with half of the rest at most, and the next rank would be missed more often."""
    below, miss = ranks_below(count, confidence), (1 - confidence) / 2
    if below is None:
        assert binom.cdf(0, count, 0.5) > miss * (1 - 1e-9)
    else:
        assert binom.cdf(below, count, 0.5) <= miss * (1 + 1e-9)


def test_too_few_values_have_no_end() -> None:
    """Five values do not hold a median in 95 % of the cases, whatever they are; of none there is no median."""
    found = median_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found is not None
    assert (found.value, found.low, found.high) == (3.0, -math.inf, math.inf)
    assert median_interval([]) is None
    assert median_interval([math.nan]) is None


def test_a_burst_does_not_move_it() -> None:
    """Nine of thirty blocks at ten times the rest stay outside the interval."""
    found = median_interval([1.0] * 21 + [10.0] * 9)
    assert found is not None
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_the_median_is_held_as_often_as_is_said() -> None:
    """95 in 100 samples of a skewed distribution, by a fixed seed."""
    source = random.Random(7)
    held = 0
    for _ in range(2000):
        found = median_interval([source.lognormvariate(0.0, 1.0) for _ in range(30)])
        assert found is not None
        held += found.low <= 1.0 <= found.high
    assert held / 2000 >= 0.945


def test_equal_blocks_are_students_mean() -> None:
    """Of blocks alike in size the ratio is the mean, with the textbook's interval."""
    values = [4.0, 5.0, 7.0, 6.0, 3.0, 8.0]
    mean = sum(values) / 6
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / 5 / 6)
    found = ratio_interval([(value, 1.0) for value in values])
    assert found is not None
    assert found.value == pytest.approx(mean)
    assert found.high - found.value == pytest.approx(t.ppf(0.975, 5) * spread, rel=1e-3)
    assert ratio_interval([(1.0, 0.0)]) is None
    (one,) = [ratio_interval([(1.0, 2.0)])]
    assert one is not None
    assert one.high == math.inf


def test_the_published_bound_of_a_distribution() -> None:
    """For 100 observations 0.1358 at 5 %: Massart's constant meets Kolmogorov's limit, 1.358 / sqrt(n)."""
    assert massart(100, 0.05) == pytest.approx(0.1358, abs=5e-5)
    assert massart(100, 0.05) == pytest.approx(kstwobign.ppf(0.95) / 10, rel=1e-3)


def test_how_far_two_histograms_are_apart() -> None:
    """The greatest difference at a bound; with other bounds or nothing in one there is none to tell."""
    one = {1.0: 50.0, 2.0: 80.0, math.inf: 100.0}
    other = {1.0: 10.0, 2.0: 38.0, math.inf: 40.0}
    found = distance(one, other, (100.0, 40.0))
    assert found is not None
    assert found.value == pytest.approx(0.25)
    assert found.low == pytest.approx(max(0.25 - massart(100, 0.025) - massart(40, 0.025), 0.0))
    assert distance(one, {1.0: 10.0, math.inf: 40.0}, (100.0, 40.0)) is None
    assert distance(one, {1.0: 0.0, 2.0: 0.0, math.inf: 0.0}, (100.0, 40.0)) is None


def test_blocks_that_differ_are_worth_less() -> None:
    """Four blocks alike count in full; four that have nothing in common count as little more than four."""
    alike = [{1.0: 50.0, math.inf: 100.0}] * 4
    apart = [{1.0: 100.0, math.inf: 100.0}, {1.0: 0.0, math.inf: 100.0}] * 2
    assert effective_size(alike) == 400
    assert effective_size(apart) < 10
