"""The randomisation group-sequential test."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import permutation_test

from runbook.statistics.randomisation import DRAWS, Randomisation, randomisation

UNITS = 8
LOOKS = (2, 4, 6)
ALPHA = 0.1
"""Of 70 draws 7 may cross."""
SEEDS = st.integers(0, 10**6)
SHIFTS = st.floats(-5, 5).map(lambda x: round(x, 3))
FIRST_HALF = np.arange(UNITS) < UNITS // 2


def the_test(values: NDArray[np.float64], treated: NDArray[np.bool_] = FIRST_HALF) -> Randomisation:
    """Of eight units, looked at three times."""
    return randomisation(values, treated, LOOKS, "seed")


def every_assignment() -> list[NDArray[np.bool_]]:
    """All 70 ways to treat four of eight."""
    return [np.isin(np.arange(UNITS), chosen) for chosen in combinations(range(UNITS), UNITS // 2)]


def ends(
    values: NDArray[np.float64], treated: NDArray[np.bool_] = FIRST_HALF, alpha: float = ALPHA
) -> tuple[float, float]:
    """Both bounds at the last look."""
    test = the_test(values, treated)
    look = len(LOOKS) - 1
    return test.lower_bound(look, alpha), -test.mirrored().lower_bound(look, alpha)


def paths(seed: int, units: int = UNITS, buckets: int = LOOKS[-1]) -> NDArray[np.float64]:
    """Heavy tails, units of their own, and wandering: nothing that a normal distribution would like."""
    chance = np.random.default_rng(seed)
    return np.cumsum(chance.standard_t(2, (units, buckets)), axis=1) + chance.standard_t(2, (units, 1))


@pytest.mark.parametrize("shift", [0.0, 1.5])
@pytest.mark.parametrize("seed", range(3))
def test_exactly_as_many_assignments_are_rejected_as_may_be(seed: int, shift: float) -> None:
    """Over all 70 assignments of 4 + 4, a true shift is rejected at any look in exactly 7: a tenth of them."""
    rejected = [
        the_test(paths(seed) + shift * treated[:, None], treated).rejects(shift, ALPHA).any()
        for treated in every_assignment()
    ]
    assert sum(rejected) == math.floor(ALPHA * len(rejected))


def test_alarms_are_told_of_every_assignment_at_once() -> None:
    """Which of the 70 would be rejected, had it happened: as asked of each in turn."""
    values = paths(4)
    test = the_test(values)
    each = [the_test(values, treated).rejects(0.0, ALPHA).any() for treated in test.assigned]
    assert test.alarms(ALPHA).tolist() == each


@pytest.mark.parametrize("seed", range(3))
def test_silence_makes_nobody_bold(seed: int) -> None:
    """With silent units and buckets, and with many ties, at most as many assignments are rejected as may be."""
    values = np.round(paths(seed) / 4)
    values[np.random.default_rng(seed).random(values.shape) < 0.5] = np.nan
    values[seed] = np.nan
    rejected = [the_test(values, treated).rejects(0.0, ALPHA).any() for treated in every_assignment()]
    assert sum(rejected) <= math.floor(ALPHA * len(rejected))


def test_one_look_is_the_permutation_test_of_scipy() -> None:
    """With one look at the end, the p-value is that of scipy's exact permutation test of the means."""
    values = paths(5)
    means = values.mean(axis=1)
    theirs = permutation_test(
        (means[FIRST_HALF], means[~FIRST_HALF]),
        lambda one, other, axis: one.mean(axis=axis) - other.mean(axis=axis),
        vectorized=True,
        alternative="greater",
        n_resamples=math.inf,
    )
    assert randomisation(values, FIRST_HALF, [LOOKS[-1]], "").p_value(0.0, 0) == pytest.approx(theirs.pvalue)


