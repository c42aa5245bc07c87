"""The scraper with real nodes and with peers that do not do as they should."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from peers import Answer, Peer, closed_port, dripping, endless, hang, http
from running_node import RunningNode, StartNode

from runbook.adapters.clock import SystemClock
from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.scrape import ScrapeProbes
from runbook.model.measurement import NodeSamples, Silence
from runbook.model.target import Node
from runbook.wire import NoReplyError, Reply, Wire, readings

HOUR = timedelta(hours=1)
START = "process_start_time_seconds"


def scraper() -> ScrapeProbes:
    """With short limits, for peers that fail."""
    return ScrapeProbes(SystemClock(), wire=Wire(connect=1.0, read=0.4, total=1.0, limit_bytes=1 << 20), patience=10.0)


def test_a_real_node_is_read(node: RunningNode) -> None:
    """Counters by space, buckets with their bounds, and the process; a memory that was stored is counted."""
    names = ("engram_episodes", "engram_consolidation_duration_seconds_bucket", "process_resident_memory_bytes")
    probes, place = ScrapeProbes(SystemClock()), Node("n", node.url)
    probes.observe([place], names)
    node.remember("the canary was released on Tuesday")
    probes.observe([place], names)
    found = probes.samples([place], names, HOUR)["n"]
    assert isinstance(found, NodeSamples)
    (episodes,) = found.named("engram_episodes")
    assert episodes.label("space") == "default"
    assert episodes.samples[-1].value == 1.0
    assert "+Inf" in {series.label("le") for series in found.named("engram_consolidation_duration_seconds_bucket")}
    (memory,) = found.named("process_resident_memory_bytes")
    assert [sample.value > 1e6 for sample in memory.samples] == [True, True]


def test_a_node_that_dies_and_restarts(start_node: StartNode) -> None:
    """Killed it is silent although it was well; back, its newest start time shows the restart."""
    first, other = start_node(), start_node()
    nodes = [Node("n", first.url), Node("other", other.url)]
    probes = ScrapeProbes(SystemClock())
    probes.observe(nodes, [START])
    first.kill()
    probes.observe(nodes, [START])
    found = probes.samples(nodes, [START], HOUR)
    silence = found["n"]
    assert isinstance(silence, Silence)
    assert "refused" in silence.reason
    assert isinstance(found["other"], NodeSamples)
    start_node(first.folder, port=first.port)
    probes.observe(nodes, [START])
    back = probes.samples(nodes, [START], HOUR)["n"]
    assert isinstance(back, NodeSamples)
    before, after = [sample.value for sample in back.series[0].samples]
    assert after > before


BROKEN: list[tuple[str, Answer, str]] = [
    ("html", http("<!DOCTYPE html><html>"), "HTML instead of Prometheus text"),
    ("json", http({"up": 1}), "something instead of Prometheus text"),
    ("empty", http(""), "nothing instead of Prometheus text"),
    ("prose", http("Internal error in module\n"), "something instead of Prometheus text"),
    ("binary", http(b"\xff\xfe\x00"), "something instead of Prometheus text"),
    ("cut label", http('formed_total{space="x'), "something instead of Prometheus text"),
    ("no value", http("formed_total{}\n"), "something instead of Prometheus text"),
    ("only comments", http("# HELP x y\n"), "something instead of Prometheus text"),
    ("500", http("oops", "500 Internal Server Error"), "HTTP 500"),
    ("404", http("", "404 Not Found"), "HTTP 404"),
    ("login", http("", "302 Found", Location="/login"), "redirects to /login"),
    ("flood", endless, "more than 1 MiB"),
    ("hang", hang, "no answer"),
    ("drip", dripping(b"HTTP/1.1 200 OK\r\n\r\n", b"#"), "no complete answer within"),
]


@pytest.mark.parametrize(("answer", "why"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_a_broken_exposition_is_a_silence_with_its_reason(answer: Answer, why: str) -> None:
    """Never an exception, never a zero."""
    with Peer(lambda _: answer) as peer:
        probes, place = scraper(), Node("n", peer.url)
        probes.observe([place], ["formed_total"])
        assert why in _reason(probes, place)


def _reason(probes: ScrapeProbes, place: Node) -> str:
    found = probes.samples([place], ["formed_total"], HOUR)["n"]
    assert isinstance(found, Silence)
    return found.reason


def test_a_hanging_node_is_waited_for_once(start_node: StartNode) -> None:
    """It has one request on its way, however often the others are read meanwhile."""
    node = start_node()
    with Peer(lambda _: hang) as peer:
        nodes = [Node("hanging", peer.url), Node("well", node.url), Node("dead", f"http://127.0.0.1:{closed_port()}")]
        probes = ScrapeProbes(SystemClock(), wire=Wire(read=60.0, total=60.0))
        for _ in range(5):
            probes.observe(nodes, [START])
        found = probes.samples(nodes, [START], HOUR)
        assert len(peer.requests) == 1
    well = found["well"]
    assert isinstance(well, NodeSamples)
    assert len(well.series[0].samples) == 5
    assert isinstance(found["hanging"], Silence)
    assert isinstance(found["dead"], Silence)


def test_memory_is_bounded() -> None:
    """What is older than two hours is forgotten, and so is a series that is gone."""
    clock, values = MemoryClock(), ["a 1\nb 1\n", "a 2\n", "a 3\n"]
    with Peer(lambda _: http(values.pop(0))) as peer:
        probes, place = ScrapeProbes(clock), Node("n", peer.url)
        for _ in range(3):
            probes.observe([place], ["a", "b"])
            clock.sleep(3601)
    found = probes.samples([place], ["a", "b"], timedelta(days=1))["n"]
    assert isinstance(found, NodeSamples)
    assert [(series.name, [sample.value for sample in series.samples]) for series in found.series] == [
        ("a", [2.0, 3.0])
    ]


def reply(text: str) -> Reply:
    """An answer with that exposition."""
    return Reply(200, {}, text.encode())


def test_only_whole_names_count_and_the_last_duplicate_wins() -> None:
    """A prefix is another metric; labels are sorted and unescaped."""
    text = 'a 1\na_total 2\na{y="1",x="q\\"\\n"} 3\na{x="q\\"\\n",y="1"} 4\n'
    found = {(each.name, each.labels): each.value for each in readings(reply(text), ["a"])}
    assert found == {("a", ()): 1.0, ("a", (("x", 'q"\n'), ("y", "1"))): 4.0}


@given(some.text(max_size=80))
def test_no_text_ends_in_another_error(text: str) -> None:
    """Whatever a peer says is read or refused."""
    try:
        found = readings(Reply(200, {}, text.encode("utf-8", "surrogatepass")), ["a"])
    except NoReplyError as error:
        assert "instead of Prometheus text" in error.message  # noqa: PT017  # either outcome is right
    else:
        assert all(each.name == "a" for each in found)
