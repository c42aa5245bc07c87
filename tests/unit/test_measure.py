"""From samples to one number, or the reason why there is none."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.engine.measure import FEWEST_SCRAPES, measure, pause_of, series_of
from runbook.engine.restarts import START_TIME
from runbook.model.measurement import Measurement, NodeSamples, Sample, Series, Silence
from runbook.model.metric import Metric
from runbook.model.quantity import How, Quantity

FORMED = Metric("formed_total").per_minute("concepts/min")
SLOW = Metric("seconds").quantile(0.5)
MEMORY = Metric("resident").megabytes_per_hour()
BYTES = Metric("resident").last("bytes")


def series(name: str, values: list[float], begin: float = 0.0, step: float = 1.0, **labels: str) -> Series:
    """One sample every `step` seconds from `begin` on."""
    points = tuple(Sample(begin + index * step, value) for index, value in enumerate(values))
    return Series(name, tuple(sorted(labels.items())), points)


def measured(quantity: Quantity, *found: Series) -> Measurement:
    """What becomes of these series."""
    return measure("a", NodeSamples("a", found), quantity)


def test_a_rate_is_per_minute_and_summed_over_spaces() -> None:
    """30 in 10 s, and 10 in 10 s."""
    one = series("formed_total", [100.0 + 3 * at for at in range(11)], space="x")
    two = series("formed_total", [float(at) for at in range(11)], space="y")
    assert measured(FORMED, one, two).value == pytest.approx(240)


def test_a_space_that_is_born_in_the_window_counts_from_zero() -> None:
    """Its first concept too: the other series show that the node was watched before."""
    born = series("formed_total", [4.0, 5.0], begin=5, space="new")
    up = series(START_TIME, [1.0] * 7)
    assert measured(FORMED, born, up).value == pytest.approx(5 / 6 * 60)


def test_a_node_that_comes_up_in_the_window_is_judged_over_the_time_that_was_seen() -> None:
    """What it counted before the first look is not known to belong to the window."""
    late = series("formed_total", [1000.0, 1001.0], begin=60)
    up = series(START_TIME, [50.0, 50.0], begin=60)
    assert measured(FORMED, late, up).value == pytest.approx(60)


def test_a_restart_in_the_window_is_no_negative_rate() -> None:
    """100 -> 110, restart, 0 -> 20."""
    assert measured(FORMED, series("formed_total", [100.0, 110.0, 5.0, 20.0])).value == pytest.approx(30 / 3 * 60)


def test_a_restart_that_only_one_space_shows_is_one_for_all() -> None:
    """A busy space is above its old value again before the next look."""
    quiet = series("formed_total", [50.0, 1.0], space="quiet")
    busy = series("formed_total", [10.0, 90.0], space="busy")
    assert measured(FORMED, quiet, busy).value == pytest.approx(91 * 60)


def test_a_restart_that_no_counter_shows_is_seen_by_the_start_of_the_process() -> None:
    """10, restart, 0 -> 12 before the next look: twelve were formed, not two."""
    busy = series("formed_total", [10.0, 12.0])
    assert measured(FORMED, busy, series(START_TIME, [1.0, 2.0])).value == pytest.approx(12 * 60)


def test_a_space_that_shows_itself_only_some_looks_after_a_restart_counts_from_zero() -> None:
    """The restart lies between its two samples, not at one of them."""
    quiet = series("formed_total", [50.0, 1.0, 1.0], space="quiet")
    late = Series("formed_total", (("space", "late"),), (Sample(0.0, 10.0), Sample(2.0, 30.0)))
    assert measured(FORMED, quiet, late).value == pytest.approx((1 + 30) / 2 * 60)


def test_a_restart_does_not_mend_a_slow_histogram() -> None:
    """A bucket above its old value after a restart counts whole, else the slow cycles would vanish."""
    fast = series("seconds_bucket", [50.0, 40.0], le="0.1")
    slow = series("seconds_bucket", [50.0, 40.0], le="1.0")
    every = series("seconds_bucket", [50.0, 100.0], le="+Inf")
    assert measured(SLOW, fast, slow, every).value == pytest.approx(1.0)


def test_buckets_are_summed_over_their_other_labels() -> None:
    """Two groups, one histogram."""
    parts = [
        series("seconds_bucket", [0.0, count], le=bound, group=group)
        for group, counts in (("control", (0.0, 10.0, 10.0)), ("treatment", (10.0, 10.0, 10.0)))
        for bound, count in zip(("1.0", "2.0", "+Inf"), counts, strict=True)
    ]
    assert measured(SLOW, *parts).value == pytest.approx(1.0)


@pytest.mark.parametrize("bound", ["", "wide", "nan"])
def test_a_bucket_without_a_bound_is_no_data_and_no_crash(bound: str) -> None:
    """A node may expose garbage; the others are still judged."""
    odd = series("seconds_bucket", [0.0, 5.0], le=bound)
    end = series("seconds_bucket", [0.0, 9.0], le="+Inf")
    assert measured(SLOW, odd, end).value is None


def test_an_idle_histogram_is_no_data_and_not_zero() -> None:
    """No cycle ran in the window."""
    idle = [series("seconds_bucket", [7.0, 7.0], le=bound) for bound in ("0.1", "+Inf")]
    found = measured(SLOW, *idle)
    assert found.value is None
    assert found.reason == "nothing happened in the window"


@pytest.mark.parametrize("quantity", [FORMED, SLOW, MEMORY])
def test_one_sample_is_no_data(quantity: Quantity) -> None:
    """Nothing is known of what one moment came from."""
    found = measured(quantity, series(quantity.series[0], [5.0], le="1"), series(quantity.series[0], [5.0], le="+Inf"))
    assert found.value is None
    assert found.reason


@pytest.mark.parametrize("quantity", [FORMED, SLOW, MEMORY, BYTES])
def test_silence_and_a_missing_metric_are_no_data(quantity: Quantity) -> None:
    """With the reason in words."""
    assert measure("a", Silence("a", "refused"), quantity) == Measurement("a", quantity.name, None, "refused")
    assert measured(quantity, series("other", [1.0, 2.0])).reason == f"the node exposes no {quantity.metric}"
    assert measured(quantity, series(quantity.series[0], [])).value is None
    assert measure("a", NodeSamples("a", ()), quantity).value is None


def test_growth_is_in_megabytes_per_hour() -> None:
    """1 MB a second."""
    found = measured(MEMORY, series("resident", [1e9 + 1e6 * at for at in range(10)]))
    assert found.value == pytest.approx(3600)
    assert found.low == pytest.approx(3600)
    assert found.high == pytest.approx(3600)


def test_growth_across_a_restart_is_that_of_the_new_process() -> None:
    """A fresh process is small: that is no shrinking."""
    memory = series("resident", [9e9] * 6 + [1e9] * 6)
    starts = series(START_TIME, [100.0] * 6 + [200.0] * 6)
    assert measured(MEMORY, memory, starts).value == 0.0


def test_growth_soon_after_a_restart_is_no_data() -> None:
    """Four samples of the new process prove nothing."""
    memory, starts = series("resident", [9e9] * 8 + [1e9] * 4), series(START_TIME, [100.0] * 8 + [200.0] * 4)
    found = measured(MEMORY, memory, starts)
    assert found.value is None
    assert "4 samples since the last restart" in found.reason


def test_two_looks_at_one_moment_count_once() -> None:
    """The end of one window is the begin of the next."""
    twice = Series("resident", (), tuple(Sample(float(at // 2), 1e9 + at // 2) for at in range(18)))
    assert measured(MEMORY, twice).value == pytest.approx(0.0036)


def test_two_series_of_the_start_are_no_restart() -> None:
    """Each is compared with itself."""
    starts = [series(START_TIME, [value] * 9, job=job) for value, job in ((100.0, "x"), (200.0, "y"))]
    assert measured(MEMORY, series("resident", [1e9] * 9), *starts).value == 0.0


def test_a_gauge_with_labels_grows_as_a_whole() -> None:
    """Memory by component: one grows, one shrinks."""
    parts = [series("resident", [1e9 + rate * at for at in range(9)], component=str(rate)) for rate in (3e6, -1e6)]
    assert measured(MEMORY, *parts).value == pytest.approx(7200)


@pytest.mark.parametrize("quantity", [FORMED, SLOW, MEMORY, BYTES])
@pytest.mark.parametrize("odd", [math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_value_that_is_no_number_is_no_data(quantity: Quantity, odd: float, place: int) -> None:
    """Wherever in the window it is: an infinite counter that becomes finite would look like a restart."""
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.5, 7.0]
    values[place] = odd
    found = measured(quantity, *(series(quantity.series[0], values, le=bound) for bound in ("1", "+Inf")))
    assert found.value is None
    assert "no number" in found.reason


@given(some.lists(some.lists(some.integers(0, 10**9).map(float), min_size=2, max_size=20), min_size=1, max_size=4))
def test_a_rate_is_never_negative(counters: list[list[float]]) -> None:
    """However often the node restarts and whichever space begins when."""
    found = measured(FORMED, *(series("formed_total", values, space=str(at)) for at, values in enumerate(counters)))
    assert found.value is not None
    assert found.value >= 0


def test_the_start_of_the_process_is_always_asked_for() -> None:
    """Restarts must be seen; nothing is asked for twice."""
    assert series_of([FORMED, SLOW, FORMED]) == ("formed_total", "seconds_bucket", START_TIME)
    assert series_of([]) == (START_TIME,)


@given(some.floats(0.1, 1e6))
def test_a_window_holds_ten_observations_at_least(seconds: float) -> None:
    """And a pause is never longer than a quarter of a minute."""
    pause = pause_of(timedelta(seconds=seconds))
    assert 0 < pause <= 15
    assert seconds / pause >= FEWEST_SCRAPES - 1e-6


def test_every_way_to_measure_is_measured_here() -> None:
    """A new one needs its tests."""
    assert {quantity.how for quantity in (FORMED, SLOW, MEMORY, BYTES)} == set(How)
