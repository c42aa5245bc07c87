"""The exact interval of a share, and what is worth fewer observations than it has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from runbook.statistics.proportions import incomplete_beta, proportion_interval
from runbook.statistics.typical import design_effect


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_published_intervals(hits: int, count: int, low: float, high: float) -> None:
    """R. G. Newcombe, Statistics in Medicine 17, 1998, 857-872, table I, method 5 (Clopper and Pearson)."""
    assert proportion_interval(hits, count) == pytest.approx((low, high), abs=5e-5)


def test_nothing_of_many_is_the_rule_of_three() -> None:
    """With no failure in n the upper end is 1 - (miss)^(1/n): 0.1 % is proved by 3688 and by no fewer, at 95 %."""
    assert proportion_interval(0, 3688)[1] < 0.001 < proportion_interval(0, 3687)[1]


@given(st.integers(0, 4000), st.integers(1, 4000), st.sampled_from([0.9, 0.95, 0.9833]))
def test_it_agrees_with_scipy(hits: int, count: int, confidence: float) -> None:
    """For any counts."""
    hits = min(hits, count)
    miss = (1 - confidence) / 2
    low, high = proportion_interval(hits, count, confidence)
    assert low == pytest.approx(beta.ppf(miss, hits, count - hits + 1) if hits else 0.0, abs=1e-9)
    assert high == pytest.approx(beta.ppf(1 - miss, hits + 1, count - hits) if hits < count else 1.0, abs=1e-9)


def test_of_nothing_nothing_is_known() -> None:
    """No observation: everything from nothing to all."""
    assert proportion_interval(0, 0) == (0.0, 1.0)
    assert (incomplete_beta(0, 2, 3), incomplete_beta(1, 2, 3)) == (0.0, 1.0)


def test_failures_in_one_burst_are_worth_less() -> None:
    """Thirty failures in one block of ten say less than thirty that are spread, and no block says more than it has."""
    spread = [(3.0, 100.0)] * 10
    burst = [(30.0, 100.0)] + [(0.0, 100.0)] * 9
    assert design_effect(spread) == 1.0
    assert design_effect(burst) == pytest.approx((27**2 + 9 * 3**2) * 10 / 9 / (1000 * 0.03 * 0.97))
    assert design_effect([(0.0, 100.0)] * 10) == design_effect([(0.0, 100.0)]) == 1.0
    assert design_effect([(5.0, 100.0)]) == 100.0  # how such blocks spread is not known: it is worth one
