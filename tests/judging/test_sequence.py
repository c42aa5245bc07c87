"""The asymptotic confidence sequence."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from runbook.statistics.sequence import one_sided, sequence, tuned, two_sided

ALPHAS = st.floats(0.001, 0.2)
TIMES = st.floats(30, 5000)


@given(TIMES, TIMES, ALPHAS)
def test_the_boundary_is_the_mixture_solved(t: float, planned: float, alpha: float) -> None:
    """Eq. 9 is where the normal mixture of likelihood ratios reaches 1/alpha.

    With the sum S of t standard normals that is exp(rho^2 S^2 / (2 (t rho^2 + 1))) / sqrt(t rho^2 + 1).
    """
    rho = tuned(planned, alpha)
    total = t * two_sided(t, rho, alpha)
    mixture = math.exp(rho**2 * total**2 / (2 * (t * rho**2 + 1))) / math.sqrt(t * rho**2 + 1)
    assert mixture == pytest.approx(1 / alpha, rel=1e-9)


@given(TIMES, ALPHAS)
def test_the_one_sided_boundary_bounds_its_mixture(t: float, alpha: float) -> None:
    """Eq. 134 is never nearer than where the mixture over the positive half of the normal reaches 1/alpha."""
    rho = tuned(t, 2 * alpha)
    total = t * one_sided(t, rho, alpha)
    scaled = t * rho**2 + 1
    half = (
        2 * norm.cdf(rho * total / math.sqrt(scaled)) / math.sqrt(scaled) * math.exp((rho * total) ** 2 / (2 * scaled))
    )
    assert half >= (1 - 1e-9) / alpha


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
@pytest.mark.parametrize("planned", [60, 120, 1000])
def test_rho_is_about_the_best_there(planned: int, alpha: float) -> None:
    """The closed form is within a hundredth of the narrowest that there is at the planned time."""
    best = minimize_scalar(lambda log: two_sided(planned, math.exp(log), alpha), bounds=(-8, 2), method="bounded")
    assert two_sided(planned, tuned(planned, alpha), alpha) == pytest.approx(best.fun, rel=0.01)


def test_worked_by_hand() -> None:
    """At 120 spaces, alpha 0.05 a side: rho^2 t = 2 ln 10 + ln(1 + 2 ln 10) = 6.329, and the bound at 2.78 errors."""
    rho = tuned(120, 0.1)
    assert 120 * rho**2 == pytest.approx(6.329, abs=0.001)
    assert one_sided(120, rho, 0.05) * math.sqrt(120) == pytest.approx(2.779, abs=0.001)


def test_two_arms() -> None:
    """The value is the difference of means, its error that of Welch; p is alpha where the bound is."""
    chance = np.random.default_rng(3)
    means = chance.normal(0, 1, (80, 2))
    treated = np.arange(80) < 40
    found = sequence(means, treated, planned=80, alpha=0.05)
    one, other = means[treated], means[~treated]
    assert found.value == pytest.approx(one.mean(axis=0) - other.mean(axis=0))
    assert found.error == pytest.approx(np.sqrt(one.var(axis=0, ddof=1) / 40 + other.var(axis=0, ddof=1) / 40))
    assert found.reach(0.05) == pytest.approx(found.error * math.sqrt(80) * one_sided(80, found.rho, 0.05))
    for moment in range(2):
        low = float(found.value[moment] - found.reach(0.01)[moment])
        assert found.p_value(low)[moment] == pytest.approx(0.01)


def test_few_or_silent_spaces_are_not_judged_by_it() -> None:
    """Under thirty reporting spaces in an arm there is no value, and p is 1."""
    means = np.random.default_rng(4).normal(9, 1, (60, 1))
    means[0] = np.nan
    found = sequence(means, np.arange(60) < 30, planned=60, alpha=0.05)
    assert math.isnan(found.value[0])
    assert found.p_value(0.0).tolist() == [1.0]


def test_no_spread_at_all_is_certain_of_one_side_only() -> None:
    """Units that agree to the last bit: above for certain is p 0, at or under it is p 1, and nothing warns."""
    means = np.where(np.arange(60) < 30, 1.0, 0.0)[:, None]
    found = sequence(means, np.arange(60) < 30, planned=60, alpha=0.05)
    assert found.p_value(0.5).tolist() == [0.0]
    assert found.p_value(1.0).tolist() == [1.0]
