"""Each fault produces its symptom on a real node through the real mechanism, and clears."""

import http.client

import pytest
from running_node import RunningNode, StartNode, wait_until

from runbook.sandbox.faults.collection import available

THRESHOLD = "dual_memory.coherence_threshold"
FORMED = 'engram_concepts_formed_total{space="chaos-flood"}'
SUM, COUNT = ("engram_consolidation_duration_seconds_sum", "engram_consolidation_duration_seconds_count")


def formed(node: RunningNode) -> float:
    """Concepts that came of the flood."""
    return node.metrics().get(FORMED, 0.0)


def cycles(node: RunningNode) -> float:
    """Consolidation cycles so far."""
    return node.metrics()[COUNT]


def test_every_fault_of_the_issue_is_there(shared_node: RunningNode) -> None:
    """Found by walking; none is active on a new node."""
    names = {"high-formation", "latency", "errors", "ignore-config", "unreachable", "poor-recall", "oom-restart"}
    assert names | {"poor-recall-concepts", "memory-leak-bindings", "memory-leak-cache"} <= set(available())
    found = shared_node.admin("GET", "chaos").json
    assert (found["active"], found["available"]) == ([], sorted(available()))
    assert set(found["what"]) == set(available())
    assert all(sentence.endswith(".") for sentence in found["what"].values())


def test_an_unknown_fault_is_404(shared_node: RunningNode) -> None:
    """Whatever is asked of it."""
    for method in ("GET", "POST", "DELETE"):
        assert shared_node.admin(method, "chaos/gremlins").code == "FAULT_NOT_FOUND"


@pytest.mark.parametrize("fault", sorted(available()))
@pytest.mark.parametrize("body", [{"surprise": 1}, b"{", b"[]"])
def test_a_bad_parameter_injects_nothing(shared_node: RunningNode, fault: str, body: object) -> None:
    """Every fault refuses what it does not know."""
    assert shared_node.admin("POST", f"chaos/{fault}", body).status in {400, 422}
    assert shared_node.admin("GET", "chaos").json["active"] == []


def test_faults_can_be_repeated_and_do_not_survive_a_restart(start_node: StartNode) -> None:
    """Injecting, and clearing, twice is as once; all of them together, too. What they set can be cleared afterwards."""
    node = start_node()
    names = sorted(set(available()) - {"oom-restart"})  # it restarts the node: tests/sandbox/test_fault_restart.py
    for fault in names:
        for _ in range(2):
            assert [f["fault"] for f in node.admin("POST", f"chaos/{fault}").json["active"]] == [fault]
        for _ in range(2):
            assert node.admin("DELETE", f"chaos/{fault}").json["active"] == []
    settings = node.admin("GET", "config").json
    for fault in names:
        node.admin("POST", f"chaos/{fault}")
    assert [f["fault"] for f in node.admin("GET", "chaos").json["active"]] == names
    node.kill()
    node = start_node(node.folder)
    left = [f["fault"] for f in node.admin("GET", "chaos").json["active"]]
    assert left == [name for name in names if name.startswith(("high", "poor", "memory"))]
    assert node.recall("x").status == 200
    for fault in left:
        node.admin("DELETE", f"chaos/{fault}")
    assert node.admin("GET", "config").json == settings
    node.kill()
    assert start_node(node.folder).admin("GET", "chaos").json["active"] == []


def test_high_formation(node: RunningNode) -> None:
    """Concepts form fast through the settings and the flood; with the threshold back they stop, flood or no flood."""
    wait_until(lambda: cycles(node) >= 3, "no cycles")
    quiet = node.metrics()
    node.admin("POST", "chaos/high-formation", {"groups_per_second": 80})
    assert node.admin("GET", "config").json[THRESHOLD] == 0.3
    wait_until(lambda: formed(node) >= 10, "nothing forms")
    busy = node.metrics()
    mean_quiet = quiet[SUM] / quiet[COUNT]
    mean_busy = (busy[SUM] - quiet[SUM]) / (busy[COUNT] - quiet[COUNT])
    assert mean_busy > 3 * mean_quiet
    concept = node.admin("GET", "concepts?limit=1").json["concepts"][0]
    assert 0.3 <= concept["coherence"] < 0.65
    node.admin("PATCH", "config", {THRESHOLD: 0.65})
    start = cycles(node)
    wait_until(lambda: cycles(node) >= start + 2, "no cycles")  # one may still have begun with the old threshold
    before, episodes = formed(node), node.health()["sequence"]
    wait_until(lambda: node.health()["sequence"] > episodes + 500, "the flood has stopped")
    assert formed(node) == before
    node.admin("DELETE", "chaos/high-formation")
    assert node.admin("GET", "config").json[THRESHOLD] == 0.65
    assert node.metrics()['engram_episodes{space="chaos-flood"}'] == 0
    node.settle()


