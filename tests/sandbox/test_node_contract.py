"""The operations contract, asked of a real node over HTTP."""

import base64
import json
import stat
import struct

import pytest
from running_node import RunningNode, StartNode

from runbook.sandbox.embedding import DIMENSIONS, WIDTH

EXTREME = struct.pack("<4f", -0.0, 1e-45, 3.4028235e38, 1 / 3) * (DIMENSIONS // 4)


def test_health_needs_no_token(shared_node: RunningNode) -> None:
    """Three ways to ask, and the service says who it is."""
    assert shared_node.ask("GET", "/health").json["status"] == "healthy"
    assert (shared_node.ask("GET", "/health/alive").status, shared_node.ask("GET", "/health/alive").body) == (200, b"")
    system = shared_node.health()
    assert [space["space"] for space in system["spaces"]] == ["default"]
    assert system["settled"] is True


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic x", "Bearer größe"])
@pytest.mark.parametrize("path", ["config", "features", "chaos", "nothing-here"])
def test_admin_paths_need_the_token(shared_node: RunningNode, path: str, header: str | None) -> None:
    """Without it: 401, in the contract's shape, whether the path exists or not."""
    headers = {} if header is None else {"Authorization": header}
    reply = shared_node.ask("GET", f"/api/v1/admin/{path}", headers=headers)
    assert (reply.status, reply.code) == (401, "UNAUTHORIZED")
    assert reply.headers["www-authenticate"] == "Bearer"


def test_the_token_is_its_owners_alone(shared_node: RunningNode) -> None:
    """Mode 0600, in a folder of mode 0700; and so are the memories."""
    for name in ("admin.token", "memory.db"):
        assert stat.S_IMODE((shared_node.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(shared_node.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/memories/recall?query=x"),
        ("GET", "/api/v1/memories"),
        ("GET", "/api/v1/memories/x"),
        ("DELETE", "/api/v1/memories/x"),
        ("POST", "/api/v1/memories/remember"),
    ],
)
def test_an_unknown_space_is_not_found_and_not_made(shared_node: RunningNode, method: str, path: str) -> None:
    """Neither by reading nor by writing."""
    reply = shared_node.ask(method, path, {"content": "x"} if method == "POST" else None, space="nobody")
    assert (reply.status, reply.code) == (404, "SPACE_NOT_FOUND")
    assert [space["id"] for space in shared_node.ask("GET", "/api/v1/spaces").json["spaces"]] == ["default"]
    assert not any("nobody" in name for name in shared_node.metrics())


def test_a_space_is_made_once(node: RunningNode) -> None:
    """Asking again finds the same one."""
    first, again = (node.ask("POST", "/api/v1/spaces", {"id": "tenant-a"}) for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert first.json == again.json
    assert node.metrics()['engram_concepts_formed_total{space="tenant-a"}'] == 0


@pytest.mark.parametrize("name", ["ab", "A" * 5, "x" * 65, "../etc", "a b c", "größe", 7, None])
def test_a_space_needs_a_proper_name(shared_node: RunningNode, name: object) -> None:
    """3 to 64 of a-z, 0-9, - and _."""
    assert shared_node.ask("POST", "/api/v1/spaces", {"id": name}).status == 422


def test_remember_get_list_forget(node: RunningNode) -> None:
    """A memory's life over HTTP."""
    sent = {
        "id": "ep-1",
        "who": ["ada"],
        "metadata": {"k": "v"},
        "confidence": 0.9,
        "timestamp": "2026-11-01T12:00:00+01:00",
    }
    assert node.remember("Ünïcode 🐘 memory", **sent).status == 201
    found = node.ask("GET", "/api/v1/memories/ep-1").json
    assert found["content"] == "Ünïcode 🐘 memory"
    assert (found["who"], found["metadata"], found["confidence"]) == (["ada"], {"k": "v"}, 0.9)
    assert found["timestamp"] == "2026-11-01T11:00:00.000000Z"
    assert [memory["id"] for memory in node.ask("GET", "/api/v1/memories").json["memories"]] == ["ep-1"]
    gone = node.ask("DELETE", "/api/v1/memories/ep-1")
    assert gone.json["tombstone"]["sequence"] == node.health()["sequence"]
    assert node.ask("GET", "/api/v1/memories/ep-1").code == "MEMORY_NOT_FOUND"
    assert node.ask("DELETE", "/api/v1/memories/ep-1").status == 404


def test_remembering_twice_is_once(node: RunningNode) -> None:
    """A retry with the same id and content is welcome; another content under that id is refused."""
    assert [node.remember("a thing", id="one").status for _ in range(2)] == [201, 200]
    reply = node.remember("another thing", id="one")
    assert (reply.status, reply.code) == (409, "MEMORY_EXISTS")
    assert node.health()["spaces"][0]["episodes"] == 1


@pytest.mark.parametrize("form", ["base64", "numbers"])
def test_embeddings_are_kept_bit_for_bit(start_node: StartNode, form: str) -> None:
    """As base64 or as numbers, read back before and after a restart."""
    node = start_node()
    numbers = list(struct.unpack(f"<{DIMENSIONS}f", EXTREME))
    node.remember("x", id="e", embedding=base64.b64encode(EXTREME).decode() if form == "base64" else numbers)
    for _ in range(2):
        found = node.ask("GET", "/api/v1/memories/e").json["embedding"]
        assert struct.pack(f"<{DIMENSIONS}f", *found) == EXTREME
        node.stop()
        node = start_node(node.folder)


def test_a_text_recalls_itself(node: RunningNode) -> None:
    """By its words, and by its embedding."""
    node.remember("The heron waits beside the quiet river", id="heron")
    node.remember("Quarterly tax reports are due on Friday", id="tax")
    found = node.recall("a heron at the river", max_results=1).json
    assert [memory["id"] for memory in found["memories"]] == ["heron"]
    assert found["group"] == "treatment"
    embedding = json.dumps(node.ask("GET", "/api/v1/memories/tax").json["embedding"], separators=(",", ":"))
    reply = node.ask("GET", f"/api/v1/memories/recall?max_results=1&embedding={embedding}").json
    assert [memory["id"] for memory in reply["memories"]] == ["tax"]
    assert reply["memories"][0]["confidence"] == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[1]", 422),
        (b"null", 422),
        (b"", 422),
        (b'{"content": 7}', 422),
        (b'{"content": "  "}', 422),
        (b'{"content": "x", "contnet": "y"}', 422),
        (b'{"content": "x", "confidence": 1.5}', 422),
        (b'{"content": "x", "confidence": true}', 422),
        (b'{"content": "x", "confidence": NaN}', 400),
        (b'{"content": "x", "id": ""}', 422),
        (b'{"content": "x", "id": "a\\u0000b"}', 422),
        (b'{"content": "x", "embedding": [1, 2]}', 422),
        (b'{"content": "x", "timestamp": "yesterday"}', 422),
        (b'{"content": "x", "timestamp": "2026-01-01T00:00:00"}', 422),
        (b'{"content": "x", "timestamp": "0001-01-01T00:00:00+14:00"}', 422),
        (b'{"content": "x", "who": "ada"}', 422),
        (b'{"content": "x", "embedding_provenance": "somewhere"}', 422),
        (b'{"content": "x", "embedding_provenance": ' + b'{"a":' * 300 + b"1" + b"}" * 301, 422),
        (b'{"content": "x", "metadata": {"a": 1}}', 422),
        (b'{"content": "' + b"x" * 100_001 + b'"}', 422),
        (b'{"content": "' + b"x" * (1 << 20) + b'"}', 413),
        (b"[" * 100_000, 400),
    ],
)
def test_a_bad_memory_is_refused(shared_node: RunningNode, body: bytes, status: int) -> None:
    """In the contract's shape, and nothing is stored."""
    reply = shared_node.ask("POST", "/api/v1/memories/remember", body)
    assert reply.status == status
    assert set(reply.json["error"]) == {"code", "message", "hint"}
    assert shared_node.health()["spaces"][0]["episodes"] == 0


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("query=", 400),
        ("query=x&max_results=0", 422),
        ("query=x&max_results=nan", 422),
        ("query=x&max_results=many", 422),
        ("query=x&threshold=2", 422),
        ("query=x&observe=maybe", 422),
        ("embedding=[1]", 422),
        ("embedding=[", 422),
        ("embedding=" + "A" * WIDTH, 422),
    ],
)
def test_a_bad_recall_is_refused(shared_node: RunningNode, query: str, status: int) -> None:
    """Before anything is looked up, and without being counted."""
    assert shared_node.ask("GET", f"/api/v1/memories/recall?{query}").status == status
    assert shared_node.metrics()['engram_recall_errors_total{group="treatment",space="default"}'] == 0


def test_unknown_paths_and_methods_have_the_same_shape(shared_node: RunningNode) -> None:
    """404 and 405, as JSON."""
    assert shared_node.ask("GET", "/nowhere").code == "NOT_FOUND"
    assert shared_node.ask("PUT", "/health").code == "METHOD_NOT_ALLOWED"
    assert shared_node.admin("GET", "nowhere").status == 404
