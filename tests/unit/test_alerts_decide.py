"""May an alert act by itself? Every reason against it, by itself; and the one way in which it may."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from runbook.engine.alerts.decide import AFTER_A_BRAKE, STALE, Before, Cause, decide
from runbook.model.answer import Answer
from runbook.model.configuration import NOTHING, Automatic

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MAY = Automatic(("memory-leak", "high-formation-rate"), most_per_day=2)
PRESENT = {"memory-leak": Answer.YES}
CAUSE = Cause("memory-leak", NOW - MINUTE, ended=False)


def test_what_is_allowed_present_and_meant_is_done() -> None:
    """And it says why."""
    found = decide(MAY, PRESENT, [CAUSE], Before(), NOW)
    assert found.issue == "memory-leak"
    assert "automatic" in found.why


@pytest.mark.parametrize(
    ("automatic", "present", "causes", "began", "why"),
    [
        (NOTHING, PRESENT, [CAUSE], [], "nothing is automatic"),
        (MAY, {}, [CAUSE], [], "does not say"),
        (MAY, {"memory-leak": Answer.NO}, [CAUSE], [], "does not say"),
        (MAY, {"memory-leak": Answer.UNKNOWN}, [CAUSE], [], "does not say"),
        (MAY, {"poor-recall-quality": Answer.YES}, [CAUSE], [], "poor-recall-quality: not among"),
        (MAY, PRESENT, [], [], "no alert means memory-leak"),
        (MAY, PRESENT, [replace(CAUSE, issue="")], [], "no alert means"),
        (MAY, PRESENT, [replace(CAUSE, issue="high-formation-rate")], [], "no alert means"),
        (MAY, PRESENT, [replace(CAUSE, ended=True)], [], "resolved meanwhile"),
        (MAY, PRESENT, [replace(CAUSE, at=NOW - STALE - MINUTE)], [], "more than 30 minutes ago"),
        (MAY, PRESENT, [CAUSE], [NOW - 5 * HOUR, NOW - 3 * HOUR], "most_per_day is 2"),
        (MAY, PRESENT, [CAUSE], [NOW - HOUR + MINUTE], "cool_down ends at 12:01:00"),
        (MAY, PRESENT, [CAUSE], [NOW + HOUR], "cool_down"),
    ],
)
def test_each_reason_against_it_is_enough(
    automatic: Automatic, present: Mapping[str, Answer], causes: Sequence[Cause], began: Sequence[datetime], why: str
) -> None:
    """Nothing is done, and the reason is told."""
    found = decide(automatic, present, causes, Before(began), NOW)
    assert found.issue == ""
    assert why in found.why


def test_the_diagnosis_orders_and_the_alerts_choose() -> None:
    """The first one with the most evidence, of those that an alert means."""
    both = {"high-formation-rate": Answer.YES, "memory-leak": Answer.YES}
    assert decide(MAY, both, [CAUSE], Before(), NOW).issue == "memory-leak"
    causes = [CAUSE, replace(CAUSE, issue="high-formation-rate")]
    assert decide(MAY, both, causes, Before(), NOW).issue == "high-formation-rate"
    stale = [CAUSE, replace(CAUSE, issue="high-formation-rate", at=NOW - HOUR)]
    assert decide(MAY, both, stale, Before(), NOW).issue == "memory-leak"


def test_after_the_cool_down_it_may_again() -> None:
    """To the second."""
    assert decide(MAY, PRESENT, [CAUSE], Before([NOW - HOUR]), NOW).issue == "memory-leak"


def test_a_rollout_that_is_under_way_is_left_to_its_watch() -> None:
    """Whatever else speaks for it."""
    found = decide(MAY, PRESENT, [CAUSE], Before(rollout="r1"), NOW)
    assert (found.issue, "r1 is under way" in found.why) == ("", True)


def test_after_the_emergency_brake_people_are_at_it() -> None:
    """For an hour, to the second; also where a clock was set back meanwhile."""
    for at in (NOW - AFTER_A_BRAKE + timedelta(seconds=1), NOW + MINUTE):
        found = decide(MAY, PRESENT, [CAUSE], Before(braked=at), NOW)
        assert (found.issue, "brake was pulled" in found.why) == ("", True)
    assert decide(MAY, PRESENT, [CAUSE], Before(braked=NOW - AFTER_A_BRAKE), NOW).issue == "memory-leak"


def test_what_is_not_known_is_no_permission() -> None:
    """A journal that cannot be read may hold a rollout, or a brake."""
    found = decide(MAY, PRESENT, [CAUSE], Before(unknown="it is locked"), NOW)
    assert (found.issue, found.why) == ("", "what goes on is not known: it is locked")
