"""From measurements to answers, and the arithmetic that a person can check by hand."""

import math
import re
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as some

from runbook.engine.evaluate import allowing, check_setting, evaluate, moves
from runbook.engine.figures import figure
from runbook.model.answer import Answer
from runbook.model.finding import Finding
from runbook.model.measurement import Measurement
from runbook.model.metric import Metric
from runbook.model.quantity import Above, BelowBaseline, Measured
from runbook.model.runbook import Check, Move
from runbook.model.settings import Value

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
FORMED = Metric("formed_total").per_minute("concepts/min")
MEMORY = Metric("resident").megabytes_per_hour()
SPIKE = FORMED.above_baseline(3.0, floor=60.0, ceiling=5000 / 60)
OPEN = FORMED.above_baseline(3.0, floor=60.0)
BACK = FORMED.settles(1.5, floor=60.0)
GROWS, CALM = MEMORY.above(500.0), MEMORY.below(500.0)
SURE = Metric("sure").mean("mean")
LOWER, REGAINED = SURE.below_baseline(0.9, bottom=0.3), SURE.regains(0.95, bottom=0.3)
NUMBER = r"-?[0-9.]+(?:e[+-][0-9]+)?"
positive = some.floats(1e-3, 1e9)


def asked(
    condition: Measured,
    value: float | None,
    baseline: float | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Finding:
    """The answer to one condition for one value."""
    measured = Measurement("a", "q", value, "refused" if value is None else "", low, high)
    return evaluate("Is it?", condition, measured, baseline, "test")


@pytest.mark.parametrize(
    ("value", "baseline", "answer"),
    [
        (60.0, None, NO),
        (60.1, None, YES),
        (60.1, 0.0, YES),  # a baseline of zero judges nobody
        (60.1, 1.0, YES),  # the floor holds where three times nothing is nothing
        (59.0, 1.0, NO),
        (72.0, 25.0, NO),
        (76.0, 25.0, YES),
        (83.0, 100.0, NO),
        (84.0, 100.0, YES),  # above 5000/h, though under three times the baseline
        (0.0, None, NO),
        (84.0, math.nan, YES),
        (70.0, math.nan, YES),  # a baseline that is no number is none
        (70.0, math.inf, YES),
        (50.0, -10.0, NO),
    ],
)
def test_a_spike_is_above_three_times_the_baseline_or_above_the_ceiling(
    value: float, baseline: float | None, answer: Answer
) -> None:
    """max(3 x baseline, 60/min), or 5000/h."""
    assert asked(SPIKE, value, baseline).answer is answer


@pytest.mark.parametrize(
    ("value", "baseline", "answer"),
    [(60.0, None, YES), (61.0, None, NO), (61.0, 0.0, NO), (150.0, 100.0, YES), (151.0, 100.0, NO), (60.0, 1.0, YES)],
)
def test_it_is_settled_at_or_under_its_limit(value: float, baseline: float | None, answer: Answer) -> None:
    """max(1.5 x baseline, 60/min)."""
    assert asked(BACK, value, baseline).answer is answer


def test_with_nothing_to_compare_with_nothing_is_settled() -> None:
    """Neither baseline nor floor nor ceiling: not "above zero", but not known."""
    bare = FORMED.settles(1.5, floor=0.0)
    assert [asked(bare, 60.0, baseline).answer for baseline in (None, 0.0, 40.0)] == [UNKNOWN, UNKNOWN, YES]


@pytest.mark.parametrize(
    ("low", "high", "above", "below"),
    [
        (501.0, 900.0, YES, NO),
        (500.0, 900.0, UNKNOWN, NO),
        (400.0, 600.0, UNKNOWN, UNKNOWN),
        (100.0, 500.0, NO, UNKNOWN),
        (100.0, 499.0, NO, YES),
        (-900.0, -100.0, NO, YES),
        (-1e9, 1e9, UNKNOWN, UNKNOWN),
        (-math.inf, math.inf, UNKNOWN, UNKNOWN),
        (math.nan, math.nan, UNKNOWN, UNKNOWN),
    ],
)
def test_a_limit_is_settled_by_the_whole_interval(low: float, high: float, above: Answer, below: Answer) -> None:
    """Else it is not known."""
    middle = (low + high) / 2 if math.isfinite(low + high) else 0.0
    assert asked(GROWS, middle, low=low, high=high).answer is above
    assert asked(CALM, middle, low=low, high=high).answer is below


def test_without_an_interval_the_value_decides() -> None:
    """A gauge as it is."""
    assert asked(GROWS, 501.0).answer is YES
    assert asked(GROWS, 500.0).answer is NO
    assert asked(CALM, 499.0).answer is YES
    assert asked(CALM, 500.0).answer is NO


@pytest.mark.parametrize("condition", [SPIKE, OPEN, BACK, GROWS, CALM, LOWER, REGAINED])
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("baseline", [None, 0.0, 10.0, math.nan])
def test_no_number_is_no_answer(condition: Measured, value: float | None, baseline: float | None) -> None:
    """Never NO, never zero; and the reason stands where the arithmetic would."""
    found = asked(condition, value, baseline)
    assert found.answer is UNKNOWN
    assert found.arithmetic.startswith("no data: ")
    assert (found.value, found.limit) == (None, None)


@given(positive, some.none() | positive | some.just(0.0), some.sampled_from([SPIKE, OPEN, BACK]))
@example(60.0000001, None, SPIKE)
@example(288.4, 96.1, SPIKE)
@example(60.04, None, BACK)
@example(83.33334, 100.0, SPIKE)
def test_the_arithmetic_of_a_comparison_is_true_as_it_is_written(
    value: float, baseline: float | None, condition: Measured
) -> None:
    """A person who multiplies what stands there comes to the same answer, rounding and all."""
    found = asked(condition, value, baseline)
    text = found.arithmetic
    said = re.match(rf"({NUMBER}) concepts/min (<=|>) ({NUMBER})(?: x baseline ({NUMBER}))?", text)
    assert said, text
    left, right = float(said[1]), float(said[3]) * float(said[4] or 1)
    assert (left > right) == (said[2] == ">"), text
    assert left == pytest.approx(value, rel=0.01)
    assert found.limit == pytest.approx(right, rel=0.02)
    positive_sign = ">" if condition is not BACK else "<="
    assert (said[2] == positive_sign) == (found.answer is YES)


@given(some.floats(-1e5, 1e5), some.floats(0, 1e5), some.floats(0, 1e5), some.sampled_from([GROWS, CALM]))
@example(500.2, 0.1, 0.1, GROWS)
@example(499.8, 0.1, 0.1, CALM)
def test_the_arithmetic_of_an_interval_is_true_as_it_is_written(
    value: float, down: float, up: float, condition: Measured
) -> None:
    """Both ends on the side of the limit that it says, rounding and all."""
    found = asked(condition, value, low=value - down, high=value + up)
    text = found.arithmetic
    said = re.match(rf"({NUMBER}) MB/h \(({NUMBER})\.\.({NUMBER})\)(.*?)({NUMBER})$", text)
    assert said, text
    low, high, limit = float(said[2]), float(said[3]), float(said[5])
    above = isinstance(condition, Above)
    assert limit == 500
    assert found.answer is not (YES if above else NO) or (low > limit if above else low >= limit), text
    assert found.answer is not (NO if above else YES) or (high <= limit if above else high < limit), text
    assert found.answer is not UNKNOWN or low <= limit <= high, text


@given(some.floats(-1e300, 1e300) | some.sampled_from([math.inf, -math.inf]))
def test_a_figure_is_the_number_to_three_digits(value: float) -> None:
    """And never a crash."""
    shown = float(figure(value))
    assert shown == value or math.isclose(shown, value, rel_tol=0.00501)


CHECK = Check("Too low", "key", 0.65, Move.RAISE, "hint")


@pytest.mark.parametrize(
    ("move", "value", "baseline", "answer", "arithmetic"),
    [
        (Move.RAISE, 0.2, None, YES, "key = 0.2 < default 0.65"),
        (Move.RAISE, 0.65, None, NO, "key = 0.65 >= default 0.65"),
        (Move.RAISE, 0.9, None, NO, "key = 0.9 >= default 0.65"),
        (Move.RAISE, 0.7, 0.8, YES, "key = 0.7 < baseline 0.8"),
        (Move.LOWER, 0.7, None, YES, "key = 0.7 > default 0.65"),
        (Move.LOWER, 0.2, 0.1, YES, "key = 0.2 > baseline 0.1"),
        (Move.LOWER, 0.1, 0.1, NO, "key = 0.1 <= baseline 0.1"),
        (Move.SET, 0.7, 0.7, NO, "key = 0.7 = baseline 0.7"),
        (Move.SET, "x", "y", YES, "key = x != baseline y"),
        (Move.SET, False, True, YES, "key = false != baseline true"),
        (Move.SET, ("a",), ("a",), NO, "key = a = baseline a"),
        (Move.RAISE, None, None, UNKNOWN, "key could not be read"),
    ],
)
def test_a_setting_is_compared_with_the_baseline_or_else_the_default(
    move: Move, value: Value | None, baseline: Value | None, answer: Answer, arithmetic: str
) -> None:
    """In the direction that matters only."""
    found = check_setting(replace(CHECK, move=move), "a", value, baseline, "node")
    assert (found.answer, found.arithmetic) == (answer, arithmetic)


@given(some.floats(allow_nan=False), some.floats(allow_nan=False))
def test_a_move_goes_one_way_only(old: float, new: float) -> None:
    """What would be raised one way would be lowered the other, and never both."""
    assert moves(Move.RAISE, old, new) == moves(Move.LOWER, new, old)
    assert not (moves(Move.RAISE, old, new) and moves(Move.LOWER, old, new))
    assert moves(Move.SET, old, new) == (old != new)


@pytest.mark.parametrize(("old", "new"), [(True, 1), (False, 0), (1, True), (0.0, False)])
def test_a_boolean_is_not_the_number_that_it_equals(old: Value, new: Value) -> None:
    """Python says that True == 1; a node does not."""
    assert moves(Move.SET, old, new)


@given(some.floats(1, 1e6))
def test_a_zero_baseline_counts_as_none_but_is_said(value: float) -> None:
    """Only the absolute limits count."""
    assume(value != 60)
    with_zero, without = asked(OPEN, value, 0.0), asked(OPEN, value, None)
    assert (with_zero.answer, with_zero.limit) == (without.answer, without.limit)
    assert "baseline 0" in with_zero.arithmetic
    assert "no baseline" in without.arithmetic


def test_what_is_above_the_ceiling_has_not_settled_whatever_the_baseline() -> None:
    """Else a fleet that always forms many concepts would count as recovered while the symptom still says YES."""
    quantity = Metric("formed_total").per_minute("concepts/min")
    condition = quantity.settles(1.5, floor=60.0, ceiling=83.0)
    measured = Measurement("node-1", quantity.name, 100.0)
    found = evaluate("is back", condition, measured, 80.0, "scrape")
    assert found.answer is Answer.NO
    assert found.arithmetic == "100 concepts/min > 83.0, the ceiling"


@pytest.mark.parametrize(
    ("value", "baseline", "lower", "regained"),
    [
        (0.53, 0.6, YES, NO),
        (0.54, 0.6, NO, NO),  # between the two limits neither: that keeps it from flickering
        (0.569, 0.6, NO, NO),
        (0.57, 0.6, NO, YES),
        (0.9, 0.6, NO, YES),
        (0.29, None, YES, NO),
        (0.3, None, NO, YES),
        (0.29, 0.0, YES, NO),
        (0.31, 0.32, NO, YES),  # 0.9 x 0.32 is under the bottom, which holds
        (0.29, 0.3, YES, NO),
        (0.2, math.nan, YES, NO),
        (0.4, math.inf, NO, YES),
        (0.4, -1.0, NO, YES),
    ],
)
def test_it_is_lower_or_regained_by_the_baseline_or_by_the_bottom(
    value: float, baseline: float | None, lower: Answer, regained: Answer
) -> None:
    """max(0.9 x baseline, 0.3), and max(0.95 x baseline, 0.3) for the way back."""
    assert asked(LOWER, value, baseline).answer is lower
    assert asked(REGAINED, value, baseline).answer is regained


@pytest.mark.parametrize(
    ("low", "high", "lower", "arithmetic"),
    [
        (0.4, 0.53, YES, "0.500 mean (0.400..0.530), all under 0.9 x baseline 0.600"),
        (0.4, 0.54, UNKNOWN, "0.500 mean (0.400..0.540) does not settle 0.9 x baseline 0.600"),
        (0.54, 0.6, NO, "0.500 mean (0.540..0.600), all at or above 0.9 x baseline 0.600"),
        (0.53, 0.6, UNKNOWN, "0.500 mean (0.530..0.600) does not settle 0.9 x baseline 0.600"),
        (0.5399999, 0.6, UNKNOWN, None),
        (0.4, 0.5399999, YES, None),
        (-math.inf, math.inf, UNKNOWN, None),
        (math.nan, math.nan, UNKNOWN, None),
    ],
)
def test_a_mean_is_lower_or_regained_with_its_whole_interval(
    low: float, high: float, lower: Answer, arithmetic: str | None
) -> None:
    """The two questions at the same limit are each other's opposite, and not known at the same time."""
    regained = {YES: NO, NO: YES, UNKNOWN: UNKNOWN}[lower]
    down = asked(SURE.below_baseline(0.9), 0.5, 0.6, low, high)
    back = asked(SURE.regains(0.9), 0.5, 0.6, low, high)
    assert (down.answer, back.answer) == (lower, regained)
    assert down.arithmetic == back.arithmetic == (arithmetic or down.arithmetic)
    assert down.limit == back.limit == pytest.approx(0.54)


def test_the_bottom_is_held_against_the_whole_interval_too() -> None:
    """And it is said which of the two it was."""
    found = asked(LOWER, 0.29, None, 0.28, 0.31)
    told = "0.290 mean (0.280..0.310) does not settle 0.300 (no baseline: the absolute limit)"
    assert (found.answer, found.arithmetic) == (UNKNOWN, told)
    found = asked(LOWER, 0.25, 0.3, 0.2, 0.29)
    assert found.arithmetic == "0.250 mean (0.200..0.290), all under 0.300 (the floor; 0.9 x baseline 0.300)"


@pytest.mark.parametrize("condition", [LOWER, REGAINED, CALM, GROWS])
def test_an_interval_that_is_endless_for_a_reason_is_told_with_the_reason(condition: Measured) -> None:
    """With the value and the limit, so that it is looked on."""
    reason = "22 and 54 in the groups, 30 in each are needed"
    measured = Measurement("a", "q", 0.914, reason, -math.inf, math.inf)
    found = evaluate("Is it?", condition, measured, 0.6, "test")
    assert found.answer is UNKNOWN
    assert found.arithmetic == f"0.914 {condition.quantity.unit} settles nothing: {reason}"
    assert found.value == 0.914
    assert found.limit is not None


@given(
    some.floats(-1e3, 1e3),
    some.floats(0, 1e3),
    some.floats(0, 1e3),
    some.none() | some.floats(1e-3, 1e3) | some.just(0.0),
    some.sampled_from([LOWER, REGAINED]),
)
@example(0.5, 0.1, 0.0399999, 0.6, LOWER)
@example(0.6, 0.0600001, 0.1, 0.6, LOWER)
@example(0.6, 0.0299999, 0.1, 0.6, REGAINED)
@example(0.3, 0.0, 0.0, None, REGAINED)
def test_the_arithmetic_of_an_interval_against_a_baseline_is_true_as_it_is_written(
    value: float, down: float, up: float, baseline: float | None, condition: Measured
) -> None:
    """Both ends on the side of the product that it says, rounding and all."""
    found = asked(condition, value, baseline, value - down, value + up)
    text = found.arithmetic
    words = "does not settle|, all under|, all at or above"
    said = re.match(
        rf"({NUMBER}) mean \(({NUMBER})\.\.({NUMBER})\) ?({words}) ({NUMBER})(?: x baseline ({NUMBER}))?", text
    )
    assert said, text
    low, high, limit = float(said[2]), float(said[3]), float(said[5]) * float(said[6] or 1)
    assert {", all under": high < limit, ", all at or above": low >= limit, "does not settle": low < limit <= high}[
        said[4]
    ], text
    under, over = (YES, NO) if isinstance(condition, BelowBaseline) else (NO, YES)
    assert found.answer is {", all under": under, ", all at or above": over, "does not settle": UNKNOWN}[said[4]]
    assert found.limit == pytest.approx(limit, rel=0.02)


@given(positive, some.none() | positive | some.just(0.0), some.sampled_from([LOWER, REGAINED]))
@example(0.2999999, None, LOWER)
@example(0.54, 0.6, LOWER)
@example(0.5699999, 0.6, REGAINED)
def test_the_arithmetic_of_what_must_not_be_low_is_true_as_it_is_written(
    value: float, baseline: float | None, condition: Measured
) -> None:
    """By hand, rounding and all."""
    found = asked(condition, value, baseline)
    text = found.arithmetic
    said = re.match(rf"({NUMBER}) mean (<|>=) ({NUMBER})(?: x baseline ({NUMBER}))?", text)
    assert said, text
    left, right = float(said[1]), float(said[3]) * float(said[4] or 1)
    assert (left < right) == (said[2] == "<"), text
    assert left == pytest.approx(value, rel=0.01)
    assert found.limit == pytest.approx(right, rel=0.02)
    assert (said[2] == ("<" if condition is LOWER else ">=")) == (found.answer is YES)


@given(some.floats(-1e6, 1e6), some.none() | some.floats(-1e6, 1e6))
def test_it_is_never_both_lower_and_regained(value: float, baseline: float | None) -> None:
    """The way back is not shorter than the way down."""
    assert {asked(LOWER, value, baseline).answer, asked(REGAINED, value, baseline).answer} != {YES}


@pytest.mark.parametrize("condition", [SPIKE, OPEN, BACK, GROWS, CALM, LOWER, REGAINED])
def test_a_question_that_does_not_arise_is_answered_no_with_the_reason(condition: Measured) -> None:
    """Nobody is in the experiment: that is no doubt about it, and there is no number."""
    measured = Measurement("a", "q", None, moot="there is no traffic with group control to compare with")
    found = evaluate("Is it?", condition, measured, 10.0, "test")
    assert (found.answer, found.arithmetic, found.value, found.limit) == (NO, measured.moot, None, None)


@pytest.mark.parametrize("condition", [SURE.below_baseline(0.9), SURE.regains(0.95)])
@pytest.mark.parametrize("baseline", [None, 0.0, math.nan, math.inf])
def test_without_a_baseline_and_without_a_bottom_there_is_nothing_to_compare_with(
    condition: Measured, baseline: float | None
) -> None:
    """Neither lower nor regained; the value is told all the same."""
    found = asked(condition, 0.56, baseline)
    assert (found.answer, found.value, found.limit) == (UNKNOWN, 0.56, None)
    assert found.arithmetic == "0.560 mean, and no baseline to compare with"


def test_with_a_baseline_a_bottom_is_not_needed() -> None:
    """It alone judges."""
    assert asked(SURE.below_baseline(0.9), 0.53, 0.6).arithmetic == "0.530 mean < 0.9 x baseline 0.600"
    assert asked(SURE.regains(0.95), 0.57, 0.6).answer is YES


def test_a_limit_that_is_the_baseline_itself_is_called_so() -> None:
    """Else two bare numbers would stand there."""
    ooms = Metric("ooms").last("OOM restarts").above_baseline(1.0)
    assert asked(ooms, 3.0, 2.0).arithmetic == "3.00 OOM restarts > 2.00 (the baseline)"
    assert asked(ooms, 2.0, 2.0).answer is NO
    assert asked(ooms, 1.0, None).arithmetic == "1.00 OOM restarts > 0 (no baseline: the absolute limit)"
    assert asked(ooms, 0.0, 0.0).answer is NO


def test_an_interval_allows_for_a_baseline_that_is_not_exact_itself() -> None:
    """Errors of two measurements add in squares; what has no interval is left as it is."""
    measured = Measurement("a", "q", 0.40, low=0.37, high=0.43)
    wider = allowing(measured, 0.04)
    assert (wider.low, wider.high) == (pytest.approx(0.35), pytest.approx(0.45))
    assert allowing(measured, 0.0) is measured
    assert allowing(Measurement("a", "q", 0.4), 0.04) == Measurement("a", "q", 0.4)
    condition = SURE.below_baseline(0.9)
    assert evaluate("Is it?", condition, measured, 0.49, "test").answer is YES
    assert evaluate("Is it?", condition, wider, 0.49, "test").answer is UNKNOWN
