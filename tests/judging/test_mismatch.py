"""Sample ratio mismatch."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.special import betaln
from scipy.stats import binom

from runbook.engine.judging.ratio import mismatch
from runbook.statistics.mismatch import STRENGTH, log_evidence, split

ALPHA = 0.001


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize("units", [1, 7, 60])
def test_its_mean_is_one_while_the_split_is_as_expected(units: int, share: float) -> None:
    """What makes an e-value one: over all counts that chance can bring, it is 1 on the average."""
    counts = np.arange(units + 1)
    values = [math.exp(log_evidence(x, units - x, share)) for x in counts]
    assert float(binom.pmf(counts, units, share) @ values) == pytest.approx(1)


def test_the_mean_stays_one_over_several_steps() -> None:
    """With a process begun at each step, too: over all ways that 3, 2 and 4 units can be split."""
    steps = (3, 2, 4)
    mean = sum(
        math.prod(binom.pmf(x, n, 0.3) for x, n in zip(xs, steps, strict=True))
        * split([(x, n - x) for x, n in zip(xs, steps, strict=True)], 0.3, ALPHA).e_values[-1]
        for xs in product(*(range(n + 1) for n in steps))
    )
    assert mean == pytest.approx(1)


def test_the_formula_of_lindon_and_malek() -> None:
    """Beta-binomial over binomial."""
    a = STRENGTH / 2
    assert log_evidence(8, 10, 0.5) == pytest.approx(betaln(a + 8, a + 10) - betaln(a, a) - 18 * math.log(0.5))


def test_looked_at_after_every_few_spaces_it_errs_no_more_often_than_alpha() -> None:
    """Of 1000 honest splits of 200 spaces, looked at after each ten, no more are blocked than alpha allows."""
    treated = np.random.default_rng(11).binomial(10, 0.5, (1000, 20))
    blocked = sum(split([(int(x), 10 - int(x)) for x in row], 0.5, 0.01).since is not None for row in treated)
    assert blocked <= 1000 * 0.01 + 2 * math.sqrt(1000 * 0.01)


def test_it_names_when_it_began() -> None:
    """Half and half for a hundred hours, then treatment only: blocked, and since the hour behind the hundredth."""
    spaces = [(3600 * hour, hour % 2 == 0) for hour in range(100)] + [(3600 * hour, True) for hour in range(100, 150)]
    found = mismatch(spaces, 0.5, (10, 90), ALPHA)
    assert found.blocks
    assert found.since_bucket is not None
    assert 98 * 3600 <= found.since_bucket <= 102 * 3600
    assert "100 of 150 spaces are treated (66.7 %, assigned 50 %), with 10 % of the recalls" in found.arithmetic


def test_once_blocked_it_stays_so() -> None:
    """Control spaces that come later do not make up for it."""
    spaces = [(0, True)] * 40 + [(3600, False)] * 40
    assert mismatch(spaces, 0.5, (1, 1), ALPHA).blocks


def test_with_nothing_drawn_nothing_is_out_of_ratio() -> None:
    """A share of one has no control to be compared with, and no logarithm of nothing is taken."""
    assert not mismatch([(0, True), (0, False)], 1.0, (1, 1)).blocks


def test_nobody_seen_yet_is_no_mismatch() -> None:
    """Without spaces there is no evidence, and no division by nothing."""
    found = mismatch([], 0.5, (0, 0))
    assert not found.blocks
    assert (found.e_value, found.share_of_spaces, found.share_of_traffic) == (1.0, 0.0, 0.0)


def test_the_same_numbers_whatever_the_order() -> None:
    """Spaces may be handed in as they come."""
    spaces = [(hour % 5, hour % 3 == 0) for hour in range(30)]
    assert mismatch(spaces, 0.5, (1, 1)) == mismatch(spaces[::-1], 0.5, (1, 1))