def test_clearing_restores_only_what_is_as_the_fault_set_it(node: RunningNode) -> None:
    """An untouched threshold goes back; one that somebody set since stays."""
    node.admin("PATCH", "config", {THRESHOLD: 0.7})
    node.admin("POST", "chaos/high-formation")
    node.admin("DELETE", "chaos/high-formation")
    assert node.admin("GET", "config").json[THRESHOLD] == 0.7
    node.admin("POST", "chaos/high-formation")
    node.admin("PATCH", "config", {THRESHOLD: 0.5})
    node.admin("DELETE", "chaos/high-formation")
    assert node.admin("GET", "config").json[THRESHOLD] == 0.5


def test_the_flood_keeps_to_its_window(node: RunningNode) -> None:
    """Its episodes reach a plateau, and what it forgets leaves tombstones like everybody's."""
    node.admin("POST", "chaos/high-formation", {"window": 100})
    name = 'engram_episodes{space="chaos-flood"}'
    wait_until(lambda: node.metrics().get(name, 0) >= 100, "the window does not fill")
    sequence = node.health()["sequence"]
    wait_until(lambda: node.health()["sequence"] > sequence + 200, "the flood has stopped")
    assert 100 <= node.metrics()[name] <= 150


def test_latency(node: RunningNode) -> None:
    """Recalls of the named group take longer, as the node itself measures them; others do not."""
    node.remember("something to keep")
    node.admin("POST", "chaos/latency", {"milliseconds": 80, "group": "treatment"})
    assert node.recall("something").json["processing_time_ms"] >= 80
    assert node.metrics()['engram_recall_duration_seconds_sum{group="treatment"}'] >= 0.08
    node.admin("POST", "chaos/latency", {"milliseconds": 80, "group": "control"})
    assert node.recall("something").json["processing_time_ms"] < 80
    node.admin("POST", "chaos/latency", {"percent": 100})
    assert node.recall("something").status == 200
    node.admin("DELETE", "chaos/latency")
    assert node.recall("something").json["processing_time_ms"] < 80


def test_errors(node: RunningNode) -> None:
    """Exactly the share of the recalls fails, is counted as such, and nothing else fails."""
    node.admin("POST", "chaos/errors", {"rate": 0.25})
    statuses = []
    for _ in range(20):  # a probe in between moves nothing for the others
        statuses.append(node.recall("x").status)
        node.recall("x", observe="false")
    assert (statuses.count(500), statuses.count(200)) == (5, 15)
    assert node.remember("y").status == 201
    assert node.metrics()['engram_recall_errors_total{group="treatment",space="default"}'] == 5
    assert node.metrics()['engram_recall_total{group="treatment",space="default"}'] == 20
    node.admin("DELETE", "chaos/errors")
    assert {node.recall("x").status for _ in range(8)} == {200}


def test_ignore_config(node: RunningNode) -> None:
    """The answer looks right, the read-back shows the truth; a bad value is refused all the same."""
    node.admin("POST", "chaos/ignore-config")
    answered = node.admin("PATCH", "config", {THRESHOLD: 0.9})
    assert (answered.status, answered.json[THRESHOLD]) == (200, 0.9)
    assert node.admin("GET", "config").json[THRESHOLD] == 0.65
    assert node.metrics()[f'engram_config_value{{name="{THRESHOLD}"}}'] == 0.65
    assert node.admin("PATCH", "config", {THRESHOLD: 9}).status == 422
    node.admin("DELETE", "chaos/ignore-config")
    node.admin("PATCH", "config", {THRESHOLD: 0.9})
    assert node.admin("GET", "config").json[THRESHOLD] == 0.9


@pytest.mark.parametrize("mode", ["refuse", "hang", "html"])
def test_unreachable(node: RunningNode, mode: str) -> None:
    """Every path but chaos, with the token, is as silent as asked; clearing brings all of it back."""
    node.admin("POST", "chaos/unreachable", {"mode": mode})
    for path in ("/health", "/metrics/prometheus", "/api/v1/admin/config", "/api/v1/admin/chaos"):
        connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=0.2)
        connection.request("GET", path)
        if mode == "html":
            response = connection.getresponse()
            assert response.headers["content-type"].startswith("text/html")
            assert b"<html" in response.read()
        else:
            with pytest.raises(TimeoutError if mode == "hang" else http.client.RemoteDisconnected):
                connection.getresponse()
        connection.close()
    assert node.admin("GET", "chaos").json["active"] == [{"fault": "unreachable", "parameters": {"mode": mode}}]
    node.admin("DELETE", "chaos/unreachable")
    assert node.ask("GET", "/health").status == 200
    assert node.stop() == 0
    assert node.log.read_text() == ""
