"""The load generator's arrivals: all spaces alike, at the rate that was asked for."""

from collections import Counter
from itertools import islice

from runbook.sandbox.texts.generate import spaces_of
from runbook.sandbox.traffic import arrivals

NODES = [spaces_of(node, 20) for node in range(3)]


def test_every_space_is_asked_once_in_a_round() -> None:
    """Sixty spaces at fifty a second: each has the same traffic, in an order that changes, on its own node."""
    found = list(islice(arrivals(NODES, 50.0, 0.0), 600))
    rounds = [[each.text.space for each in found[at : at + 60]] for at in range(0, 600, 60)]
    assert all(sorted(each) == sorted(space for spaces in NODES for space in spaces) for each in rounds)
    assert len({tuple(each) for each in rounds}) == 10
    assert all(each.text.space in NODES[each.node] for each in found)


def test_requests_come_at_the_rate_and_most_are_recalls() -> None:
    """Seeded: the same for everyone."""
    found = list(islice(arrivals(NODES, 50.0, 100.0), 6000))
    assert 50.0 * 0.95 < 6000 / (found[-1].due - 100.0) < 50.0 * 1.05
    recalls = Counter(each.query is None for each in found)
    assert 0.08 < recalls[True] / 6000 < 0.12