@settings(max_examples=25, deadline=None)
@given(SEEDS, SHIFTS)
def test_a_shift_of_the_treated_shifts_the_bounds(seed: int, shift: float) -> None:
    """Everything that the treated get more of is found again in both bounds."""
    values = paths(seed)
    low, high = ends(values)
    moved_low, moved_high = ends(values + shift * FIRST_HALF[:, None])
    tolerance = 0.02 * (high - low)
    assert moved_low - shift == pytest.approx(low, abs=tolerance)
    assert moved_high - shift == pytest.approx(high, abs=tolerance)


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_the_arms_changed_for_each_other_mirror_the_bounds(seed: int) -> None:
    """Neither arm is favoured."""
    values = paths(seed)
    low, high = ends(values)
    other_low, other_high = ends(values, ~FIRST_HALF)
    assert (-other_high, -other_low) == pytest.approx((low, high), abs=0.02 * (high - low))


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.floats(0.05, 0.3), st.floats(0.05, 0.3), SHIFTS)
def test_a_greater_alpha_rejects_more(seed: int, one: float, other: float, shift: float) -> None:
    """A test at a smaller error rate is inside the one at a greater; the bounds are nested likewise."""
    less, more = sorted((one, other))
    values = paths(seed)
    test = the_test(values)
    assert not (test.rejects(shift, less) & ~test.rejects(shift, more)).any()
    (wide_low, wide_high), (low, high) = ends(values, alpha=less), ends(values, alpha=more)
    tolerance = 0.02 * (high - low)
    assert wide_low <= low + tolerance
    assert wide_high >= high - tolerance


@settings(max_examples=25, deadline=None)
@given(SEEDS, SHIFTS)
def test_p_values_bounds_and_rejections_say_the_same(seed: int, shift: float) -> None:
    """A shift is rejected just where p is at most alpha, and then the bound is above it."""
    test = the_test(paths(seed))
    rejected = bool(test.rejects(shift, ALPHA)[-1])
    assert (test.p_value(shift, len(LOOKS) - 1) <= ALPHA) is rejected
    if not rejected:
        assert test.lower_bound(len(LOOKS) - 1, ALPHA, (shift,)) <= shift


def test_too_few_assignments_bound_nothing() -> None:
    """One space an arm can be drawn in two ways: no p is under a half, so at 5 % both bounds are infinite."""
    test = randomisation(np.array([[5.0], [0.0]]), np.array([True, False]), [1], "")
    assert test.last_look(0.05) is None
    assert test.lower_bound(0, 0.05) == -math.inf
    assert test.p_value(0.0, 0) == 0.5


def test_looks_of_the_future_are_not_taken() -> None:
    """After four buckets two looks are taken, whatever is planned behind; the same two later say the same."""
    early, late = the_test(paths(1)[:, :4]), the_test(paths(1))
    assert (early.looks, late.looks) == (2, 3)
    assert early.rejects(0.0, ALPHA).tolist() == late.rejects(0.0, ALPHA).tolist()[:2]


def test_the_same_seed_draws_the_same() -> None:
    """Many units are sampled: the same each time for one seed, others for another, the one that happened among them."""
    values = paths(2, units=40)
    treated = np.arange(40) < 20
    one, again, other = (randomisation(values, treated, LOOKS, seed) for seed in ("a", "a", "b"))
    assert one.draws == DRAWS
    assert not one.exact
    assert np.array_equal(one.statistic, again.statistic)
    assert not np.array_equal(one.statistic, other.statistic)
    assert one.statistic[0, -1] == pytest.approx(values[treated].mean() - values[~treated].mean())
    assert (one.carried[0] == 1).all()


def test_a_small_alpha_over_many_looks_has_more_draws() -> None:
    """At 1 % over twenty looks 2000 draws would leave one to a look, and no p under Holm's half at most of them."""
    values, treated = paths(2, units=30, buckets=20), np.arange(30) < 15
    test = randomisation(values, treated, range(1, 21), "seed", 0.01)
    assert test.draws == 10_000
    assert {test.slots[:50].count(look) for look in range(20)} == {2, 3}
