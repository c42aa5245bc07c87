"""Alpha over planned looks."""

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from runbook.statistics.spending import CURVES, Curve, evenly, obrien_fleming, order, pocock, spent

LOOKS = st.lists(st.integers(1, 400), min_size=1, max_size=20, unique=True).map(sorted).map(tuple)


@pytest.mark.parametrize(
    ("curve", "boundaries"),
    [
        pytest.param(obrien_fleming, (4.8769, 3.3569, 2.6803), id="O'Brien-Fleming"),
        pytest.param(pocock, (2.4380, 2.4268, 2.4101), id="Pocock"),
    ],
)
def test_published_boundaries(curve: Curve, boundaries: tuple[float, ...]) -> None:
    """Five even looks at 0.025: the boundaries that Lan and DeMets' program prints spend what the curve says.

    By the joint normal distribution of the looks. Reboussin et al., Controlled Clinical Trials 21, 2000, 190-207.
    """
    times = [0.2, 0.4, 0.6]
    covariance = [[(min(a, b) / max(a, b)) ** 0.5 for a in times] for b in times]
    normal = multivariate_normal([0, 0, 0], covariance, seed=1)
    first = norm.sf(boundaries[0])
    second = norm.cdf(boundaries[0]) - multivariate_normal([0, 0], [row[:2] for row in covariance[:2]]).cdf(
        boundaries[:2]
    )
    third = multivariate_normal([0, 0], [row[:2] for row in covariance[:2]]).cdf(boundaries[:2]) - normal.cdf(
        boundaries
    )
    found = list(accumulate([first, second, third]))
    assert found == pytest.approx([curve(0.025, time) for time in times], rel=2e-3)


@pytest.mark.parametrize("curve", CURVES)
def test_everything_is_spent_and_not_more(curve: Curve) -> None:
    """A curve begins at nothing, ends at alpha and never goes back."""
    values = [curve(0.05, step / 50) for step in range(51)]
    assert values[0] == 0
    assert values[-1] == pytest.approx(0.05)
    assert all(before <= after for before, after in pairwise(values))
    assert sum(spent((3, 5, 8), 0.05, curve)) == pytest.approx(0.05)


@given(LOOKS, st.integers(1, 200), st.sampled_from(CURVES))
def test_a_greater_total_takes_nothing_from_any_look(looks: tuple[int, ...], number: int, curve: Curve) -> None:
    """What may be spent of n is the beginning of what may be spent of more."""
    assert order(looks, number + 30, curve, 0.05)[:number] == order(looks, number, curve, 0.05)


@given(LOOKS, st.integers(1, 300))
def test_no_look_is_further_than_one_from_its_share(looks: tuple[int, ...], number: int) -> None:
    """Whole numbers stay as near to the curve as whole numbers can."""
    slots = order(looks, number, evenly, 0.05)
    assert len(slots) == number
    shares = spent(looks, 0.05, evenly)
    assert all(abs(slots.count(look) - number * share / 0.05) < 2 for look, share in enumerate(shares))


def test_few_assignments_are_spread_and_the_last_look_has_one() -> None:
    """Three for fourteen even looks: the end, the middle, the middle of that."""
    assert sorted(order(tuple(range(24, 337, 24)), 3, evenly, 0.05)) == [5, 9, 13]
