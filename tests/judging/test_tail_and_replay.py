"""The p99 ratio for people, and the judge tried on one's own history."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from runbook.engine.judging.replayed import replay_rows
from runbook.model.cells import CONTROL, TREATMENT, Cell
from runbook.statistics.arms import Arms, decisions
from runbook.statistics.bootstrap import Moments, p99_ratio
from runbook.statistics.randomisation import randomisation
from runbook.statistics.replay import replay


def an_arm(chance: np.random.Generator, slower: float, spaces: int = 40) -> list[Moments]:
    """Spaces that differ by a fifth, with a hundred recalls each, slower by that logarithm."""
    logs = chance.normal(2.3, 0.2, (spaces, 1)) + chance.normal(slower, 0.5, (spaces, 100))
    return [Moments(100, float(row.sum()), float((row**2).sum())) for row in logs]


def test_the_interval_holds_the_true_ratio() -> None:
    """Of a hundred pairs of arms of which one is 30 % slower, it is in the 95 % interval at least 88 times."""
    chance = np.random.default_rng(8)
    held = 0
    for pair in range(100):
        found = p99_ratio(an_arm(chance, math.log(1.3)), an_arm(chance, 0.0), str(pair))
        assert found is not None
        held += found.low <= 1.3 <= found.high
    assert held >= 88


def test_the_p99_of_one_log_normal_is_its_own() -> None:
    """exp(mean + 2.326 sd), the quantile of the distribution: two arms of one space, without an interval."""
    found = p99_ratio([Moments(2, 4.0, 10.0)], [Moments(2, 2.0, 4.0)], "")
    assert found is not None
    assert found.value == pytest.approx(math.exp(2.0 + 2.3263479 - 1.0 - 2.3263479))
    assert (found.low, found.high) == (0.0, math.inf)


def test_an_arm_without_recalls_has_no_ratio() -> None:
    """Nothing divided by something is no answer."""
    assert p99_ratio([Moments(0, 0.0, 0.0)], [Moments(2, 2.0, 4.0)], "") is None


def history(spaces: int, buckets: int = 48) -> NDArray[np.float64]:
    """Untreated spaces, each at its level, hours around it."""
    chance = np.random.default_rng(9)
    return np.asarray(chance.normal(2.3, 0.25, (spaces, 1)) + chance.normal(0, 0.1, (spaces, buckets)))


def test_a_calm_history_is_trusted_and_the_same_each_time() -> None:
    """Nobody was treated, so alarms are false, and few; the figure is for the evidence."""
    found = replay(history(12), looks=4, alpha=0.05, seed="s")
    assert found is not None
    assert found == replay(history(12), looks=4, alpha=0.05, seed="s")
    assert found.trusted
    assert found.share <= 0.075
    assert found.runs == math.comb(12, 6)
    assert f"{found.alarms} of 924 splits by chance of 12 untreated spaces over 24 buckets" in found.arithmetic


def test_all_splits_at_once_are_as_each_by_itself() -> None:
    """Sixty spaces, both methods, two hundred splits: as many alarms as the judge raises for one after the other.

    But for a draw at the boundary: one by one, each split has one draw to be held against that the others have not.
    """
    levels = history(60, buckets=24)
    found = replay(levels, looks=3, alpha=0.05, seed="s")
    assert found is not None
    values = levels[:, 12:] - levels[:, :12].mean(axis=1, keepdims=True)
    half = np.arange(60) < 30
    splits = randomisation(values, half, (4, 8, 12), "s", 0.025).assigned[:200]
    each = [decisions(Arms(values, split, (4, 8, 12), "s"), 0.05, 0.0, 0.0).worse.any() for split in splits]
    assert abs(found.alarms - sum(each)) <= 2


def test_too_many_alarms_are_not_trusted() -> None:
    """With 8 % of two hundred an alpha of 5 % is not believed."""
    found = replay(history(12), looks=4, alpha=0.05, seed="s", runs=10)
    assert found is not None
    assert not type(found)(200, 16, 0.05, 12, 24).trusted
    assert type(found)(200, 15, 0.05, 12, 24).trusted


@pytest.mark.parametrize("levels", [history(3), history(12, buckets=3), np.full((12, 48), np.nan)])
def test_with_no_history_there_is_nothing_to_replay(levels: NDArray[np.float64]) -> None:
    """Three spaces, three buckets, or silence."""
    assert replay(levels, looks=4, alpha=0.05, seed="s") is None


def test_rows_are_replayed_without_those_that_were_treated() -> None:
    """Twelve untreated spaces in buckets of two, and one that was treated once: as the matrix of the twelve."""
    levels = history(12)
    rows = [
        Cell(
            "n1",
            2 * at + half,
            1,
            f"space-{space:02}",
            CONTROL,
            3,
            3 * float(levels[space, at]),
            0.0,
            0,
            0,
            0,
            0.0,
            0.0,
        )
        for at in range(48)
        for half in range(2)
        for space in range(12)
    ]
    other = [
        Cell("n1", at, 1, "other", TREATMENT if at == 9 else CONTROL, 3, 50.0, 0.0, 0, 0, 0, 0.0, 0.0)
        for at in range(96)
    ]
    assert replay_rows(rows + other, 2, 4, seed="s") == replay(levels, looks=4, alpha=0.05, seed="s")


def test_no_rows_are_no_replay() -> None:
    """A fleet that has told of nothing."""
    assert replay_rows([], 2, 4) is None
