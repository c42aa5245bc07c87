"""The port `Probes`: one suite, run on the scraper, on a real Prometheus and on the one in memory."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Protocol

import pytest
from peers import Peer, Request, hang, http
from prometheus_server import prometheus
from running_node import wait_until

from runbook.adapters.clock import SystemClock
from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.probes import Exposed, MemoryProbes
from runbook.adapters.prometheus import PrometheusProbes
from runbook.adapters.scrape import ScrapeProbes
from runbook.model.measurement import NodeSamples, Samples, Silence
from runbook.model.target import Node
from runbook.ports import Probes
from runbook.wire import Wire

NAMES = ("formed_total", "memory_bytes")
FORMED = ("formed_total", (("space", "x"),))
MEMORY = ("memory_bytes", ())
OTHER = ("other", ())
WINDOW = timedelta(seconds=60)


class World(Protocol):
    """Three nodes, `a`, `b` and `c`, that show what they are told to show."""

    probes: Probes
    nodes: tuple[Node, ...]
    shown: dict[str, Exposed]
    dead: set[str]

    def observe(self) -> None:
        """See to it that the source has read every living node as it is now."""


def nothing() -> dict[str, Exposed]:
    """What three healthy nodes show at first."""
    return {name: {FORMED: 1.0, MEMORY: 100.0, OTHER: 7.0} for name in "abc"}


@dataclass
class MemoryWorld:
    """Functions of time."""

    shown: dict[str, Exposed] = field(default_factory=nothing)
    dead: set[str] = field(default_factory=set)
    nodes: tuple[Node, ...] = tuple(Node(name, f"http://{name}") for name in "abc")

    def __post_init__(self) -> None:
        self.clock = MemoryClock()
        self.probes: Probes = MemoryProbes(self.clock, self._show)

    def observe(self) -> None:
        """A second goes by before each look."""
        self.clock.sleep(1)
        self.probes.observe(self.nodes, NAMES)

    def _show(self, name: str, _: float) -> Exposed | Silence:
        return Silence(name, "connection refused") if name in self.dead else self.shown[name]


@dataclass
class Exposing:
    """Peers that expose `shown` as Prometheus text; the dead ones hang."""

    shown: dict[str, Exposed] = field(default_factory=nothing)
    dead: set[str] = field(default_factory=set)

    def peer(self, name: str) -> Peer:
        """The peer of that node."""

        def answer(_: Request) -> object:
            return hang if name in self.dead else http(text_of(self.shown[name]), Content_Type="text/plain")

        return Peer(answer)  # type: ignore[arg-type]  # what http() and hang are


def text_of(shown: Exposed) -> str:
    """The exposition of these series."""
    lines = ["# TYPE formed_total counter"]
    for (name, labels), value in shown.items():
        inner = ",".join(f'{key}="{each}"' for key, each in labels)
        lines.append(f"{name}{{{inner}}} {value}" if inner else f"{name} {value}")
    return "\n".join(lines) + "\n"


@dataclass
class ScrapedWorld:
    """Peers, read directly."""

    exposing: Exposing
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        self.shown, self.dead = self.exposing.shown, self.exposing.dead
        self.probes: Probes = ScrapeProbes(SystemClock(), wire=Wire(read=0.5), patience=5.0)

    def observe(self) -> None:
        """One look."""
        self.probes.observe(self.nodes, NAMES)


@dataclass
class PrometheusWorld:
    """Peers, read by Prometheus: `a` is known by its instance, `b` and `c` by their label `node`."""

    exposing: Exposing
    nodes: tuple[Node, ...]
    peers: dict[str, Peer]
    url: str

    def __post_init__(self) -> None:
        self.shown, self.dead = self.exposing.shown, self.exposing.dead
        self.probes: Probes = PrometheusProbes(self.url)

    def observe(self) -> None:
        """Wait until each living peer was read once and asked again, and each dead one was given up."""
        self.probes.observe(self.nodes, NAMES)
        begin = {name: len(peer.requests) for name, peer in self.peers.items()}
        wait_until(
            lambda: all(len(peer.requests) > begin[name] + 2 for name, peer in self.peers.items()),
            "prometheus did not scrape",
        )


@pytest.fixture
def exposed() -> Iterator[tuple[Exposing, dict[str, Peer]]]:
    """Peers of three nodes."""
    with exposing_peers() as found:
        yield found


@contextmanager
def exposing_peers() -> Iterator[tuple[Exposing, dict[str, Peer]]]:
    """Peers of three nodes, and what decides what they show."""
    exposing = Exposing()
    with exposing.peer("a") as a, exposing.peer("b") as b, exposing.peer("c") as c:
        yield exposing, {"a": a, "b": b, "c": c}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusWorld]:
    """A Prometheus for all tests: it takes five seconds until it scrapes for the first time."""
    with exposing_peers() as (exposing, peers):
        places = {name: [f"127.0.0.1:{peer.port}"] for name, peer in peers.items()}
        static = [{"targets": places["a"]}] + [
            {"targets": places[name], "labels": {"node": name, "instance": "behind-a-proxy"}} for name in "bc"
        ]
        jobs = [{"job_name": "engram", "static_configs": static}]
        nodes = tuple(Node(name, peer.url) for name, peer in peers.items())
        with prometheus(tmp_path_factory.mktemp("prometheus"), jobs, interval="200ms") as url:
            yield PrometheusWorld(exposing, nodes, peers, url)


@pytest.fixture(params=["memory", "scrape", "prometheus"])
def world(request: pytest.FixtureRequest) -> World:
    """The same three nodes, three times; a Prometheus remembers the tests before."""
    if request.param == "memory":
        return MemoryWorld()
    if request.param == "scrape":
        exposing, peers = request.getfixturevalue("exposed")
        return ScrapedWorld(exposing, tuple(Node(name, peer.url) for name, peer in peers.items()))
    world: PrometheusWorld = request.getfixturevalue("watched")
    world.dead.clear()
    world.shown.update(nothing())
    world.observe()
    return world


def read(world: World, names: tuple[str, ...] = NAMES, window: timedelta = WINDOW) -> Samples:
    """What the source knows."""
    return world.probes.samples(world.nodes, names, window)


def newest(found: NodeSamples | Silence) -> dict[object, float]:
    """The last value of each series."""
    assert isinstance(found, NodeSamples), found
    return {(series.name, series.labels): series.samples[-1].value for series in found.series}


def eventually(world: World, condition: Callable[[Samples], bool], what: str) -> Samples:
    """Observe until the source knows of it."""

    def look() -> Samples | None:
        world.observe()
        found = read(world)
        return found if condition(found) else None

    result: Samples = wait_until(look, what)
    return result


def test_every_node_is_there_with_what_was_asked_for_and_nothing_else(world: World) -> None:
    """Names as exposed, labels of the node only, values as they were."""
    world.observe()
    found = read(world)
    assert set(found) == {"a", "b", "c"}
    for name in "abc":
        assert newest(found[name]) == {FORMED: 1.0, MEMORY: 100.0}
    assert newest(read(world, ("memory_bytes",))["a"]) == {MEMORY: 100.0}


def test_samples_are_raw_and_in_order(world: World) -> None:
    """A counter that falls after a restart is shown as it fell."""
    world.observe()
    world.shown["a"] = {FORMED: 5.0}
    world.observe()
    world.shown["a"] = {FORMED: 2.0}
    world.observe()
    found = read(world)["a"]
    assert isinstance(found, NodeSamples)
    (series,) = found.named("formed_total")
    values = [value for value, _ in groupby(sample.value for sample in series.samples)]
    assert values[-3:] == [1.0, 5.0, 2.0]
    moments = [sample.at for sample in series.samples]
    assert moments == sorted(set(moments))


def test_a_dead_node_is_silent_and_hides_nobody(world: World) -> None:
    """Although it was well a moment ago; with a reason; and it comes back."""
    world.observe()
    world.dead.add("b")
    found = eventually(world, lambda found: isinstance(found["b"], Silence), "b did not fall silent")
    silence = found["b"]
    assert isinstance(silence, Silence)
    assert (silence.node, bool(silence.reason)) == ("b", True)
    assert isinstance(found["a"], NodeSamples)
    assert isinstance(found["c"], NodeSamples)
    world.dead.clear()
    eventually(world, lambda found: isinstance(found["b"], NodeSamples), "b did not come back")


def test_what_is_no_number_is_no_sample(world: World) -> None:
    """NaN and infinity would poison every sum."""
    for poison in (math.nan, math.inf, -math.inf):
        world.shown["a"] = {FORMED: poison, MEMORY: 3.0}
        world.observe()
    values = [sample.value for series in _series(read(world)["a"]) for sample in series.samples]
    assert 3.0 in values
    assert all(math.isfinite(value) for value in values)


def _series(found: NodeSamples | Silence) -> tuple[object, ...]:
    assert isinstance(found, NodeSamples), found
    return found.series


def test_a_node_without_the_metrics_is_silent(world: World) -> None:
    """Nothing is not zero."""
    for name in "abc":
        world.shown[name] = {OTHER: 1.0}
    world.probes.observe(world.nodes, ("never_seen",))
    found = read(world, ("never_seen",))
    assert all(isinstance(each, Silence) and each.reason for each in found.values())


def test_a_node_that_was_never_seen_is_silent(world: World) -> None:
    """A source that was not asked to watch, or does not watch this node, says so."""
    stranger = Node("stranger", "http://127.0.0.1:1")
    found = world.probes.samples([stranger], NAMES, WINDOW)
    assert isinstance(found["stranger"], Silence)


def test_no_nodes_give_no_samples(world: World) -> None:
    """An empty fleet is not an error."""
    assert world.probes.samples([], NAMES, WINDOW) == {}


def test_old_samples_are_outside_the_window(world: World) -> None:
    """Only what lies within the last window is given."""
    world.observe()
    everything = read(world)["a"]
    assert isinstance(everything, NodeSamples)
    begin = everything.series[0].samples[0].at
    wait_until(lambda: world.observe() or _last(read(world)["a"]) > begin + 1.5, "time did not go by")
    found = read(world, window=timedelta(seconds=1))["a"]
    assert isinstance(found, NodeSamples)
    assert found.series[0].samples[0].at > begin


def _last(found: NodeSamples | Silence) -> float:
    assert isinstance(found, NodeSamples)
    return found.series[0].samples[-1].at
