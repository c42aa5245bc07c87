"""Two arms, both methods together."""

import math

import numpy as np
import pytest

from runbook.statistics.arms import Arms, by_draws, by_sequence, decisions

LOOKS = (4, 8, 12)
MARGIN, HARM = math.log(1.1), 0.0


def arms(spaces: int, buckets: int, shift: float, seed: int = 0) -> Arms:
    """So many spaces in each arm, each wandering, the treated shifted."""
    chance = np.random.default_rng(seed)
    values = chance.normal(0, 0.05, (2 * spaces, 1)) + chance.normal(0, 0.1, (2 * spaces, buckets))
    treated = np.arange(2 * spaces) < spaces
    return Arms(values + shift * treated[:, None], treated, LOOKS, "seed")


@pytest.mark.parametrize("spaces", [6, 30])
@pytest.mark.parametrize("shift", [0.0, 0.05, 0.2])
def test_simulations_decide_as_the_judge_does(spaces: int, shift: float) -> None:
    """What `decisions` says of a bucket is what the bounds of both methods say with the data up to it."""
    whole = arms(spaces, 12, shift)
    found = decisions(whole, 0.05, MARGIN, HARM)
    for buckets in range(1, 13):
        now = Arms(whole.values[:, :buckets], whole.treated, LOOKS, "seed")
        bounds = [one for one in (by_draws(now, 0.05, MARGIN, HARM), by_sequence(now, 0.05, MARGIN, HARM)) if one]
        assert found.worse[buckets - 1] == any(one.low > HARM for one in bounds)
        assert found.safe[buckets - 1] == any(one.high < MARGIN for one in bounds)
        for one in bounds:
            assert (one.p_worse <= one.alpha) == (one.low > HARM)
            assert (one.p_safe <= one.alpha) == (one.high < MARGIN)


def test_from_thirty_spaces_on_each_method_has_half() -> None:
    """Both together may err no more often than alpha; with fewer there is one method, and it has all of it."""
    few, many = arms(29, 4, 0.0), arms(30, 4, 0.0)
    assert by_sequence(few, 0.05, MARGIN, HARM) is None
    draws, sequence = by_draws(many, 0.05, MARGIN, HARM), by_sequence(many, 0.05, MARGIN, HARM)
    assert draws is not None
    assert sequence is not None
    assert (few.alpha_of_each(0.05), draws.alpha, sequence.alpha) == (0.05, 0.025, 0.025)


def test_silence_does_not_move_alpha() -> None:
    """Thirty assigned, two silent: the sequence says nothing, and the test has half of alpha all the same."""
    whole = arms(30, 4, 0.0)
    whole.values[:2] = np.nan
    draws = by_draws(whole, 0.05, MARGIN, HARM)
    assert by_sequence(whole, 0.05, MARGIN, HARM) is None
    assert draws is not None
    assert draws.alpha == 0.025


def test_before_the_first_look_the_draws_are_not_asked() -> None:
    """Three buckets, the first look after four: only the sequence may speak."""
    early = arms(30, 3, 0.3)
    found = by_sequence(early, 0.05, MARGIN, HARM)
    assert by_draws(early, 0.05, MARGIN, HARM) is None
    assert found is not None
    assert found.low > HARM


@pytest.mark.parametrize("spaces", [5, 30])
def test_nobody_is_called_worse_too_often(spaces: int) -> None:
    """Two hundred fleets without a change, looked at after every bucket: within two standard errors of alpha."""
    runs = 200
    alarms = sum(bool(decisions(arms(spaces, 12, 0.0, seed), 0.05, MARGIN, HARM).worse.any()) for seed in range(runs))
    assert alarms / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)
