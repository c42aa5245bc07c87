"""The stand-in for upstream Engram 0.1 has upstream's faults: what is tested against it would be no proof without."""

import json
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from upstream_command import main
from upstream_server import Upstream

from runbook.wire import ForeignMetricsError, Reply, readings

Output = pytest.CaptureFixture[str]


def ask(server: Upstream, method: str, path: str, body: Any = None, **headers: str) -> Reply:
    """One request; what is no bytes is sent as JSON."""
    raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if raw is not None and "Content-Type" not in named:
        named["Content-Type"] = "application/json"
    with closing(HTTPConnection("127.0.0.1", urlsplit(server.url).port or 0, timeout=5)) as connection:
        connection.request(method, path, raw, named)
        with connection.getresponse() as answer:
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def test_whoever_names_a_space_makes_it_but_for_one_route(tmp_path: Path) -> None:
    """By header or query, with any route that takes a space; system health filters."""
    with Upstream(tmp_path).running() as server:
        ask(server, "GET", "/api/v1/system/health?space=other")
        assert server.unasked_spaces == []
        ask(server, "GET", "/api/v1/memories/recall?query=x", X_Memory_Space="tenant-a")
        ask(server, "GET", "/api/v1/memories?space=tenant-b")
        assert server.unasked_spaces == ["tenant-a", "tenant-b"]
        assert ask(server, "GET", "/api/v1/memories?space=A!").json()["error"]["code"] == "INVALID_MEMORY_INPUT"


def test_errors_are_json_text_or_nothing(tmp_path: Path) -> None:
    """Of a handler, of the framework, of the router."""
    with Upstream(tmp_path).running() as server:
        unknown = ask(server, "GET", "/api/v1/admin/features")
        assert (unknown.status, unknown.body) == (404, b"")
        malformed = ask(server, "POST", "/api/v1/memories/remember", b"{")
        assert (malformed.status, malformed.headers["content-type"][:10]) == (400, "text/plain")
        assert ask(server, "POST", "/api/v1/memories/remember", b"{}", Content_Type="text/plain").status == 415
        assert ask(server, "POST", "/api/v1/memories/remember", {"content": 1}).status == 422
        assert ask(server, "GET", "/api/v1/memories?limit=x").status == 400
        assert ask(server, "GET", "/api/v1/memories?tier=x").json()["error"]["code"] == "BAD_REQUEST"
        assert ask(server, "GET", "/cluster/health").status == 501
        assert ask(server, "DELETE", "/api/v1/memories/x").json()["status"] == "not_supported"


def test_memories_are_dropped_replaced_and_repeated(tmp_path: Path) -> None:
    """All with 201; a replaced one stays in the list and is not found."""
    with Upstream(tmp_path).running() as server:
        path = "/api/v1/memories/remember"
        first = ask(server, "POST", path, {"id": "a", "content": "one", "confidence": 0.5})
        dropped = ask(server, "POST", path, {"id": "b", "content": "two", "confidence": 0.5})
        assert (first.status, dropped.status) == (201, 201)
        assert dropped.json()["storage_confidence"]["value"] == pytest.approx(0.45)
        ask(server, "POST", path, {"id": "c", "content": "three", "confidence": 0.6})
        assert ask(server, "GET", "/api/v1/memories/a").status == 404
        listed = ask(server, "GET", "/api/v1/memories?tier=all").json()
        assert sorted(each["id"] for each in listed["memories"]) == ["a", "a", "c", "c"]
        assert listed["tier_counts"] == {"hot": 1, "warm": 2, "cold": 0, "total": 3}
        recalled = ask(server, "GET", "/api/v1/memories/recall?query=three").json()
        assert recalled["recall_confidence"]["value"] == 0.8
        assert ask(server, "GET", "/api/v1/memories/recall?query=x&mode=spreading").status == 400


def test_episodes_lose_parts_and_are_read_whole_by_a_query_only(tmp_path: Path) -> None:
    """Where and who are in no list; a 500 can mean stored; everything in the simple way is one and the same."""
    with Upstream(tmp_path).running() as server:
        sent = {"id": "ep_1", "when": "2025-01-01T00:00:00Z", "what": "met", "where_location": "Bern", "who": ["anna"]}
        assert ask(server, "POST", "/api/v1/episodes/remember", sent).status == 201
        assert ask(server, "POST", "/api/v1/episodes/remember", {"what": "x"}).status == 422
        assert "where_location" not in ask(server, "GET", "/api/v1/memories/ep_1").json()
        (found,) = ask(server, "POST", "/api/v1/query", {"query_text": "RECALL ep_1"}).json()["episodes"]
        assert (found["where_location"], found["who"]) == ("Bern", ["anna"])
        server.events_broken = True
        lost = ask(server, "POST", "/api/v1/memories/remember", {"id": "m", "content": "x", "embedding": [1.0] * 768})
        assert lost.status == 500
        assert "was stored" in lost.json()["error"]["message"]
        server.events_broken = False
        counts = {ask(server, "POST", "/api/v1/memories", {"content": str(n)}).status for n in range(3)}
        assert counts == {201}
        assert ask(server, "GET", "/api/v1/memories/search?query=0").json()["total"] <= 1


def test_metrics_fall_repeat_and_are_told_from_ours(tmp_path: Path) -> None:
    """A name that ours has too is there; nobody gets a number of it."""
    name = "engram_consolidation_runs_total"
    with Upstream(tmp_path).running() as server:
        replies = [ask(server, "GET", "/metrics/prometheus") for _ in range(5)]
        lines = [[line for line in reply.body.decode().splitlines() if line.startswith(name)] for reply in replies]
        values = [float(each[0].split()[-1]) for each in lines]
        assert values != sorted(values)
        assert all(len(each) == 2 for each in lines)
        buckets = [line.split()[0] for line in replies[0].body.decode().splitlines() if "_bucket{" in line]
        assert len(buckets) > len(set(buckets))
        for reply in replies:
            with pytest.raises(ForeignMetricsError, match=r"upstream Engram 0\.1"):
                readings(reply, [name])


def test_with_a_key_every_route_wants_it(tmp_path: Path) -> None:
    """Health and metrics too."""
    with Upstream(tmp_path, api_key="engram_key_x").running() as server:
        for path in ("/health", "/health/alive", "/metrics/prometheus", "/nonsense"):
            assert ask(server, "GET", path).status == 401
        assert ask(server, "GET", "/health", Authorization="Bearer engram_key_x").status == 200


def test_a_snapshot_of_beliefs_can_end_it(tmp_path: Path) -> None:
    """A text is cut in the middle of a letter."""
    with Upstream(tmp_path).running() as server:
        ask(server, "POST", "/api/v1/memories/remember", {"content": "x" * 159 + "ä"})
        with pytest.raises((OSError, HTTPException)):
            ask(server, "GET", "/api/v1/consolidations")
        assert server.died


def test_the_command_knows_four_keys_and_drops_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """Exit 1 and nothing written for other keys; exit 2 for what the plan of the rollout calls."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert main(["config", "set", "dual_memory.enabled", "false"]) == 1
    assert "unknown configuration key: dual_memory.enabled" in capsys.readouterr().err
    assert not (tmp_path / "engram").exists()
    assert main(["export", "--format", "dual_memory"]) == 2
    assert main(["migrate", "--to", "single_memory"]) == 2
    path = tmp_path / "engram" / "config.toml"
    path.parent.mkdir()
    path.write_text("[dual_memory]\nenabled = true\n")
    assert main(["config", "set", "server.http_bind", "0.0.0.0"]) == 0  # noqa: S104 - a value, nobody listens
    assert "dual_memory" not in path.read_text()
