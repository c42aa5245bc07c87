"""From samples to one number, or the reason why there is none."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.engine.growth import growths
from runbook.engine.measure import FEWEST_SCRAPES, measure, pause_of, series_of
from runbook.engine.restarts import START_TIME
from runbook.model.measurement import Measurement, NodeSamples, Sample, Series, Silence, WarmUp
from runbook.model.metric import Metric
from runbook.model.quantity import How, Quantity
from runbook.model.runbook import Breakdown

FORMED = Metric("formed_total").per_minute("concepts/min")
SLOW = Metric("seconds").quantile(0.5)
MEMORY = Metric("resident").megabytes_per_hour()
BYTES = Metric("resident").last("bytes")
SHARE = Metric("resident").share_of("limit")
ENDED = Metric("ooms_total").rise("OOM restarts")
TREATED, CONTROL = (("group", "treatment"),), (("group", "control"),)
SURE = Metric("sure", TREATED).mean("mean confidence")
AGAINST = Metric("sure", TREATED).mean_against(CONTROL, "x control's")
FAILED = Metric("errors_total", TREATED).part_of("recalls_total", TREATED)
FAILED_CYCLES = Metric("cycles_total", (("outcome", "failure"),)).part_of("cycles_total")
HOUR = 3600.0
THREE_HOURS = MEMORY.lasting(timedelta(hours=3))


def series(name: str, values: list[float], begin: float = 0.0, step: float = 1.0, **labels: str) -> Series:
    """One sample every `step` seconds from `begin` on."""
    points = tuple(Sample(begin + index * step, value) for index, value in enumerate(values))
    return Series(name, tuple(sorted(labels.items())), points)


def measured(quantity: Quantity, *found: Series, warm_up: WarmUp | None = None) -> Measurement:
    """What becomes of these series."""
    return measure("a", NodeSamples("a", found), quantity, warm_up)


def recalls(count: float, mean: float, group: str = "treatment", before: float = 0.0) -> list[Series]:
    """A histogram of so many recalls of one group between two looks; half of them lie 0.1 to either side of the mean.

    `before` is how many had been seen at the first look, each of 0.5.
    """
    counts = {"0.0": 0.0, f"{mean - 0.1:g}": count / 2, f"{mean + 0.1:g}": count, "+Inf": count}
    found = [series("sure_bucket", [before, before + more], le=le, group=group) for le, more in counts.items()]
    found.append(series("sure_sum", [before * 0.5, before * 0.5 + count * mean], group=group))
    return [*found, series("sure_count", [before, before + count], group=group)]


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


@pytest.mark.parametrize("quantity", [FORMED, SLOW, MEMORY, ENDED])
def test_one_sample_is_no_data(quantity: Quantity) -> None:
    """Nothing is known of what one moment came from."""
    found = measured(quantity, series(quantity.series[0], [5.0], le="1"), series(quantity.series[0], [5.0], le="+Inf"))
    assert found.value is None
    assert found.reason


@pytest.mark.parametrize("quantity", [FORMED, SLOW, MEMORY, BYTES, SHARE, ENDED, SURE, AGAINST])
def test_silence_and_a_missing_metric_are_no_data(quantity: Quantity) -> None:
    """With the reason in words."""
    assert measure("a", Silence("a", "refused"), quantity) == Measurement("a", quantity.name, None, "refused")
    wanted = f"the node exposes no {quantity.metric}" + " with group treatment" * bool(quantity.labels)
    assert measured(quantity, series("other", [1.0, 2.0])).reason == wanted
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


@pytest.mark.parametrize("quantity", [FORMED, SLOW, MEMORY, BYTES, ENDED])
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
    window = timedelta(seconds=seconds)  # whole microseconds
    pause = pause_of(window)
    assert 0 < pause <= 15
    assert window.total_seconds() / pause >= FEWEST_SCRAPES - 1e-6


def test_every_way_to_measure_is_measured_here() -> None:
    """A new one needs its tests."""
    assert {quantity.how for quantity in (FORMED, SLOW, MEMORY, BYTES, ENDED, SHARE, SURE, AGAINST, FAILED)} == set(How)


def test_a_count_that_outlives_its_process_rises_by_what_was_added_across_a_restart() -> None:
    """Two and then three: one, not three; the restart is what it counts."""
    ended = series("ooms_total", [2.0, 2.0, 3.0, 3.0])
    assert measured(ENDED, ended, series(START_TIME, [100.0, 100.0, 200.0, 200.0])).value == 1.0
    assert measured(ENDED, series("ooms_total", [2.0, 2.0])).value == 0.0


def test_a_count_that_begins_anew_is_no_rise_and_hides_none() -> None:
    """A new container counts from zero: 5 -> 0 took nothing away, and the 1 after it is one."""
    assert measured(ENDED, series("ooms_total", [5.0, 0.0, 1.0])).value == 1.0
    assert measured(ENDED, series("ooms_total", [5.0, 0.0])).value == 0.0


def test_what_was_counted_before_a_node_was_first_seen_is_not_of_the_window() -> None:
    """Nor is it where the count itself shows later than the rest: it is not known to have begun at zero."""
    late = series("ooms_total", [3.0, 3.0], begin=5)
    assert measured(ENDED, late, series(START_TIME, [100.0] * 7)).value == 0.0


def test_a_rise_is_summed_over_its_series_each_compared_with_itself() -> None:
    """One cell ended twice, one not."""
    cells = [series("ooms_total", values, cell=cell) for cell, values in (("x", [1.0, 3.0]), ("y", [7.0, 7.0]))]
    assert measured(ENDED, *cells).value == 2.0


def last_look(found: list[Series]) -> list[Series]:
    """The same, seen once."""
    return [replace(each, samples=each.samples[-1:]) for each in found]


def test_a_mean_is_that_of_the_window_and_of_the_group() -> None:
    """What was seen before the window, and by the other group, does not count; none of it is interpolated."""
    assert measured(SURE, *recalls(40, 0.7, before=1000), *recalls(9, 0.2, "control")).value == pytest.approx(0.7)


def test_a_mean_of_nothing_is_no_data_and_not_zero() -> None:
    """An idle group, one look, no such group, and a histogram that lost its sum or its count on the way."""
    assert measured(SURE, *recalls(0, 0.5)).reason == "nothing happened in the window"
    assert measured(SURE, *last_look(recalls(40, 0.7))).reason == "only one sample in the window"
    assert measured(SURE, *recalls(40, 0.7, "control")).reason == "the node exposes no sure with group treatment"
    for lost in ("sure_sum", "sure_count", "sure_bucket"):
        rest = [each for each in recalls(40, 0.7) if each.name != lost]
        found = measured(SURE, *rest)
        assert (found.value, found.reason) == (None, "the node exposes no sure with group treatment"), lost


def test_a_mean_across_a_restart_is_that_of_what_the_new_process_saw_and_the_old_one_still_showed() -> None:
    """20 recalls of 0.9, restart, 60 of 0.5: the sum is above its old value again at the next look."""
    sums = series("sure_sum", [90.0, 108.0, 30.0, 150.0], group="treatment")
    counts = series("sure_count", [100.0, 120.0, 60.0, 300.0], group="treatment")
    bounds = [
        series("sure_bucket", [count * share for count in (100.0, 120.0, 60.0, 300.0)], le=le, group="treatment")
        for le, share in (("0.5", 0.5), ("1.0", 1.0), ("+Inf", 1.0))
    ]
    assert measured(SURE, sums, counts, *bounds).value == pytest.approx((18 + 150) / (20 + 300))
    hidden = [
        series("sure_sum", [10.0, 30.0], group="treatment"),
        series("sure_count", [11.0, 60.0], group="treatment"),
        *(series("sure_bucket", [11.0, 60.0], le=le, group="treatment") for le in ("1.0", "+Inf")),
    ]
    starts = series(START_TIME, [1.0, 2.0])
    assert measured(SURE, *hidden, starts).value == pytest.approx(30 / 60)


def test_a_mean_has_an_interval_that_more_recalls_make_narrower() -> None:
    """Around the mean, to both sides alike; a hundred times as many make it a tenth."""
    widths = []
    for count in (100, 10_000):
        found = measured(SURE, *recalls(count, 0.7))
        assert found.low is not None
        assert found.high is not None
        assert (found.low + found.high) / 2 == pytest.approx(0.7)
        assert found.reason == ""
        widths.append(found.high - found.low)
    assert widths[0] / widths[1] == pytest.approx(10, rel=0.02)


def test_a_mean_that_tells_no_spread_has_an_endless_interval_and_says_so() -> None:
    """One recall, and buckets without a finite bound: the value is told, and settles nothing."""
    endless = [each for each in recalls(40, 0.7) if each.label("le") in {None, "+Inf"}]
    for found in (measured(SURE, *recalls(1, 0.7)), measured(SURE, *endless)):
        assert found.value == pytest.approx(0.7)
        assert (found.low, found.high) == (-math.inf, math.inf)
        assert found.reason == "what was seen in the window tells no spread"


def test_a_ratio_is_of_the_means_with_an_interval_around_it() -> None:
    """0.56 against 0.7: four fifths; the more recalls the narrower, in proportion to the root of their number."""
    few, many = (measured(AGAINST, *recalls(n, 0.56), *recalls(n, 0.7, "control")) for n in (100, 10_000))
    for found in (few, many):
        assert found.value == pytest.approx(0.8)
        assert found.low is not None
        assert found.high is not None
        assert found.low < 0.8 < found.high
        assert found.moot == ""
    assert math.log(few.high / few.low) == pytest.approx(10 * math.log(many.high / many.low))  # type: ignore[operator]  # asserted above


@pytest.mark.parametrize(("treated", "control", "empty"), [(0, 500, "treatment"), (500, 0, "control")])
def test_a_ratio_is_moot_where_a_group_has_no_traffic(treated: int, control: int, empty: str) -> None:
    """Nobody is in the experiment, or everybody is: that is no doubt, there is nothing to compare."""
    found = measured(AGAINST, *recalls(treated, 0.6), *recalls(control, 0.7, "control"))
    assert (found.value, found.reason) == (None, "")
    assert found.moot == f"there is no traffic with group {empty} to compare with"


def test_a_group_that_the_node_does_not_even_show_is_moot_too() -> None:
    """A Prometheus client shows no labels that were never used."""
    assert measured(AGAINST, *recalls(500, 0.6)).moot


def test_a_ratio_of_too_few_is_told_with_an_endless_interval() -> None:
    """29 on one side: more will come while it is looked on, so that this is no missing number."""
    few = measured(AGAINST, *recalls(29, 0.6), *recalls(500, 0.7, "control"))
    assert few.value == pytest.approx(0.6 / 0.7)
    assert (few.low, few.high, few.moot) == (-math.inf, math.inf, "")
    assert few.reason == "29 and 500 in the groups, 30 in each are needed"
    enough = measured(AGAINST, *recalls(30, 0.6), *recalls(30, 0.7, "control"))
    assert enough.reason == ""
    assert enough.high is not None
    assert math.isfinite(enough.high)


def test_a_ratio_of_silence_is_no_data() -> None:
    """Nothing on either side; a single look; a group whose confidence is nothing at all."""
    none = measured(AGAINST, *recalls(0, 0.6), *recalls(0, 0.7, "control"))
    assert (none.value, none.moot, none.reason) == (None, "", "nothing happened in the window")
    one = measured(AGAINST, *last_look([*recalls(500, 0.6), *recalls(500, 0.7, "control")]))
    assert (one.value, one.moot, one.reason) == (None, "", "nothing happened in the window")
    for means in ((0.0, 0.7), (0.7, 0.0)):
        zero = measured(AGAINST, *recalls(40, means[0]), *recalls(40, means[1], "control"))
        assert (zero.value, zero.reason) == (None, "the mean of a group is not above zero")


def test_a_ratio_without_buckets_claims_no_certainty() -> None:
    """Where the control shows some, but the group none: the spread is not known, and no limit is settled."""
    rest = [each for each in recalls(100, 0.6) if not each.name.endswith("_bucket")]
    found = measured(AGAINST, *rest, *recalls(100, 0.7, "control"))
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert found.reason == "what was seen in the window tells no spread"


def test_a_share_is_in_per_cent_of_the_newest_values() -> None:
    """Whatever they were before."""
    found = measured(SHARE, series("resident", [9e8, 3e8]), series("limit", [1e9, 4e8]))
    assert found.value == pytest.approx(75)


def test_a_share_without_its_part_or_its_whole_is_no_data_and_not_zero() -> None:
    """And a whole of zero is none."""
    part, whole = series("resident", [3e8, 3e8]), series("limit", [4e8, 4e8])
    assert measured(SHARE, part).reason == "the node exposes no limit"
    assert measured(SHARE, whole).reason == "the node exposes no resident"
    found = measured(SHARE, part, series("limit", [0.0, 0.0]))
    assert (found.value, found.reason) == (None, "limit is not above zero")


def test_a_quantity_with_labels_sees_those_series_only() -> None:
    """A counter, a gauge, a quantile."""
    pairs = (("x", 6.0), ("y", 600.0))
    counters = [series("formed_total", [0.0, rise], space=space) for space, rise in pairs]
    assert measured(Metric("formed_total", (("space", "x"),)).per_minute("/min"), *counters).value == pytest.approx(360)
    assert measured(Metric("formed_total", (("space", "y"),)).last("formed"), *counters).value == 600
    assert measured(Metric("formed_total", (("space", "z"),)).last("formed"), *counters).value is None


def hours(values: list[float]) -> Series:
    """One sample a minute of the resident memory."""
    return series("resident", values, step=60.0)


def rising(minutes: int, per_hour: float = 3.5e8, begin: float = 1e9) -> list[float]:
    """Memory that grows by so many bytes an hour, for so many minutes."""
    return [begin + per_hour * at / 60 for at in range(minutes)]


def test_growth_over_three_hours_needs_samples_of_nearly_three_hours() -> None:
    """Nine tenths of them: a scrape may be missing at the ends."""
    assert measured(THREE_HOURS, hours(rising(181))).value == pytest.approx(350)
    assert measured(THREE_HOURS, hours(rising(164))).value == pytest.approx(350)
    found = measured(THREE_HOURS, hours(rising(150)))
    assert found.value is None
    assert found.reason == "the samples since the process settled reach back 8940 s"


def test_growth_over_three_hours_does_not_look_further_back() -> None:
    """Twelve hours of calm before it do not water it down."""
    assert measured(THREE_HOURS, hours([1e9] * 720 + rising(181))).value == pytest.approx(350)


@pytest.mark.parametrize("ago", [30, 120, 160])
def test_growth_over_three_hours_is_not_told_of_a_younger_process(ago: int) -> None:
    """Two hours of a fresh process are no three hours, though the samples reach back to the one before."""
    memory = hours([9e9] * (300 - ago) + rising(ago))
    starts = series(START_TIME, [100.0] * (300 - ago) + [200.0] * ago, step=60.0)
    assert measured(THREE_HOURS, memory, starts).value is None
    assert measured(MEMORY, memory, starts).value == pytest.approx(350)


WARM = timedelta(minutes=10)
NOW = 1_800_000_000.0


def started(ago: float, samples: int = 31) -> Series:
    """A process that began so many seconds ago, looked at every minute."""
    return series(START_TIME, [NOW - ago] * samples, step=60.0)


def test_what_grows_while_it_warms_up_is_not_judged() -> None:
    """Started 30 minutes ago, fills for 10 of them: with the warm-up it is flat."""
    memory = hours([1e9 + 5e8 * min(at, 10) for at in range(31)])
    assert measured(MEMORY, memory, started(1800), warm_up=WarmUp(WARM, NOW)).value == 0.0
    without = measured(MEMORY, memory, started(1800), warm_up=WarmUp(timedelta(0), NOW)).value
    assert without is not None
    assert without > 1000


def test_in_the_warm_up_growth_is_no_data() -> None:
    """With the time since the start, and how long the warm-up is."""
    found = measured(MEMORY, hours(rising(31)), started(300), warm_up=WarmUp(WARM, NOW))
    assert (found.value, found.reason) == (None, "started 300 s ago: the warm-up of 600 s is not over")


def test_a_node_that_does_not_tell_when_it_started_is_judged_by_all_its_samples() -> None:
    """There is nothing to go by."""
    assert measured(MEMORY, hours(rising(31)), warm_up=WarmUp(WARM, NOW)).value == pytest.approx(350)


def test_an_old_process_is_judged_by_all_its_samples() -> None:
    """Its warm-up was over before the first of them."""
    assert measured(MEMORY, hours(rising(31)), started(864_000), warm_up=WarmUp(WARM, NOW)).value == pytest.approx(350)


def test_a_node_whose_clock_is_ahead_is_not_judged_too_early() -> None:
    """By its own clock it will start in an hour: no data until the warm-up is over for certain, and no crash."""
    found = measured(MEMORY, hours(rising(31)), started(-HOUR), warm_up=WarmUp(WARM, NOW))
    told = "its clock is ahead of ours by 3600 s or more: whether the warm-up of 600 s is over is not known"
    assert (found.value, found.reason) == (None, told)
    close = measured(MEMORY, hours(rising(31)), started(-0.3), warm_up=WarmUp(WARM, NOW))
    assert close.reason == "started 0 s ago: the warm-up of 600 s is not over"


def test_a_node_whose_clock_is_behind_is_judged_as_an_old_one() -> None:
    """An hour behind, a process of a minute looks like one of an hour."""
    assert measured(MEMORY, hours(rising(31)), started(HOUR), warm_up=WarmUp(WARM, NOW)).value == pytest.approx(350)


def test_a_start_in_the_window_and_its_warm_up_both_count() -> None:
    """Restarted 15 minutes ago, warm for 10: judged by the last five."""
    memory = hours([9e9] * 16 + [1e9 + 5e8 * min(at, 9) for at in range(15)])
    starts = series(START_TIME, [NOW - 9e5] * 16 + [NOW - 900] * 15, step=60.0)
    assert measured(MEMORY, memory, starts, warm_up=WarmUp(WARM, NOW)).value == 0.0


BREAKDOWN = Breakdown("by_part", "component")


def test_the_parts_of_a_gauge_are_told_by_their_growth() -> None:
    """The fastest first, one that shrinks last; the unnamed is a part, one with too few samples is none."""
    rates = {"cache": 3e6, "bindings": 9e6, "texts": -1e6}
    parts = [series("by_part", [1e9 + rate * at for at in range(9)], component=part) for part, rate in rates.items()]
    parts += [series("by_part", [5e8] * 9), series("by_part", [1.0, 2.0, 3.0], component="new")]
    found = growths(NodeSamples("a", tuple(parts)), BREAKDOWN)
    assert [(each.part, each.value) for each in found] == [
        ("bindings", pytest.approx(32400)),
        ("cache", pytest.approx(10800)),
        ("", 0.0),
        ("texts", pytest.approx(-3600)),
    ]
    assert growths(NodeSamples("a", ()), BREAKDOWN) == ()


def test_the_parts_are_told_since_the_restart_and_after_the_warm_up() -> None:
    """As the whole is."""
    parts = series("by_part", [9e9] * 16 + [1e9 + 5e8 * min(at, 9) for at in range(15)], step=60.0, component="x")
    starts = series(START_TIME, [NOW - 9e5] * 16 + [NOW - 900] * 15, step=60.0)
    (found,) = growths(NodeSamples("a", (parts, starts)), BREAKDOWN, WarmUp(WARM, NOW))
    assert found.value == 0.0


def test_a_part_is_of_its_own_group_and_has_wilsons_interval() -> None:
    """10 of 1000 failed: 1 % (0.544..1.831, by hand of Wilson's formula); the other group does not count."""
    found = measured(
        FAILED,
        series("errors_total", [5.0, 15.0], group="treatment"),
        series("errors_total", [0.0, 99.0], group="control"),
        series("recalls_total", [0.0, 1000.0], group="treatment"),
        series("recalls_total", [0.0, 1000.0], group="control"),
    )
    assert (found.value, found.low, found.high) == pytest.approx((1.0, 0.544, 1.831), abs=1e-3)


def test_a_part_may_be_of_the_counter_itself() -> None:
    """One of four cycles failed."""
    cycles = [series("cycles_total", [0.0, rise], outcome=word) for word, rise in (("failure", 1.0), ("success", 3.0))]
    assert measured(FAILED_CYCLES, *cycles).value == 25.0
    assert FAILED_CYCLES.name == "part(cycles_total{outcome=failure}, cycles_total)"


def test_a_part_of_nothing_or_of_what_is_not_told_is_no_data() -> None:
    """Nobody recalled; or the node does not tell how many failed. Neither is zero."""
    idle = measured(
        FAILED, *(series(name, [5.0, 5.0], group="treatment") for name in ("errors_total", "recalls_total"))
    )
    untold = measured(FAILED_CYCLES, series("cycles_total", [0.0, 3.0], outcome="success"))
    assert (idle.value, untold.value) == (None, None)
    assert "did not rise" in idle.reason
    assert "no cycles_total with outcome failure" in untold.reason


def test_a_part_of_a_group_without_traffic_is_moot_where_others_have_some() -> None:
    """Nobody is treated on that node: not "no data", which would hold for ever."""
    found = measured(
        FAILED,
        *(series(name, [0.0, 0.0], group="treatment") for name in ("errors_total", "recalls_total")),
        *(series(name, [0.0, 9.0], group="control") for name in ("errors_total", "recalls_total")),
    )
    assert (found.value, found.moot) == (None, "there is no traffic with group treatment")


def test_what_is_measured_over_a_length_of_time_forgets_what_was_before() -> None:
    """The last ten seconds, of a hundred; where the samples do not reach back so far, all of them."""
    rate = FORMED.lasting(timedelta(seconds=10))
    burst = series("formed_total", [float(min(at, 50)) for at in range(101)])
    assert (measured(FORMED, burst).value, measured(rate, burst).value) == (pytest.approx(30), 0.0)
    assert measured(FORMED.lasting(timedelta(hours=1)), burst).value == pytest.approx(30)
