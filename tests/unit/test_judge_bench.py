"""The bench of judges on few runs: its fleet is what it says, and the usual rules are what their makers publish."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    """Benchmarks are scripts; what they share lies beside them."""
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def history(importable: None) -> Any:
    """One run of the fleet of the design."""
    from judging.fleet import Fleet, simulate  # noqa: PLC0415 - found by the fixture

    return simulate(Fleet(), 5, 0)


def test_one_run_is_the_same_whatever_else_is_simulated(history: Any) -> None:
    """A run depends on the seed and its number only, so every machine prints the same table."""
    from judging.fleet import simulate  # noqa: PLC0415

    again = simulate(history.fleet, 5, 0)
    assert np.array_equal(history.cells, again.cells)
    assert np.array_equal(history.p99, again.p99)
    assert not np.array_equal(history.cells, simulate(history.fleet, 5, 1).cells)


def test_the_fleet_is_the_one_of_the_design(history: Any) -> None:
    """120 spaces over three weeks; they differ with sd .25, and their hours remember .8 of the hour before."""
    from judging.fleet import Fleet, levels  # noqa: PLC0415

    assert (history.before.shape, history.cells.shape) == ((120, 168), (120, 336))
    assert np.std(history.own) == pytest.approx(0.25, rel=0.25)
    calm = levels(replace(Fleet(), cycle=0.0, between=0.0, burst_every=1e12), np.random.default_rng(1)) - 2.3
    assert np.std(calm) == pytest.approx(0.10, rel=0.05)
    assert np.corrcoef(calm[:, 1:].ravel(), calm[:, :-1].ravel())[0, 1] == pytest.approx(0.8, abs=0.01)


def test_the_interval_of_kayenta_is_that_of_the_mann_whitney_test() -> None:
    """Moved by a little less than its lower end the canary is still above the control at 1 %, a little more: not."""
    from judging.usual import mann_whitney  # noqa: PLC0415

    draw = np.random.default_rng(3)
    canary, control = draw.lognormal(0.3, 0.5, 24), draw.lognormal(0.0, 0.5, 24)
    low, estimate = (float(each[0]) for each in mann_whitney(canary[None, :], control[None, :]))
    below, above = (
        stats.mannwhitneyu(canary - low - step, control, alternative="greater", method="asymptotic").pvalue
        for step in (-1e-9, 1e-9)
    )
    assert below < 0.01 <= above
    assert estimate == pytest.approx(np.median(canary[:, None] - control[None, :]))


def test_welch_agrees_with_scipy() -> None:
    """The weekly test is Welch's."""
    from judging.usual import welch  # noqa: PLC0415

    draw = np.random.default_rng(4)
    for _ in range(50):
        one, other = draw.normal(0.3, 1.0, 40), draw.normal(0.0, 2.0, 60)
        tested = stats.ttest_ind(one, other, equal_var=False)
        assert welch(one, other) == (tested.pvalue < 0.05 and tested.statistic > 0)


def test_without_a_change_the_usual_rules_roll_back_nevertheless_and_never_miss_a_gross_one() -> None:
    """The static threshold fires on identical versions in every run; at +100 % every rule fires."""
    from judging.fleet import Fleet  # noqa: PLC0415
    from judging.trials import hours  # noqa: PLC0415
    from judging.usual import RULES, usual  # noqa: PLC0415

    found = hours(Fleet(), (0.0, 1.0), (usual,), runs=4, workers=1)
    assert found.share(next(iter(RULES)), 0.0) == 1.0
    assert all(found.share(name, 1.0) == 1.0 for name in RULES)


def test_ours_finds_a_gross_change_within_hours_and_promotes_what_did_not_change() -> None:
    """At +50 % the verdict of every run is harm after one hour; at no change it is safe within a day."""
    from judging.fleet import Fleet  # noqa: PLC0415
    from judging.ours import HARM, SAFE, decided  # noqa: PLC0415
    from judging.trials import hours  # noqa: PLC0415

    found = hours(Fleet(), (0.0, 0.5), (decided,), runs=4, workers=1)
    assert (found.share(HARM, 0.5), found.median(HARM, 0.5), found.share(SAFE, 0.5)) == (1.0, 1.0, 0.0)
    assert (found.share(HARM, 0.0), found.share(SAFE, 0.0)) == (0.0, 1.0)
    assert found.median(SAFE, 0.0) <= 24


def test_what_the_bench_counts_is_what_the_judge_decides() -> None:
    """Asked every hour the judge decides when the first bound is beyond; with few spaces never between looks."""
    from judging.fleet import Fleet, simulate  # noqa: PLC0415
    from judging.ours import HARM, PROVED, SAFE, SEEN, decided, together  # noqa: PLC0415

    for fleet in (replace(Fleet(), after=96), replace(Fleet().heavy(10), after=96)):
        history = simulate(fleet, 5, 1)
        for truth in (0.0, 0.05, 0.2):
            bounds, verdict = together(history, truth), decided(history, truth)
            expected = min(bounds[SEEN], bounds[PROVED])
            assert min(verdict.values()) == expected
            assert verdict[SAFE] == (expected if bounds[PROVED] <= bounds[SEEN] else np.inf)
            assert (verdict[HARM] < np.inf) is (bounds[SEEN] < bounds[PROVED])
            assert verdict == decided(history, truth, every_hour=True)


def test_two_processes_find_what_one_does() -> None:
    """The result does not depend on how the runs are spread."""
    from judging.fleet import Fleet  # noqa: PLC0415
    from judging.ours import together  # noqa: PLC0415
    from judging.trials import hours  # noqa: PLC0415

    small = Fleet().heavy(5)
    one, two = (hours(small, (0.0, 0.2), (together,), runs=3, workers=workers) for workers in (1, 2))
    assert {name: at.tolist() for name, at in one.hours.items()} == {
        name: at.tolist() for name, at in two.hours.items()
    }


def test_a_judge_that_cries_wolf_is_out_of_its_limits() -> None:
    """At the claim's number of runs a share over the limit is out; with few runs two standard errors are allowed."""
    from judging.limits import CLAIM, Limit  # noqa: PLC0415

    assert not Limit("no change called worse", 0.0505, 0.05, CLAIM).kept
    assert Limit("no change called worse", 0.05, 0.05, CLAIM).kept
    assert Limit("no change called worse", 0.08, 0.05, 200).kept
    assert not Limit("no change called worse", 0.085, 0.05, 200).kept
    assert not Limit("+5 % seen", 0.9, 0.95, CLAIM, most=False).kept
    assert "OUT" in Limit("+5 % seen", 0.9, 0.95, CLAIM, most=False).sentence


def test_the_command_prints_every_rule_and_ends_with_what_it_found() -> None:
    """`benchmarks/judges.py --json` has both tables and each limit, and its exit code says whether all were kept."""
    command = [sys.executable, str(BENCHMARKS / "judges.py"), "--runs", "3", "--spaces", "30", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    found = json.loads(done.stdout)
    assert found["runs"] == 3
    assert set(found["few"]) == {"5", "10", "30"}
    assert len(found["large"]) == 16
    assert done.returncode == (0 if all(limit["kept"] for limit in found["limits"]) else 1)
