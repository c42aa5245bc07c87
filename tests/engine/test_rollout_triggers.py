"""The tripwire means what it says; a trigger lasts by the journal's time. Pure."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from runbook.engine.rollout.tripwire import tripped
from runbook.model.answer import Answer
from runbook.model.measurement import NodeSamples, Sample, Samples, Series, Silence
from runbook.model.rollout import Tripwire

WIRE = Tripwire(errors=0.01, latency_ratio=2.0, fewest=100)
BOUNDS = (0.005, 0.010, 0.012, 0.020, 0.040, math.inf)


def node(
    recalls: float, failed: float, slow: float, name: str = "a", *, control: float = 1000.0, restart: bool = False
) -> dict[str, NodeSamples | Silence]:
    """A minute of one node: treatment's recalls, how many failed, and how many took 30 ms; all others took 7 ms."""
    series = []
    for group, count, late in (("treatment", recalls, slow), ("control", control, control * 0.005)):
        labels = (("group", group), ("space", "x"))
        series += [
            _rising("engram_recall_total", labels, count, restart=restart),
            _rising("engram_recall_errors_total", labels, failed if group == "treatment" else 0.0, restart=restart),
        ]
        for bound in BOUNDS:
            seen = 0.0 if bound < 0.007 else count - late if bound < 0.03 else count
            le = (("group", group), ("le", "+Inf" if math.isinf(bound) else f"{bound:g}"))
            series.append(_rising("engram_recall_duration_seconds_bucket", le, seen, restart=restart))
    return {name: NodeSamples(name, tuple(series))}


def _rising(name: str, labels: tuple[tuple[str, str], ...], rise: float, *, restart: bool) -> Series:
    begin = 5000.0 if restart else 10.0
    end = rise if restart else 10.0 + rise
    return Series(name, labels, (Sample(0.0, begin), Sample(60.0, end)))


def answers(samples: Samples, wire: Tripwire = WIRE) -> tuple[Answer, Answer]:
    """Errors, latency."""
    errors, latency = tripped(wire, samples, "test")
    return errors.answer, latency.answer


@pytest.mark.parametrize(
    ("failed", "answer"), [(0.0, Answer.NO), (10.0, Answer.NO), (15.0, Answer.NO), (40.0, Answer.YES)]
)
def test_errors_trip_it_where_they_are_above_the_limit_for_certain(failed: float, answer: Answer) -> None:
    """15 in 1000 may be chance where 10 are allowed; 40 are not."""
    assert answers(node(1000.0, failed, 0.0)) == (answer, Answer.NO)


@pytest.mark.parametrize(
    ("slow", "answer"), [(0.0, Answer.NO), (5.0, Answer.NO), (16.0, Answer.NO), (60.0, Answer.YES)]
)
def test_latency_trips_it_where_the_tail_is_beyond_twice_controls(slow: float, answer: Answer) -> None:
    """Control's p99 is under 12 ms; treatment's share over twice that has to be above 1 % for certain."""
    assert answers(node(1000.0, 0.0, slow)) == (Answer.NO, answer)


@pytest.mark.parametrize(("slow", "answer"), [(7.0, Answer.NO), (40.0, Answer.YES)])
def test_controls_tail_is_chance_too(slow: float, answer: Answer) -> None:
    """7 of 131 over twice the p99 of 120: that p99 is their slowest but one, so it may be luck. 40 are not."""
    assert answers(node(131.0, 0.0, slow, control=120.0)) == (Answer.NO, answer)


def test_with_few_recalls_it_is_not_asked() -> None:
    """All of 99 failed: UNKNOWN, by the plan's own number; 100 of 100 trip it."""
    assert answers(node(99.0, 99.0, 0.0))[0] is Answer.UNKNOWN
    assert answers(node(100.0, 100.0, 0.0))[0] is Answer.YES


def test_a_silent_node_makes_no_no_and_hides_no_yes() -> None:
    """The others tell enough for YES, and never enough for NO."""
    quiet: dict[str, NodeSamples | Silence] = {"b": Silence("b", "no connection")}
    assert answers(node(1000.0, 0.0, 0.0) | quiet) == (Answer.UNKNOWN, Answer.UNKNOWN)
    assert answers(node(1000.0, 500.0, 0.0) | quiet)[0] is Answer.YES
    assert answers(quiet) == (Answer.UNKNOWN, Answer.UNKNOWN)


def test_a_restart_counts_from_zero() -> None:
    """Counters that fell: what they show now came after the restart."""
    assert answers(node(1000.0, 500.0, 0.0, restart=True))[0] is Answer.YES
    assert answers(node(1000.0, 0.0, 0.0, restart=True))[0] is Answer.NO


def test_nodes_are_added_up() -> None:
    """Two halves of what is too few alone are enough together."""
    both = node(60.0, 60.0, 0.0) | node(60.0, 60.0, 0.0, "b")
    assert answers(node(60.0, 60.0, 0.0))[0] is Answer.UNKNOWN
    assert answers(both)[0] is Answer.YES


def test_the_plan_sets_the_limits() -> None:
    """A tripwire at 60 % does not go for 50 %."""
    wire = replace(WIRE, errors=0.6, window=timedelta(seconds=10))
    assert answers(node(1000.0, 500.0, 0.0), wire)[0] is Answer.NO


def test_nothing_that_is_no_number_counts() -> None:
    """NaN in a counter: as if that counter were not there."""
    broken = node(1000.0, 500.0, 0.0)
    found = broken["a"]
    assert isinstance(found, NodeSamples)
    series = tuple(replace(each, samples=(Sample(0.0, math.nan), Sample(60.0, math.nan))) for each in found.series)
    assert answers({"a": replace(found, series=series)}) == (Answer.UNKNOWN, Answer.UNKNOWN)


@pytest.mark.parametrize(
    "name", ["engram_recall_errors_total", "engram_recall_total", "engram_recall_duration_seconds_bucket"]
)
def test_one_series_that_is_no_number_makes_no_no(name: str) -> None:
    """Errors that nobody can count are not none; where the rest shows damage, it is one all the same."""
    well, broken = node(1000.0, 0.0, 0.0), node(1000.0, 500.0, 500.0, "b")
    found = well["a"]
    assert isinstance(found, NodeSamples)
    odd = (Sample(0.0, 10.0), Sample(60.0, math.nan))
    series = tuple(replace(each, samples=odd) if each.name == name else each for each in found.series)
    torn: Samples = {"a": replace(found, series=series)}
    assert answers(torn) == (Answer.UNKNOWN, Answer.UNKNOWN)
    assert answers({**torn, **broken})[0] is Answer.YES
