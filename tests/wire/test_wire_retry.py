"""Trying again, and asking many at once."""

import threading

import pytest

from runbook.wire import NoReplyError, fan_out, patiently


class Failing:
    """Fails as often as it is told to, then answers."""

    def __init__(self, *failures: NoReplyError) -> None:
        self.failures = list(failures)
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def test_what_may_pass_is_tried_three_times_and_each_retry_is_said() -> None:
    """Short waits, with a jitter."""
    ask, said, slept = Failing(*[NoReplyError("HTTP 503: busy", again=True)] * 2), [], []
    assert patiently("node1", ask, said.append, slept.append) == "answer"
    assert [text.split(" in ")[0] for text in said] == [
        "node1: HTTP 503: busy; try 2 of 3",
        "node1: HTTP 503: busy; try 3 of 3",
    ]
    assert all(0.1 <= seconds <= 0.5 for seconds in slept)


def test_the_third_failure_is_the_last() -> None:
    """And it is the one that is raised."""
    ask = Failing(*[NoReplyError(str(number), again=True) for number in range(5)])
    with pytest.raises(NoReplyError, match="2"):
        patiently("node1", ask, lambda _: None, lambda _: None)
    assert ask.asked == 3


def test_what_will_not_pass_is_not_tried_again() -> None:
    """A wrong token stays wrong."""
    ask = Failing(NoReplyError("HTTP 401"))
    with pytest.raises(NoReplyError):
        patiently("node1", ask, lambda _: None, lambda _: None)
    assert ask.asked == 1


@pytest.mark.parametrize(("asked_for", "waited"), [(2.0, 2.0), (3600.0, 5.0)])
def test_a_peer_is_left_alone_as_long_as_it_asks_within_reason(asked_for: float, waited: float) -> None:
    """Retry-After is honoured, up to five seconds."""
    slept: list[float] = []
    patiently("node1", Failing(NoReplyError("busy", again=True, after=asked_for)), lambda _: None, slept.append)
    assert slept == [waited]


def test_many_are_asked_at_once_and_come_back_in_order() -> None:
    """Thirty at a time: the barrier opens only when all of them are there."""
    barrier = threading.Barrier(30, timeout=20)

    def ask(number: int) -> int:
        barrier.wait()
        return number * 2

    assert fan_out(range(30), ask) == [number * 2 for number in range(30)]
    assert fan_out([], ask) == []


def test_an_error_reaches_the_caller() -> None:
    """A refusal in a thread is a refusal."""

    def ask(number: int) -> int:
        if number == 3:
            raise KeyError(number)
        return number

    with pytest.raises(KeyError):
        fan_out(range(100), ask)
