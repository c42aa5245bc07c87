"""What a real nginx does with the requests of clients: whom it sends where, as whom, and what it keeps of it."""

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from ansible_collections.engram.ops.plugins.module_utils.split_render import rendered
from ansible_collections.engram.ops.plugins.module_utils.split_values import RATE, SALT, SPACES, split_of
from nginx_server import Nginx, nginx
from peers import Answer, Peer, Request, closed_port
from peers import http as answer
from running_node import wait_until

from runbook.adapters.access import count_file
from runbook.model.access import Calls
from runbook.model.assignment import in_treatment

SALT_HERE = "dual-memory"
NAMES = [f"space-{number}" for number in range(40)]
TREATED = next(name for name in NAMES if in_treatment(name, salt=SALT_HERE, share=0.25))
CONTROL = next(name for name in NAMES if not in_treatment(name, salt=SALT_HERE, share=0.25))
RECALL = "/api/v1/memories/recall"


class Door:
    """One door of a splitter, and the peers behind it that note what they are asked."""

    def __init__(self, server: Nginx, port: int, control: Peer, treatment: Peer) -> None:
        self.server, self._port, self.control, self.treatment = server, port, control, treatment

    def ask(
        self,
        path: str,
        method: str = "GET",
        headers: Mapping[str, str] = MappingProxyType({}),
        body: bytes | None = None,
    ) -> tuple[int, bytes]:
        """One request of a client."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request(method, path, body, dict(headers))
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def logged(self, marker: str) -> dict[str, Any]:
        """The line of the access log with that text in it, once it is there."""
        return dict(json.loads(wait_until(lambda: self._line(marker), f"no line with {marker}")))

    def _line(self, marker: str) -> str:
        lines = self.server.log.read_text().splitlines() if self.server.log.exists() else []
        return next((line for line in lines if marker in line), "")


def echo(request: Request) -> Answer:
    """What the node was told of space and group."""
    told = {name: request.headers.get(name) for name in ("x-memory-space", "x-engram-group", "host", "connection")}
    return answer({"path": request.path, **told})


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Door, Door]]:
    """A quarter is treated: by the same node behind the first door, by another one behind the second, with a mirror."""
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "split.d").mkdir()
    ports = [closed_port(), closed_port()]
    with Peer(echo) as one, Peer(echo) as two, Peer(echo) as three:
        routes = [
            {"listen": f"127.0.0.1:{ports[0]}", "control": [one.url]},
            {"listen": f"127.0.0.1:{ports[1]}", "control": [two.url], "treatment": [three.url + "/"], "mirror": True},
        ]
        values = {RATE: 0.25, SALT: SALT_HERE, SPACES: ["always"]}
        content = rendered(
            split_of(values, {"routes": routes, "log": str(folder / "split.log"), "default_space": CONTROL})
        )
        (folder / "split.d" / "engram-split.conf").write_text(content)
        with nginx(folder) as server:
            yield Door(server, ports[0], one, one), Door(server, ports[1], two, three)


@pytest.fixture
def door(doors: tuple[Door, Door]) -> Door:
    """One pool, told apart by the header."""
    return doors[0]


@pytest.fixture
def pools(doors: tuple[Door, Door]) -> Door:
    """Two pools, and a mirror."""
    return doors[1]


def test_the_header_tells_the_group(door: Door) -> None:
    """By the hash of the space, or by its name."""
    for space, group in ((TREATED, "treatment"), (CONTROL, "control"), ("always", "treatment")):
        told = json.loads(door.ask(RECALL + "?query=x", headers={"X-Memory-Space": space})[1])
        assert (told["x-engram-group"], told["x-memory-space"]) == (group, space)


@pytest.mark.parametrize("name", ["X-Engram-Group", "x-engram-group", "X_Engram_Group"])
def test_a_client_cannot_choose_its_group(door: Door, name: str) -> None:
    """Whatever it sets, however it is spelled: the node sees one group, that of the space."""
    for space, group in ((TREATED, "treatment"), (CONTROL, "control")):
        for said in ("treatment", "control", "x"):
            door.control.requests.clear()
            door.ask(RECALL + "?query=x", headers={"X-Memory-Space": space, name: said})
            (request,) = door.control.requests
            assert request.headers["x-engram-group"] == group
            assert "x_engram_group" not in request.headers


def test_the_space_is_read_in_the_order_of_the_node(door: Door) -> None:
    """The header, then the query, its last one; and the node is told what was read, so that both mean the same."""
    asked = [
        ({"X-Memory-Space": TREATED}, f"?space={CONTROL}", TREATED, "treatment"),
        ({"X-Memory-Space": ""}, f"?space={TREATED}", TREATED, "treatment"),
        ({}, f"?query=x&space={TREATED}&y=1", TREATED, "treatment"),
        ({}, f"?space={CONTROL}&space={TREATED}", TREATED, "treatment"),
        ({}, f"?subspace={TREATED}", CONTROL, "control"),
        ({}, "?space=", CONTROL, "control"),
        ({}, "", CONTROL, "control"),
        ({}, f"?space={TREATED[:-1]}%{ord(TREATED[-1]):x}", f"{TREATED[:-1]}%{ord(TREATED[-1]):x}", "control"),
    ]
    for headers, query, space, group in asked:
        told = json.loads(door.ask(RECALL + query, headers=headers)[1])
        assert (told["x-memory-space"], told["x-engram-group"]) == (space, group), (headers, query)


def test_two_pools_are_two_lists_of_nodes(pools: Door) -> None:
    """Writes of a treated space go where its recalls go."""
    pools.control.requests.clear()
    pools.treatment.requests.clear()
    for space in (TREATED, CONTROL):
        path = f"/api/v1/memories/remember?from={space}"
        assert pools.ask(path, "POST", {"X-Memory-Space": space}, b'{"content": "x"}')[0] == 200
    assert [request.path for request in pools.treatment.requests] == [f"/api/v1/memories/remember?from={TREATED}"]
    assert [request.path for request in pools.control.requests] == [f"/api/v1/memories/remember?from={CONTROL}"]
    assert pools.control.requests[0].body == b'{"content": "x"}'


def test_recalls_of_control_are_mirrored_without_a_trace(pools: Door) -> None:
    """To the treatment side, in its name, with observe=false; the client has the answer of control."""
    pools.treatment.requests.clear()
    told = json.loads(pools.ask(RECALL + "?query=caf%C3%A9&n=mirrored", headers={"X-Memory-Space": CONTROL})[1])
    assert told["x-engram-group"] == "control"
    wait_until(lambda: pools.treatment.requests, "no copy came")
    (copy,) = pools.treatment.requests
    assert copy.path == f"{RECALL}?query=caf%C3%A9&n=mirrored&observe=false"
    assert (copy.method, copy.headers["x-engram-group"], copy.headers["x-memory-space"]) == (
        "GET",
        "treatment",
        CONTROL,
    )


def test_nothing_else_is_mirrored(pools: Door) -> None:
    """No write, whatever its path; no recall that is treated already; none that leaves no trace itself; no lists."""
    pools.treatment.requests.clear()
    pools.ask(RECALL + "?query=x", "POST", {"X-Memory-Space": CONTROL}, b"{}")
    pools.ask(RECALL + "?query=x", "HEAD", {"X-Memory-Space": CONTROL})
    pools.ask(RECALL + "?query=x&observe=false", headers={"X-Memory-Space": CONTROL})
    pools.ask("/api/v1/memories/remember", "POST", {"X-Memory-Space": CONTROL}, b"{}")
    pools.ask("/api/v1/memories/abc", "DELETE", {"X-Memory-Space": CONTROL})
    pools.ask("/api/v1/memories", headers={"X-Memory-Space": CONTROL})
    pools.ask("/engram-mirror", headers={"X-Memory-Space": CONTROL})
    pools.ask(
        RECALL + "?query=last", headers={"X-Memory-Space": CONTROL}
    )  # a copy of this one comes, and is the only one
    wait_until(lambda: pools.treatment.requests, "no copy came")
    pools.ask(RECALL + "?query=treated", headers={"X-Memory-Space": TREATED})
    paths = [request.path for request in pools.treatment.requests]
    assert sorted(paths) == [f"{RECALL}?query=last&observe=false", f"{RECALL}?query=treated"]


def test_a_mirror_that_hangs_holds_no_client(doors: tuple[Door, Door]) -> None:
    """Each has its answer while the copy waits; the copy is given up, and told apart in the log."""
    pools = doors[1]
    held = threading.Event()
    usual, pools.treatment.answer = pools.treatment.answer, lambda _: lambda _line: held.wait(20) and None
    try:
        for number in range(3):
            status, _ = pools.ask(f"{RECALL}?query=hanging{number}", headers={"X-Memory-Space": "hang-1"})
            assert status == 200
        line = wait_until(lambda: _mirrored(pools, "hang-1"), "no line of a copy")
        assert (line["status"], line["group"]) == ("504", "control")
    finally:
        held.set()
        pools.treatment.answer = usual


def _mirrored(door: Door, space: str) -> dict[str, Any] | None:
    lines = [json.loads(line) for line in door.server.log.read_text().splitlines()]
    return next((line for line in lines if line["call"] == "mirror" and line["space"] == space), None)


def test_the_log_has_space_group_status_and_time(door: Door) -> None:
    """One JSON object a line, whatever a client puts into it; and never what was asked or said."""
    hostile = 'x"}\\,{"y\t'
    door.ask(RECALL + "?query=secret-words", headers={"X-Memory-Space": TREATED})
    line = door.logged(f'"{TREATED}"')
    assert {"time", "call", "space", "group", "method", "status", "seconds", "upstream_status"} <= set(line)
    assert (line["call"], line["group"], line["status"], line["method"]) == ("recall", "treatment", "200", "GET")
    assert line["seconds"] >= 0 < line["time"]
    door.ask("/api/v1/memories", headers={"X-Memory-Space": hostile + "marker"})
    told = door.logged("marker")
    assert (told["space"].rstrip(), told["group"], told["call"]) == (hostile + "marker", "control", "other")
    assert "secret-words" not in door.server.log.read_text()


def test_a_node_that_is_gone_is_an_error_of_nginx_itself(door: Door) -> None:
    """Told apart from an error of the node: nothing came from there."""
    usual, door.control.answer = door.control.answer, lambda _: lambda line: line.close()
    try:
        assert door.ask(RECALL + "?query=x", headers={"X-Memory-Space": "gone-1"})[0] == 502
    finally:
        door.control.answer = usual
    line = door.logged('"gone-1"')
    assert (line["status"], line["upstream_seconds"]) == ("502", "-")


def test_what_nginx_writes_is_what_the_counter_reads(door: Door) -> None:
    """Every line of it, whatever clients sent; a name that is none comes into no report."""
    for space in ("counted-1", "counted-1", 'hostile"}\\'):
        door.ask(RECALL + "?query=x", headers={"X-Memory-Space": space})
    usual, door.control.answer = door.control.answer, lambda _: answer(b"", "503 Service Unavailable")
    try:
        door.ask(RECALL + "?query=x", headers={"X-Memory-Space": "counted-1"})
    finally:
        door.control.answer = usual
    door.logged('"503"')
    found = count_file(door.server.log, None, None)
    (row,) = (each for each in found.spaces if each.space == "counted-1")
    assert row.control + row.treatment == Calls(3, 1, 0)
    assert found.nameless["control"].calls
    assert (found.garbage, found.torn) == (0, 0)


def test_nobody_reaches_the_admin_side_through_it(door: Door) -> None:
    """Settings and data of a node are asked of the node itself."""
    door.control.requests.clear()
    for path in ("/api/v1/admin/config", "/api/v1/%61dmin/export", "//api/v1/admin/features"):
        status, body = door.ask(path)
        assert (status, json.loads(body)["error"]["code"]) == (403, "FORBIDDEN")
    assert not door.control.requests


def test_names_of_spaces_are_told_to_readers_only(door: Door) -> None:
    """This host is one; a network that is named is one; the rest of the world is not."""
    assert json.loads(door.ask("/engram-splitter")[1])[SPACES] == ["always"]
    assert door.ask("/engram-splitter", headers={"X-Forwarded-For": "192.0.2.1"})[0] == 403  # a proxy on this host
    routes = [{"listen": "*:80", "control": ["http://127.0.0.1:1"]}]
    text = rendered(
        split_of({RATE: 0.0, SALT: "", SPACES: []}, {"routes": routes, "log": "/x", "readers": ["10.1.0.0/16"]})
    )
    assert "geo $engram_reader {\n    default '';\n    127.0.0.0/8 1;\n    ::1 1;\n    10.1.0.0/16 1;\n}" in text
