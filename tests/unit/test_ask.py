"""One symptom put to one node: what only lasts, and what only people know."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from runbook.engine.ask import ask
from runbook.model.answer import Answer
from runbook.model.finding import Finding
from runbook.model.measurement import Measurement
from runbook.model.metric import Metric
from runbook.model.quantity import Quantity, Reported, Sustained
from runbook.model.runbook import Symptom

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN
MEMORY = Metric("resident").megabytes_per_hour()
OVER_3, OVER_6 = (MEMORY.lasting(timedelta(hours=hours)) for hours in (3, 6))
GROWS = Symptom("Memory grows", Sustained((MEMORY.above(1000.0), OVER_3.above(500.0), OVER_6.above(200.0))))
COMPLAINTS = Symptom("Users complain", Reported("complaints", "complaints", 3))

Ends = tuple[float, float] | None
"""The interval of a quantity; None is no data."""


def asked(first: Ends, over_3: Ends = None, over_6: Ends = None) -> Finding:
    """The answer for these intervals of the three lengths."""
    ends = {MEMORY: first, OVER_3: over_3, OVER_6: over_6}

    def measure(quantity: Quantity) -> Measurement:
        found = ends[quantity]
        if found is None:
            return Measurement("a", quantity.name, None, "too short")
        return Measurement("a", quantity.name, sum(found) / 2, low=found[0], high=found[1])

    def recorded(_: Quantity) -> float | None:
        return None

    return ask(GROWS, "a", measure, recorded, {}, "test")


CALM, UNSURE, FAST = (-5.0, 5.0), (-3000.0, 3000.0), (1200.0, 1400.0)


@pytest.mark.parametrize(
    ("first", "over_3", "over_6", "answer"),
    [
        (FAST, None, None, YES),
        (CALM, None, None, NO),
        (UNSURE, None, None, UNKNOWN),
        (None, None, None, UNKNOWN),
        (CALM, CALM, CALM, NO),
        (CALM, (510.0, 520.0), CALM, YES),
        (CALM, (490.0, 500.0), (210.0, 220.0), YES),
        (CALM, (490.0, 510.0), CALM, UNKNOWN),
        (CALM, CALM, (190.0, 210.0), UNKNOWN),
        (UNSURE, CALM, CALM, UNKNOWN),
        (UNSURE, CALM, (210.0, 220.0), YES),
        (None, CALM, CALM, UNKNOWN),
        (None, (510.0, 520.0), None, YES),
        (FAST, CALM, CALM, YES),
        (CALM, None, (210.0, 220.0), YES),
        ((600.0, 700.0), None, None, NO),  # over 500, but not yet for three hours
    ],
)
def test_it_lasts_where_one_length_of_time_says_so(first: Ends, over_3: Ends, over_6: Ends, answer: Answer) -> None:
    """Else it is unknown where one is; lengths that the samples do not reach back for are not asked, the first is."""
    assert asked(first, over_3, over_6).answer is answer


def test_every_length_that_was_asked_stands_in_the_arithmetic() -> None:
    """With its own interval and limit; what was not asked does not."""
    found = asked(CALM, (510.0, 520.0), (210.0, 220.0))
    first, second, third = found.arithmetic.split("; ")
    assert first == "0 MB/h (-5.00..5.00), all at or under 1000"
    assert second == "over 3 h 515 MB/h (510..520), all above 500"
    assert third == "over 6 h 215 MB/h (210..220), all above 200"
    assert (found.value, found.limit) == (215.0, 200.0), "the strictest part that says it"
    assert asked(FAST, (510.0, 520.0), CALM).limit == 500.0
    assert asked(FAST, CALM, CALM).limit == 1000.0
    assert asked(CALM, CALM, CALM).limit == 1000.0
    assert asked(CALM).arithmetic == first
    assert asked(None).arithmetic == "no data: too short"


@pytest.mark.parametrize(
    ("said", "answer", "arithmetic"),
    [
        ({}, UNKNOWN, "only people know: say it with --complaints N"),
        ({"others": 9}, UNKNOWN, "only people know: say it with --complaints N"),
        ({"complaints": 0}, NO, "0 complaints < 3 (--complaints)"),
        ({"complaints": 2}, NO, "2 complaints < 3 (--complaints)"),
        ({"complaints": 3}, YES, "3 complaints >= 3 (--complaints)"),
        ({"complaints": 10**9}, YES, "1000000000 complaints >= 3 (--complaints)"),
    ],
)
def test_what_only_people_know_is_unknown_until_they_say_it(
    said: Mapping[str, int], answer: Answer, arithmetic: str
) -> None:
    """Nothing is measured for it, and zero said is not nothing said."""

    def measure(quantity: Quantity) -> Measurement:
        raise AssertionError(quantity)

    found = ask(COMPLAINTS, "a", measure, lambda _: None, said, "test")
    assert (found.answer, found.arithmetic, found.source) == (answer, arithmetic, "person")
    assert found.question == "Users complain"
    assert (found.value is None) == (answer is UNKNOWN)


def test_any_other_condition_is_compared_with_its_own_baseline() -> None:
    """The same quantity, now and when the node was well."""
    rate = Metric("formed").per_minute("/min")
    found = ask(
        Symptom("Spikes", rate.above_baseline(3.0)),
        "a",
        lambda quantity: Measurement("a", quantity.name, 31.0),
        lambda quantity: 10.0 if quantity == rate else None,
        {},
        "test",
    )
    assert (found.answer, found.arithmetic) == (YES, "31.0 /min > 3 x baseline 10.0")
