"""A node that is killed for want of memory comes back, counted; what a killed node's faults left is put back."""

import http.client
import os
import signal

from running_node import RunningNode, StartNode, wait_until

CLEANUP, THRESHOLD = "dual_memory.binding_cleanup", "dual_memory.coherence_threshold"
OOM, STARTED, LIMIT = "engram_oom_restarts_total", "process_start_time_seconds", "engram_memory_limit_bytes"


def metrics(node: RunningNode) -> dict[str, float]:
    """As they are now; nothing while the node is being started again."""
    try:
        return node.metrics()
    except (OSError, http.client.HTTPException):
        return {}


def test_a_node_is_killed_for_want_of_memory_and_comes_back(start_node: StartNode) -> None:
    """Again and again, under one process id and on one port, until the cause is gone; nothing stored is lost."""
    node = start_node(consolidation_seconds=0.3)
    node.remember("The heron waits at the river", id="heron")
    first = node.metrics()
    node.admin("POST", "chaos/oom-restart", {"headroom_mb": 12, "mb_per_second": 6})
    wait_until(lambda: metrics(node).get(OOM, 0) >= 2, "the node is not killed twice", 60)
    found = wait_until(lambda: metrics(node), "the node does not come back")
    assert found[STARTED] > first[STARTED]
    assert found["process_resident_memory_bytes"] <= 1.2 * found[LIMIT]
    assert node.process.poll() is None
    wait_until(lambda: metrics(node).get(OOM, 0) > found[OOM], "it goes on")
    wait_until(lambda: metrics(node), "the node does not come back")
    cured = wait_until(lambda: _cured(node), "the node does not take the cure")
    wait_until(lambda: metrics(node).get("engram_binding_orphans", 1e9) < 200, "bindings are not collected")
    assert node.admin("DELETE", "chaos/oom-restart").json["active"] == []
    assert node.admin("GET", "config").json[CLEANUP] is True
    assert node.ask("GET", "/api/v1/memories/heron").status == 200
    assert node.metrics()[OOM] >= cured[OOM]
    assert node.stop() == 0
    assert not (node.folder / "port").exists()


def _cured(node: RunningNode) -> dict[str, float]:
    """Switch the cleanup on; the node may be killed in the middle, then it is asked again."""
    try:
        node.admin("PATCH", "config", {CLEANUP: True})
    except (OSError, http.client.HTTPException):
        return {}
    return metrics(node)


def test_whoever_kills_the_supervisor_kills_the_node(start_node: StartNode) -> None:
    """Nothing runs on behind the back of the one who started it."""
    node = start_node()
    node.admin("POST", "chaos/oom-restart")
    wait_until(lambda: int((node.folder / "lock").read_text() or node.pid) != node.pid, "no supervisor")
    wait_until(lambda: metrics(node), "no node under the supervisor")
    os.kill(node.pid, signal.SIGKILL)
    node.process.wait(timeout=20)
    wait_until(lambda: not metrics(node), "the node goes on")
    again = start_node(node.folder)
    wait_until(lambda: OOM in metrics(again), "the fault does not survive")
    wait_until(lambda: _clears(again, "oom-restart"), "it cannot be cleared")
    assert again.admin("GET", "config").json[CLEANUP] is True


def _clears(node: RunningNode, fault: str) -> bool:
    try:
        return bool(node.admin("DELETE", f"chaos/{fault}").json["active"] == [])
    except (OSError, http.client.HTTPException):
        return False


def test_clearing_restores_after_a_kill(start_node: StartNode) -> None:
    """The node comes back with what the fault set, and knows what stood there before; its episodes go too."""
    node = start_node()
    node.admin("PATCH", "config", {THRESHOLD: 0.7})
    node.admin("POST", "chaos/high-formation")
    wait_until(lambda: metrics(node).get('engram_episodes{space="chaos-flood"}', 0) > 50, "no flood")
    node.kill()
    node = start_node(node.folder)
    assert node.admin("GET", "config").json[THRESHOLD] == 0.3
    assert [fault["fault"] for fault in node.admin("GET", "chaos").json["active"]] == ["high-formation"]
    assert node.admin("DELETE", "chaos/high-formation").json["active"] == []
    assert node.admin("GET", "config").json[THRESHOLD] == 0.7
    assert node.metrics()['engram_episodes{space="chaos-flood"}'] == 0


def test_faults_on_one_setting_are_cleared_in_any_order(start_node: StartNode) -> None:
    """The value of before the first of them is what is left."""
    node = start_node()
    for order in (("high-formation", "poor-recall-concepts"), ("poor-recall-concepts", "high-formation")):
        for fault in ("high-formation", "poor-recall-concepts"):
            node.admin("POST", f"chaos/{fault}")
        for fault in order:
            node.admin("DELETE", f"chaos/{fault}")
        assert node.admin("GET", "config").json[THRESHOLD] == 0.65
