"""Prometheus: the real server over real nodes, and every way in which a server can fail."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from peers import Answer, Peer, closed_port, endless, hang, http, reset
from prometheus_server import prometheus
from running_node import StartNode, wait_until

from runbook.adapters.prometheus import PrometheusProbes
from runbook.errors import UnreachableError
from runbook.model.measurement import NodeSamples, Samples, Silence
from runbook.model.target import Node
from runbook.wire import Wire

NODE = Node("n1", "http://10.0.0.1:7432")
WINDOW = timedelta(minutes=1)


def probes(url: str, said: list[str] | None = None) -> PrometheusProbes:
    """With short limits, and without waiting before a retry."""
    wire = Wire(connect=1.0, read=0.4, total=0.6, limit_bytes=1 << 20)
    on_retry = (said if said is not None else []).append
    return PrometheusProbes(url, on_retry=on_retry, wire=wire, sleep=lambda _: None)


def result(*series: tuple[dict[str, str], list[list[Any]]]) -> bytes:
    """A successful answer."""
    found = [{"metric": labels, "values": values} for labels, values in series]
    return http({"status": "success", "data": {"resultType": "matrix", "result": found}})


def test_real_nodes_through_a_real_prometheus(start_node: StartNode, tmp_path: Path) -> None:
    """Histograms, counters by space, a node that is scraped by two jobs, one that dies, one that nobody scrapes."""
    names = ("engram_episodes", "engram_consolidation_duration_seconds_bucket", "process_start_time_seconds")
    well, dying = start_node(), start_node()
    well.remember("the canary was released on Tuesday")
    nodes = [Node("well", well.url), Node("dying", dying.url), Node("unwatched", "http://127.0.0.1:1")]
    places = [f"127.0.0.1:{each.port}" for each in (well, dying)]
    jobs = [
        {"job_name": "engram", "static_configs": [{"targets": places}]},
        {"job_name": "again", "static_configs": [{"targets": places[:1]}]},
    ]
    with prometheus(tmp_path, jobs, interval="1s") as url:

        def known(**kinds: type) -> Samples | None:
            found = PrometheusProbes(url).samples(nodes, names, WINDOW)
            return found if all(isinstance(found[name], kind) for name, kind in kinds.items()) else None

        found: Samples = wait_until(lambda: known(well=NodeSamples, dying=NodeSamples), "the nodes were not scraped")
        dying.kill()
        later: Samples = wait_until(lambda: known(well=NodeSamples, dying=Silence), "its death was not noticed")
    one, silence = found["well"], found["unwatched"]
    assert isinstance(one, NodeSamples)
    (episodes,) = one.named("engram_episodes")
    assert (episodes.labels, episodes.samples[-1].value) == ((("space", "default"),), 1.0)
    assert len(one.named("process_start_time_seconds")) == 1
    bounds = {series.label("le") for series in one.named("engram_consolidation_duration_seconds_bucket")}
    assert "+Inf" in bounds
    assert silence == Silence("unwatched", "no series in Prometheus for instance=127.0.0.1:1")
    assert later["dying"] == Silence("dying", "Prometheus cannot scrape it (up is 0)")
    assert isinstance(later["well"], NodeSamples)


BROKEN: list[tuple[str, Answer, str]] = [
    ("hang", hang, "timed out"),
    ("reset", reset, "connection broke"),
    ("flood", endless, "more than 1 MiB"),
    ("html", http("<html>Grafana</html>"), "HTML instead of JSON"),
    ("garbage", http("garbage"), "something instead of JSON"),
    ("wrong path", http("", "404 Not Found"), "HTTP 404"),
    ("login", http("", "302 Found", Location="https://sso.example/"), "redirects to https://sso.example/"),
    ("error", http({"status": "error", "error": "query timed out"}, "422 x"), "refused the query: query timed out"),
    ("error 200", http({"status": "error", "error": "odd"}), "refused the query: odd"),
    ("no data", http({"status": "success"}), "no query result"),
    ("list", http([]), "no query result"),
    ("vector", http({"status": "success", "data": {"result": [{"metric": {}, "value": [1, "1"]}]}}), "no query result"),
    ("odd value", result(({"__name__": "a"}, [[1, "x"]])), "no query result"),
    ("busy", http("", "503 Service Unavailable", Retry_After="1"), "HTTP 503"),
]


@pytest.mark.parametrize(("answer", "why"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_a_server_that_cannot_answer_is_unreachable(answer: Answer, why: str) -> None:
    """Exit code 10, with its address, the reason and what to do."""
    with Peer(lambda _: answer) as peer, pytest.raises(UnreachableError) as caught:
        probes(peer.url).samples([NODE], ["a"], WINDOW)
    assert peer.url in caught.value.message
    assert why in caught.value.message
    assert "runbook.toml" in caught.value.hint


def test_a_server_that_is_down_is_unreachable() -> None:
    """After three tries, two of which are said."""
    said: list[str] = []
    with pytest.raises(UnreachableError, match="connection refused"):
        probes(f"http://127.0.0.1:{closed_port()}", said).samples([NODE], ["a"], WINDOW)
    assert len(said) == 2


def test_a_server_that_is_starting_is_waited_for() -> None:
    """503 and then the answer; a base path is kept; the window and the names stand in the query."""
    answers = [http("", "503 Service Unavailable")]
    labels = {"__name__": "a", "instance": "10.0.0.1:7432", "job": "j", "space": "x"}
    said: list[str] = []
    good = result((labels, [[10.5, "1"], [11, "NaN"], [12, "+Inf"], [13, "2"]]))
    with Peer(lambda _: answers.pop() if answers else good) as peer:
        found = probes(f"{peer.url}/base", said).samples([NODE], ["a"], timedelta(seconds=59.5))["n1"]
        assert {request.path for request in peer.requests} == {"/base/api/v1/query"}
        assert b"%5B60s%5D" in peer.requests[0].body
    assert len(said) == 1
    assert isinstance(found, NodeSamples)
    (series,) = found.series
    assert series.labels == (("space", "x"),)
    assert [(sample.at, sample.value) for sample in series.samples] == [(10.5, 1.0), (13.0, 2.0)]


@pytest.mark.parametrize(
    ("url", "instance"),
    [("https://h", "h:443"), ("http://h/base", "h:80"), ("http://[::1]:5", "[::1]:5"), ("http://H.lan:5", "h.lan:5")],
)
def test_the_instance_is_host_and_port(url: str, instance: str) -> None:
    """As Prometheus writes it, with the scheme's own port where none is named."""
    with Peer(lambda _: result()) as peer:
        found = probes(peer.url).samples([Node("n", url)], ["a"], WINDOW)["n"]
    assert found == Silence("n", f"no series in Prometheus for instance={instance}")
