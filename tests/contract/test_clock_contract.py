"""What every `Clock` promises."""

from datetime import UTC, timedelta

import pytest

from runbook.adapters.clock import SystemClock
from runbook.adapters.memory.clock import MemoryClock
from runbook.ports import Clock


@pytest.fixture(params=[SystemClock, MemoryClock])
def clock(request: pytest.FixtureRequest) -> Clock:
    """Time under the test's control."""
    made: Clock = request.param()
    return made


def test_the_wall_time_is_in_utc(clock: Clock) -> None:
    """Journals of machines in several time zones compare."""
    assert clock.now().tzinfo is UTC


def test_a_wait_is_seen_on_the_steady_clock(clock: Clock) -> None:
    """Decisions are made on it."""
    before = clock.monotonic()
    clock.sleep(0.002)
    assert clock.monotonic() - before >= 0.002


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_a_wait_that_is_over_already_is_no_error_and_time_never_goes_back(clock: Clock, seconds: float) -> None:
    """A deadline that has passed is no special case for callers."""
    before = clock.monotonic()
    clock.sleep(seconds)
    assert clock.monotonic() >= before


def test_setting_the_wall_clock_back_does_not_move_the_steady_one() -> None:
    """As in the real world."""
    clock = MemoryClock()
    clock.sleep(5)
    clock.set_wall(clock.now() - timedelta(days=1))
    assert clock.monotonic() == 5
