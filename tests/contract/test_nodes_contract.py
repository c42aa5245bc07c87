"""The port `Nodes`: one suite, run on the real adapter with real nodes and on the one in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from peers import Peer, closed_port, hang, http
from running_node import RunningNode, StartNode, wait_until

from runbook.adapters.engram import EngramNodes
from runbook.adapters.memory.nodes import MemoryNodes
from runbook.errors import LockedError
from runbook.model.concept import RecentConcept
from runbook.model.measurement import Silence
from runbook.model.settings import Value, defaults
from runbook.model.target import Node
from runbook.ports import Nodes
from runbook.wire import Wire

TTL = timedelta(seconds=30)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SUBJECTS = (
    "The database server restarted after a disk failure",
    "Our canary release of the payment service was rolled back",
    "Customers in Norway cannot log in with their phones",
)
WAYS = ("{0}", "{0} yesterday", "{0} again", "{0} twice")


class Fleet(Protocol):
    """Three nodes that work: `a`, `b`, `c`; one without leases and settings: `old`; two that do not answer."""

    def adapter(self) -> Nodes:
        """A new user of the same nodes."""

    def node(self, name: str) -> Node:
        """How to reach it."""

    def set(self, name: str, key: str, value: float) -> None:
        """Change a setting behind the port's back."""

    def holder(self, name: str) -> str | None:
        """The run that holds the lease of a node."""

    def form(self, name: str, subjects: int) -> None:
        """Let it form at least that many concepts; nothing else is going on there."""


@dataclass
class MemoryFleet:
    """Dictionaries."""

    settings: dict[str, dict[str, Value]] = field(default_factory=lambda: {name: dict(defaults()) for name in "abc"})
    leases: dict[str, tuple[str, str]] = field(default_factory=dict)
    formed: dict[str, tuple[RecentConcept, ...]] = field(default_factory=lambda: dict.fromkeys("abc", ()))

    def adapter(self) -> Nodes:
        """A new user of the same leases."""
        silent = {"refused": "connection refused", "hanging": "timed out: connected, but no answer"}
        return MemoryNodes({**self.settings, "old": {}}, silent, self.leases, {"old"}, self.formed)

    def node(self, name: str) -> Node:
        """Only the name counts."""
        return Node(name, f"http://{name}")

    def set(self, name: str, key: str, value: float) -> None:
        """Change the dictionary."""
        self.settings[name][key] = value

    def holder(self, name: str) -> str | None:
        """Look into the mapping."""
        return self.leases[name][1] if name in self.leases else None

    def form(self, name: str, subjects: int) -> None:
        """One after the other, the newest first."""
        for at in range(subjects):
            formed_at = datetime.now(UTC).isoformat(timespec="microseconds")
            made = RecentConcept(f"{name}{at}", "default", formed_at, 4, 0.9, ("one", "another"))
            self.formed[name] = (made, *self.formed[name])


@dataclass
class RealFleet:
    """Node processes, and peers for what a node process does not do."""

    running: dict[str, RunningNode]
    peers: dict[str, str]

    def adapter(self) -> Nodes:
        """A new client."""
        return EngramNodes(wire=Wire(connect=1.0, read=0.3), sleep=lambda _: None)

    def node(self, name: str) -> Node:
        """Its port on loopback."""
        if name in self.peers:
            return Node(name, self.peers[name])
        return Node(name, self.running[name].url, token_file=self.running[name].token_file)

    def set(self, name: str, key: str, value: float) -> None:
        """As another person would."""
        assert self.running[name].admin("PATCH", "config", {key: value}).status == 200

    def holder(self, name: str) -> str | None:
        """Ask the node itself."""
        lease = self.running[name].admin("GET", "lease").json["lease"]
        return None if lease is None else str(lease["run"])

    def form(self, name: str, subjects: int) -> None:
        """Say each thing in several ways, and wait until they are consolidated."""
        node = self.running[name]
        self.set(name, "dual_memory.concept_sample_rate", 1.0)
        before = _concepts(node)
        for subject in SUBJECTS[:subjects]:
            for way in WAYS:
                assert node.remember(way.format(subject)).status in {200, 201}
        wait_until(lambda: _concepts(node) >= before + subjects, "no concept was formed")
        node.settle()


def _concepts(node: RunningNode) -> float:
    formed = [value for name, value in node.metrics().items() if name.startswith("engram_concepts_formed_total")]
    return sum(formed)


