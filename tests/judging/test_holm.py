"""Holm's procedure."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook.statistics.holm import holm

P_VALUES = st.lists(st.floats(0, 1), max_size=6)


@pytest.mark.parametrize(
    ("p_values", "rejected"),
    [
        # The worked example of the encyclopaedia's page on the procedure, alpha 0.05.
        pytest.param([0.01, 0.04, 0.03, 0.005], [True, False, False, True], id="four hypotheses"),
        pytest.param([0.05], [True], id="one is held against alpha itself"),
        pytest.param([0.03, 0.03], [False, False], id="none under its half"),
        pytest.param([0.04, 0.02], [True, True], id="the second against all of alpha"),
        pytest.param([], [], id="nothing"),
        pytest.param([float("nan"), 0.01], [False, True], id="no number is never rejected"),
    ],
)
def test_examples(p_values: list[float], rejected: list[bool]) -> None:
    """Step by step by hand."""
    assert list(holm(p_values, 0.05)) == rejected


@given(P_VALUES)
def test_between_bonferroni_and_none(p_values: list[float]) -> None:
    """All that Bonferroni rejects, and nothing that is above alpha."""
    for p, rejected in zip(p_values, holm(p_values, 0.05), strict=True):
        assert rejected or p > 0.05 / len(p_values)
        assert not rejected or p <= 0.05


@given(P_VALUES, st.randoms(use_true_random=False))
def test_order_does_not_matter(p_values: list[float], chance: Random) -> None:
    """Hypotheses in another order get the same answers."""
    places = list(range(len(p_values)))
    chance.shuffle(places)
    shuffled = holm([p_values[place] for place in places], 0.05)
    ours = holm(p_values, 0.05)
    assert all(shuffled[position] == ours[place] for position, place in enumerate(places))
