"""What is acknowledged is there: after kill -9 under load, after a stop, after a cut connection."""

import http.client
import json
import resource
import socket
import threading
from pathlib import Path

import pytest
from running_node import RunningNode, StartNode, wait_until

WRITERS = 6


class Writer(threading.Thread):
    """Remembers and forgets without pause until the node dies; knows what was acknowledged."""

    def __init__(self, node: RunningNode, number: int) -> None:
        super().__init__(daemon=True)
        self._node, self._number = node, number
        self.remembered: dict[str, str] = {}
        self.forgotten: set[str] = set()
        self.doubtful: set[str] = set()
        """Asked for, and the node died before it answered: either way is right."""

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._node.port, timeout=10)
        count = 0
        try:
            while True:
                count += 1
                id_, content = f"w{self._number}-{count}", f"writer {self._number} wrote text number {count}"
                self.doubtful = {id_}
                connection.request("POST", "/api/v1/memories/remember", json.dumps({"id": id_, "content": content}))
                assert self._status(connection) == 201
                self.remembered[id_] = content
                if count % 4 == 0:
                    gone = f"w{self._number}-{count - 2}"
                    self.doubtful = {gone}
                    connection.request("DELETE", f"/api/v1/memories/{gone}")
                    assert self._status(connection) == 200
                    self.forgotten.add(gone)
                self.doubtful = set()
        except (OSError, http.client.HTTPException):
            return
        finally:
            connection.close()

    @staticmethod
    def _status(connection: http.client.HTTPConnection) -> int:
        response = connection.getresponse()
        response.read()
        return response.status


def stored(node: RunningNode) -> dict[str, str]:
    """Every memory of the default space."""
    found: dict[str, str] = {}
    while page := node.ask("GET", f"/api/v1/memories?limit=1000&offset={len(found)}").json["memories"]:
        found |= {memory["id"]: memory["content"] for memory in page}
    return found


@pytest.mark.parametrize("writes", [5, 150, 400])
def test_kill_under_load_loses_nothing_acknowledged(start_node: StartNode, writes: int) -> None:
    """Every acknowledged memory is there with its content, every acknowledged forgetting holds."""
    node = start_node()
    writers = [Writer(node, number) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    wait_until(lambda: sum(len(writer.remembered) for writer in writers) >= writes, "the writers are stuck")
    node.kill()
    for writer in writers:
        writer.join(timeout=20)
        assert not writer.is_alive()
    node = start_node(node.folder)
    found = stored(node)
    doubtful = set().union(*(writer.doubtful for writer in writers))
    expected = {
        id_: content
        for writer in writers
        for id_, content in writer.remembered.items()
        if id_ not in writer.forgotten | doubtful
    }
    assert {id_: content for id_, content in found.items() if id_ not in doubtful} == expected
    assert node.recall("text number 1", max_results=1).json["memories"]


def test_kill_loses_no_concept_half_way(start_node: StartNode) -> None:
    """A concept is there with all its bindings or not at all, wherever the kill falls in the cycles."""
    node = start_node(consolidation_seconds=0.02)
    node.admin("PATCH", "config", {"dual_memory.concept_sample_rate": 1.0, "dual_memory.coherence_threshold": 0.3})
    node.admin("POST", "chaos/high-formation", {"groups_per_second": 100})
    formed = 'engram_concepts_formed_total{space="chaos-flood"}'
    wait_until(lambda: node.metrics().get(formed, 0) > 20, "nothing forms")
    node.admin("PATCH", "config", {"dual_memory.binding_cleanup": False})
    node.kill()
    node = start_node(node.folder, consolidation_seconds=1000)
    concepts = node.admin("GET", "concepts?limit=1000").json["concepts"]
    assert len(concepts) > 20
    counts = node.admin("GET", "heap").json["spaces"]["chaos-flood"]
    assert counts["bindings"] >= 2 * counts["concepts"]
    assert all(concept["size"] >= 3 for concept in concepts)


def test_a_stop_keeps_what_the_background_held(start_node: StartNode) -> None:
    """SIGTERM ends with 0, and the recall counts that were not yet written are written."""
    node = start_node()
    node.remember("The heron waits at the river", id="heron")
    node.recall("heron", max_results=1)
    assert node.stop() == 0
    assert not (node.folder / "port").exists()
    node = start_node(node.folder)
    found = node.ask("GET", "/api/v1/memories/heron").json
    assert found["recall_count"] == 1
    assert found["activation"] > 0.5
    assert [cell["n"] for cell in node.admin("GET", "cells").json["cells"]] == [1]


def test_a_disk_that_refuses_costs_the_write_and_nothing_else(start_node: StartNode) -> None:
    """The write is answered with 507 and is not there; reading goes on; with room again, writing goes on."""
    node = start_node(consolidation_seconds=1000)
    node.remember("The heron waits at the river", id="heron")
    _, hard = resource.prlimit(
        node.pid, resource.RLIMIT_FSIZE, (4096, resource.prlimit(node.pid, resource.RLIMIT_FSIZE)[1])
    )
    refused = node.remember("no room for this", id="refused")
    assert (refused.status, refused.code) == (507, "STORAGE")
    assert "nothing was stored" in refused.json["error"]["hint"]
    assert node.admin("PATCH", "config", {"dual_memory.semantic_weight": 0.9}).status == 507
    assert node.admin("GET", "config").json["dual_memory.semantic_weight"] == 0.3
    assert node.recall("heron").json["memories"][0]["id"] == "heron"
    resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (hard, hard))
    assert node.remember("room for this", id="accepted").status == 201
    node.kill()
    assert set(stored(start_node(node.folder))) == {"heron", "accepted"}


def test_a_cut_connection_does_no_harm(node: RunningNode) -> None:
    """Clients that send half a request, or leave before the answer, cost nothing."""
    body = b'{"content": "cut off", "id": "cut"}'
    head = f"POST /api/v1/memories/remember HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    for sent in (b"", b"GET", head, head + body[:10], head + body, b"\x16\x03\x01garbage\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", node.port)) as connection:
            connection.sendall(sent)
    assert node.remember("still here").status == 201
    assert node.ask("GET", "/api/v1/memories/cut").status in {200, 404}


def test_a_folder_has_one_process(start_node: StartNode, tmp_path: Path) -> None:
    """A second node on the same folder ends at once, says who holds it, and does not disturb the first."""
    import subprocess  # noqa: PLC0415 - this test alone starts a process that must not live
    import sys  # noqa: PLC0415 - same

    node = start_node()
    command = [sys.executable, "-m", "runbook.sandbox.node", "--folder", str(node.folder), "--port", "0"]
    second = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, cwd=tmp_path)
    assert second.returncode == 11
    assert f"process {node.pid}" in second.stderr
    assert "Traceback" not in second.stderr
    assert second.stdout == ""
    assert node.remember("still here").status == 201
    assert int((node.folder / "port").read_text()) == node.port