@pytest.fixture(params=["memory", "engram"])
def fleet(request: pytest.FixtureRequest, start_node: StartNode) -> Iterator[Fleet]:
    """The same fleet, twice."""
    if request.param == "memory":
        yield MemoryFleet()
        return
    with Peer(lambda _: http("not here", "404 Not Found")) as old, Peer(lambda _: hang) as hanging:
        places = {"old": old.url, "hanging": hanging.url, "refused": f"http://127.0.0.1:{closed_port()}"}
        yield RealFleet({name: start_node() for name in "abc"}, places)


def nodes_of(fleet: Fleet, *names: str) -> list[Node]:
    """These nodes."""
    return [fleet.node(name) for name in names]


def test_settings_come_typed_and_silence_hides_nobody(fleet: Fleet) -> None:
    """Every node is in the answer, in its setting's type or with the reason why not."""
    fleet.set("b", "dual_memory.concept_sample_rate", 0.05)
    found = fleet.adapter().settings(nodes_of(fleet, "refused", "b", "hanging", "a", "old"))
    assert set(found) == {"refused", "b", "hanging", "a", "old"}
    assert found["a"] == defaults()
    assert found["b"] == defaults() | {"dual_memory.concept_sample_rate": 0.05}
    silent = {name: each.reason for name, each in found.items() if isinstance(each, Silence)}
    assert set(silent) == {"refused", "hanging", "old"}
    assert "refused" in silent["refused"]
    assert "timed out" in silent["hanging"]
    assert "not supported" in silent["old"]


def test_settings_of_no_nodes_are_none(fleet: Fleet) -> None:
    """An empty fleet has no settings."""
    assert fleet.adapter().settings([]) == {}


def test_a_lease_is_held_while_the_context_lasts(fleet: Fleet) -> None:
    """On every node, and given back at the end, whatever ended it."""
    with fleet.adapter().lease(nodes_of(fleet, "c", "a"), "ann@bastion", "run-1", TTL):
        assert [fleet.holder(name) for name in "abc"] == ["run-1", None, "run-1"]
    assert [fleet.holder(name) for name in "abc"] == [None] * 3
    with pytest.raises(KeyError), fleet.adapter().lease(nodes_of(fleet, "a"), "ann@bastion", "run-1", TTL):
        raise KeyError
    assert fleet.holder("a") is None


def test_another_run_is_locked_out_and_gives_back_what_it_took(fleet: Fleet) -> None:
    """The error names node, holder, run and the time left; `a` and `b`, taken before `c`, are free again."""
    with fleet.adapter().lease(nodes_of(fleet, "c"), "ann@bastion", "run-1", TTL):
        with (
            pytest.raises(LockedError) as caught,
            fleet.adapter().lease(nodes_of(fleet, "c", "b", "a"), "bob@laptop", "run-2", TTL),
        ):
            pytest.fail("it must not get in")
        assert "node c is locked by ann@bastion, run run-1" in caught.value.message
        assert "s left" in caught.value.message
        assert caught.value.hint
        assert [fleet.holder(name) for name in "abc"] == [None, None, "run-1"]


def test_the_same_run_may_come_again(fleet: Fleet) -> None:
    """A resumed run is not locked out by itself."""
    with (
        fleet.adapter().lease(nodes_of(fleet, "a"), "ann@bastion", "run-1", TTL),
        fleet.adapter().lease(nodes_of(fleet, "a"), "ann@bastion", "run-1", TTL),
    ):
        assert fleet.holder("a") == "run-1"


def test_nodes_without_leases_and_silent_ones_are_passed_over(fleet: Fleet) -> None:
    """The play will report the silent ones; the others are held all the same."""
    with fleet.adapter().lease(nodes_of(fleet, "refused", "old", "a"), "ann@bastion", "run-1", TTL):
        assert fleet.holder("a") == "run-1"


def test_a_lease_outlives_its_length_while_it_is_needed(start_node: StartNode) -> None:
    """It is renewed in the background; and once its holder is gone, it falls by itself."""
    node = start_node()
    place = Node("a", node.url, token_file=node.token_file)
    with EngramNodes().lease([place], "ann@bastion", "run-1", timedelta(seconds=0.6)):
        seen: list[float] = []

        def renewed_often() -> bool:
            lease = node.admin("GET", "lease").json["lease"]
            assert lease["run"] == "run-1"
            if not seen or lease["expires_in_seconds"] > seen[-1]:
                seen.append(lease["expires_in_seconds"])
            else:
                seen[-1] = lease["expires_in_seconds"]
            return len(seen) > 4

        wait_until(renewed_often, "the lease was not renewed")


