"""Watching until what is expected has held long enough."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.nodes import MemoryNodes
from runbook.adapters.memory.probes import MemoryProbes
from runbook.engine.watch import LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS, Watched, watch
from runbook.model.answer import Answer
from runbook.model.measurement import Silence
from runbook.model.metric import Metric
from runbook.model.runbook import Verify
from runbook.model.target import Node
from runbook.ports import ReadPorts

FORMED = Metric("formed_total").per_minute("concepts/min")
VERIFY = Verify(timedelta(minutes=30), (FORMED.settles(1.5, floor=60.0),))
Exposed = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class CountingTalk:
    """The port `Talk`; the progress can be looked at."""

    def __init__(self) -> None:
        self.told: list[tuple[float, float]] = []

    def say(self, text: str) -> None:
        raise AssertionError(text)

    def progress(self, label: str, done: float, total: float) -> None:
        assert label
        self.told.append((done, total))


def watched(
    seconds: float,
    count: Callable[[str, float], float | None],
    nodes: tuple[str, ...] = ("a",),
    verify: Verify = VERIFY,
) -> tuple[Watched, list[float], CountingTalk]:
    """A watch of nodes whose counter is that function of time; with the moments of its looks, and what was told."""
    clock, talk, looks = MemoryClock(), CountingTalk(), []

    def expose(name: str, at: float) -> Exposed | Silence:
        looks.append(at)
        value = count(name, at)
        return Silence(name, "refused") if value is None else {(verify.expect[0].quantity.metric, ()): value}

    ports = ReadPorts(MemoryProbes(clock, expose), MemoryNodes({}), clock, talk)
    found = watch(ports, verify, [Node(name, "") for name in nodes], None, timedelta(seconds=seconds))
    return found, looks, talk


def rate(per_minute: float, at: float) -> float:
    """What a counter of that rate shows then."""
    return per_minute / 60 * at


@pytest.mark.parametrize("seconds", [6, 60, 1800, 7200])
def test_it_is_recovered_as_soon_as_it_has_held_for_a_third(seconds: float) -> None:
    """Not before, and not at the end only."""
    found, looks, _ = watched(seconds, lambda _, at: rate(12, at))
    assert found.answer is Answer.YES
    assert seconds / 3 <= found.seconds <= seconds / 3 + LONGEST_PAUSE_SECONDS
    assert found.held_seconds == pytest.approx(seconds / 3)
    assert looks[0] == 0


def test_a_late_recovery_counts_once_it_has_held() -> None:
    """Bad for 10 of 30 minutes: the last third at that moment must be good."""
    found, _, _ = watched(1800, lambda _, at: rate(400, min(at, 600)) + rate(6, max(at - 600, 0)))
    assert found.answer is Answer.YES
    assert 1100 < found.seconds < 1800


def test_a_flood_that_goes_on_is_not_recovered_when_the_time_is_up() -> None:
    """And it takes the whole time to say so."""
    found, _, _ = watched(60, lambda _, at: rate(400, at))
    assert found.answer is Answer.NO
    assert found.seconds == pytest.approx(60)


def test_one_node_that_does_not_recover_is_enough() -> None:
    """The others do not hide it."""
    found, _, _ = watched(60, lambda name, at: rate(400 if name == "b" else 6, at), ("a", "b", "c"))
    assert found.answer is Answer.NO
    assert [finding.answer for finding in found.findings] == [Answer.YES, Answer.NO, Answer.YES]


def test_a_node_that_falls_silent_leaves_it_open() -> None:
    """Silence is not recovery."""
    found, _, _ = watched(60, lambda name, at: None if name == "b" else rate(6, at), ("a", "b"))
    assert found.answer is Answer.UNKNOWN
    assert "refused" in found.findings[1].arithmetic


def test_a_node_that_comes_back_counts_again() -> None:
    """A restart in the watch: the counter begins at zero, and that is no negative rate."""
    found, _, _ = watched(60, lambda _, at: None if at < 10 else rate(6, at - 10))
    assert found.answer is Answer.YES


def test_a_node_that_leaks_on_under_another_limit_than_its_own_is_not_recovered() -> None:
    """600 MB/h are under 1000; for one that was sick by 500 MB/h over three hours nothing has changed."""
    memory = Metric("resident_bytes").megabytes_per_hour()
    verify = Verify(timedelta(minutes=30), (memory.below(1000.0),), limits={"b": {memory.name: 500.0}})
    found, _, _ = watched(1800, lambda _, at: 1e9 + 600e6 / 3600 * at, ("a", "b"), verify)
    assert [finding.answer for finding in found.findings] == [Answer.YES, Answer.NO]
    assert found.answer is Answer.NO


def test_without_a_node_nothing_is_known() -> None:
    """Nothing was seen, so nothing recovered."""
    found, _, _ = watched(6, lambda _, at: rate(0, at), ())
    assert found.answer is Answer.UNKNOWN


@pytest.mark.parametrize("seconds", [1, 6, 60, 1800])
def test_looks_are_neither_too_many_nor_too_far_apart(seconds: float) -> None:
    """Whatever the length: a node is not flooded with requests, and a slope has its samples."""
    _, looks, talk = watched(seconds, lambda _, at: rate(400, at))
    gaps = [after - before for before, after in pairwise(looks)]
    assert max(gaps) <= LONGEST_PAUSE_SECONDS + 1e-9
    assert min(gaps[:-1]) >= SHORTEST_PAUSE_SECONDS - 1e-9
    assert looks[-1] <= seconds + SHORTEST_PAUSE_SECONDS
    assert talk.told[-1] == (seconds, seconds)
    assert [done for done, _ in talk.told] == sorted(done for done, _ in talk.told)


def test_a_watch_of_no_time_knows_nothing() -> None:
    """One look is no rate."""
    found, looks, _ = watched(0, lambda _, at: rate(6, at))
    assert found.answer is Answer.UNKNOWN
    assert looks == [0]