def test_recent_concepts_come_newest_first_and_silence_hides_nobody(fleet: Fleet) -> None:
    """What they are made of and how well it holds together; a node without any has none, and that is known."""
    fleet.form("a", 2)
    found = fleet.adapter().concepts(nodes_of(fleet, "refused", "b", "hanging", "a", "old"), LONG_AGO, 20)
    assert set(found) == {"refused", "b", "hanging", "a", "old"}
    assert found["b"] == ()
    formed = found["a"]
    assert not isinstance(formed, Silence)
    assert len(formed) >= 2
    assert len({each.id for each in formed}) == len(formed)
    moments = [datetime.fromisoformat(each.formed_at) for each in formed]
    assert moments == sorted(moments, reverse=True)
    assert all(moment.tzinfo is not None for moment in moments)
    assert all(each.size >= 2 and 0 < each.coherence <= 1 and each.space == "default" and each.texts for each in formed)
    silent = {name: each.reason for name, each in found.items() if isinstance(each, Silence)}
    assert set(silent) == {"refused", "hanging", "old"}
    assert "refused" in silent["refused"]
    assert "timed out" in silent["hanging"]
    assert silent["old"] == "telling of recent concepts is not supported by this node"


def test_recent_concepts_are_those_since_then_and_no_more_than_asked_for(fleet: Fleet) -> None:
    """The newest of them."""
    fleet.form("a", 3)
    nodes, adapter = nodes_of(fleet, "a"), fleet.adapter()
    every = adapter.concepts(nodes, LONG_AGO, 1000)["a"]
    assert not isinstance(every, Silence)
    assert adapter.concepts(nodes, LONG_AGO, 2)["a"] == every[:2]
    middle = datetime.fromisoformat(every[1].formed_at)
    later = tuple(each for each in every if datetime.fromisoformat(each.formed_at) > middle)
    assert adapter.concepts(nodes, middle, 20)["a"] == later
    assert adapter.concepts(nodes, datetime.now(UTC) + timedelta(days=1), 20)["a"] == ()
    assert adapter.concepts([], LONG_AGO, 20) == {}


GARBAGE: list[tuple[object, str]] = [
    (b"<html>", "HTML instead of JSON"),
    (b"", "nothing instead of JSON"),
    ([], "no list of concepts"),
    ({}, "no list of concepts"),
    ({"concepts": {"a": 1}}, "no list of concepts"),
    ({"concepts": None}, "no list of concepts"),
    ({"concepts": [{"size": 3, "coherence": 1e308}, {"size": 3, "coherence": -7}, {}]}, "none of them can be read"),
]


@pytest.mark.parametrize(("body", "reason"), GARBAGE)
def test_an_answer_that_is_no_list_of_concepts_is_silence(body: object, reason: str) -> None:
    """With what it looks like."""
    with Peer(lambda _: http(body)) as peer:
        adapter = EngramNodes(wire=Wire(connect=1.0, read=0.3), sleep=lambda _: None)
        found = adapter.concepts([Node("a", peer.url)], LONG_AGO, 20)["a"]
    assert isinstance(found, Silence)
    assert reason in found.reason


def test_rows_that_are_no_concepts_are_left_out_and_odd_ones_are_told_as_far_as_they_go() -> None:
    """And a node that tells of more than it was asked for is cut short."""
    good = {"id": "c1", "space": "s", "formed_at": "2026-01-01T00:00:00Z", "size": 3, "coherence": 1}
    rows: list[Any] = [
        *(None, 5, "x", [], {}, good | {"size": "3"}, good | {"size": True}, good | {"coherence": None}),
        *(good | {"coherence": "0.5"}, good | {"coherence": False}, good | {"size": 2.5}),
        good
        | {"members": [{"content": "a\u001b[31mb" + "x" * 500}, {"content": 5}, "y", None, *[{"content": "z"}] * 9]},
        good | {"id": None, "space": 7, "formed_at": ["x"], "members": "none"},
        *[good] * 50,
    ]
    with Peer(lambda _: http({"concepts": rows})) as peer:
        found = EngramNodes(wire=Wire(connect=1.0, read=1.0)).concepts([Node("a", peer.url)], LONG_AGO, 20)["a"]
        (request,) = peer.requests
    assert request.path == f"/api/v1/admin/concepts?since={LONG_AGO.timestamp():.6f}&limit=20"
    assert not isinstance(found, Silence)
    first, second, *rest = found
    assert len(first.texts) == 2
    assert len(first.texts[0]) <= 200
    assert first.texts[0].isprintable()
    assert (second.id, second.space, second.texts) == ("", "7", ())
    assert len(rest) == 20 - 11 - 2
    assert {each.coherence for each in rest} == {1.0}
