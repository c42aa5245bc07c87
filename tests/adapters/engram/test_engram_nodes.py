"""The admin side of nodes: every way in which it can fail becomes a silence with its reason, and no token leaks."""

import logging
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from peers import Answer, Peer, Request, closed_port, dripping, endless, hang, http, reset
from running_node import RunningNode, StartNode, wait_until

from runbook.adapters.engram import EngramNodes
from runbook.errors import LockedError, RefusedError
from runbook.model.measurement import Silence
from runbook.model.settings import Type, defaults, setting_of
from runbook.model.target import Node
from runbook.wire import Wire

FEATURES, CONFIG = "/api/v1/admin/features", "/api/v1/admin/config"
METRICS, LEASE = "/metrics/prometheus", "/api/v1/admin/lease"
NOT_FOUND = http("", "404 Not Found")


def adapter(said: list[str] | None = None, *, allow_plain_http: bool = False) -> EngramNodes:
    """With short limits, and without waiting before a retry."""
    wire = Wire(connect=1.0, read=0.4, total=0.6, limit_bytes=1 << 20)
    on_retry = (said if said is not None else []).append
    return EngramNodes(allow_plain_http=allow_plain_http, on_retry=on_retry, wire=wire, sleep=lambda _: None)


def by_path(answers: dict[str, Answer]) -> Callable[[Request], Answer]:
    """Answers by path, 404 for the rest."""
    return lambda request: answers.get(request.path, NOT_FOUND)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """A token as it should be kept."""
    path = tmp_path / "token"
    path.write_text("hunter2-secret\n")
    path.chmod(0o600)
    return path


BROKEN: list[tuple[Answer, str]] = [
    (hang, "timed out"),
    (reset, "connection broke"),
    (dripping(b"HTTP/1.1 200 OK\r\nX: ", b"y"), "no complete answer"),
    (endless, "more than 1 MiB"),
    (http("<html>"), "HTML instead of JSON"),
    (http("[]"), "no object"),
    (http("", "302 Found", Location="http://evil.example/"), "not followed"),
    (http({"error": {"message": "no"}}, "401 Unauthorized"), "HTTP 401: no"),
    (http("", "403 Forbidden"), "HTTP 403"),
    (http("", "500 Internal Server Error"), "HTTP 500"),
    (http({"unknown.key": 1}), "not supported"),
]


@pytest.mark.parametrize(("answer", "why"), BROKEN, ids=[why for _, why in BROKEN])
def test_a_broken_admin_side_is_a_silence_with_its_reason(answer: Answer, why: str) -> None:
    """Nothing is raised for a node."""
    with Peer(lambda _: answer) as peer:
        found = adapter().settings([Node("n", peer.url)])["n"]
    assert isinstance(found, Silence)
    assert why in found.reason


def test_what_is_unknown_or_does_not_fit_is_left_out() -> None:
    """Keys of a newer node, values of another type and out of range are no settings; the rest counts."""
    config = {
        "dual_memory.coherence_threshold": 7,
        "dual_memory.min_cluster_size": "3",
        "dual_memory.concept_sample_rate": 1,
        "dual_memory.treatment_spaces": ["x"],
        "dual_memory.enabled": True,
        "newer": {},
    }
    with Peer(by_path({FEATURES: http({"dual_memory.enabled": 1}), CONFIG: http(config)})) as peer:
        found = adapter().settings([Node("n", peer.url)])["n"]
    assert found == {"dual_memory.concept_sample_rate": 1.0, "dual_memory.treatment_spaces": ("x",)}
    assert isinstance(found["dual_memory.concept_sample_rate"], float)


def test_without_admin_paths_the_metrics_tell(node: RunningNode) -> None:
    """A node of an older release: what its metrics say it runs with, in the settings' types."""
    exposition = node.ask("GET", METRICS).body
    with Peer(by_path({METRICS: http(exposition, Content_Type="text/plain")})) as peer:
        found = adapter().settings([Node("n", peer.url)])["n"]
    told = {key: value for key, value in defaults().items() if setting_of(key).type not in {Type.TEXT, Type.LIST}}
    assert found == told
    assert {key: type(value) for key, value in told.items()} == {key: type(value) for key, value in found.items()}


def test_a_retry_is_said_and_can_save_the_day() -> None:
    """Two failures, then the answer."""
    answers: list[Answer] = [reset, http("", "503 Busy", Retry_After="1"), http({"dual_memory.enabled": True})]
    said: list[str] = []
    with Peer(lambda request: answers.pop(0) if request.path == FEATURES else http({})) as peer:
        assert adapter(said).settings([Node("n", peer.url)])["n"] == {"dual_memory.enabled": True}
    assert [text.partition(";")[0] for text in said] == [
        "n: the connection broke before the answer was complete",
        "n: HTTP 503: Busy" if "Busy" in said[1] else "n: HTTP 503: Service Unavailable",
    ]


def test_a_timeout_is_not_tried_again() -> None:
    """It has cost enough time already."""
    said: list[str] = []
    with Peer(lambda _: hang) as peer:
        adapter(said).settings([Node("n", peer.url)])
        assert (said, len(peer.requests)) == ([], 1)


def test_the_token_goes_to_admin_paths_only_and_is_seen_nowhere(
    token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in logs, silences, errors or representations; and a redirect does not get it."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    with Peer(lambda _: http({})) as elsewhere:
        answers = {CONFIG: http("", "307 Temporary Redirect", Location=f"{elsewhere.url}/steal"), FEATURES: http({})}
        with Peer(by_path(answers)) as peer:
            node = Node("n", peer.url, token_file=token_file)
            nodes = adapter(said)
            found = nodes.settings([node])
            assert {request.headers.get("authorization") for request in peer.requests} == {"Bearer hunter2-secret"}
        assert elsewhere.requests == []
    assert "hunter2" not in repr((found, node, nodes, said)) + caplog.text


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_token_that_others_can_read_is_refused(token_file: Path, mode: int) -> None:
    """With the command that puts it right."""
    token_file.chmod(mode)
    with pytest.raises(RefusedError) as caught:
        adapter().settings([Node("n", "http://127.0.0.1:1", token_file=token_file)])
    assert caught.value.hint == f"chmod 600 {token_file}"


@pytest.mark.parametrize("kind", ["missing", "empty", "two lines", "binary", "folder", "pipe"])
def test_a_token_file_without_a_token_silences_its_node(tmp_path: Path, kind: str) -> None:
    """Only that node, without a request, and without hanging on a pipe."""
    path = tmp_path / "token"
    match kind:
        case "empty" | "two lines" | "binary":
            path.write_bytes({"empty": b"\n", "two lines": b"a\r\nX-Evil: b\n", "binary": b"\x00\xff"}[kind])
            path.chmod(0o600)
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path, 0o600)
    with Peer(by_path({FEATURES: http({"dual_memory.enabled": True}), CONFIG: http({})})) as peer:
        found = adapter().settings([Node("bad", peer.url, token_file=path), Node("good", peer.url)])
        assert all("authorization" not in request.headers for request in peer.requests)
    silence = found["bad"]
    assert isinstance(silence, Silence)
    assert "token file" in silence.reason
    assert found["good"] == {"dual_memory.enabled": True}


@pytest.mark.parametrize("url", ["http://engram.example:7432", "http://192.0.2.1", "http://127.0.0.1.example"])
def test_a_token_over_plain_http_to_another_machine_is_refused(token_file: Path, url: str) -> None:
    """Unless the target allows it; then the request is made (and fails, because nobody is there)."""
    node = Node("n", url, token_file=token_file)
    with pytest.raises(RefusedError) as caught:
        adapter().settings([node])
    assert "allow_plain_http" in caught.value.hint


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.8.9.10"])
def test_loopback_and_https_may_have_the_token(token_file: Path, host: str) -> None:
    """Nobody listens there, which is all that is found out."""
    for scheme in ("http", "https"):
        node = Node("n", f"{scheme}://{host}:{closed_port()}", token_file=token_file)
        assert isinstance(adapter().settings([node])["n"], Silence)


def test_a_target_may_allow_plain_http(token_file: Path) -> None:
    """Then the refusal is gone; the name does not exist, so no token leaves the machine."""
    node = Node("n", "http://engram.invalid", token_file=token_file)
    found = adapter(allow_plain_http=True).settings([node])["n"]
    assert isinstance(found, Silence)


def test_a_lease_that_is_refused_for_another_reason_is_said(node: RunningNode) -> None:
    """A wrong token holds nothing; the play will fail for the same reason, so the run is not stopped here."""
    said: list[str] = []
    with adapter(said).lease([Node("n", node.url)], "ann", "run-1", timedelta(seconds=9)):
        assert node.admin("GET", "lease").json["lease"] is None
    assert "HTTP 401" in said[0]


def test_a_lost_lease_is_said_and_left_alone(node: RunningNode) -> None:
    """Another run took it while the network was away: it is neither fought for nor given back."""
    said: list[str] = []
    place = Node("n", node.url, token_file=node.token_file)
    with adapter(said).lease([place], "ann", "run-1", timedelta(seconds=0.6)) as lost:
        assert lost() == ""
        node.admin("DELETE", "lease", {"run": "run-1", "holder": "ann"})
        node.admin("POST", "lease", {"run": "run-2", "holder": "bob", "ttl_seconds": 60})
        if not said:  # a renewal between the two lines above has it back: then it is not lost
            wait_until(lambda: said or node.admin("GET", "lease").json["lease"]["run"] == "run-1", "nothing was said")
        assert lost() == "".join(said)
    current = node.admin("GET", "lease").json["lease"]
    assert (current or {}).get("run") == ("run-2" if said else None)
    assert not said or "lost to bob, run run-2" in said[0]


def test_a_holder_that_was_killed_holds_no_longer_than_its_lease(start_node: StartNode) -> None:
    """As after kill -9: nobody renews, and the next run gets in."""
    node = start_node()
    place = Node("n", node.url, token_file=node.token_file)
    node.admin("POST", "lease", {"run": "run-1", "holder": "ann", "ttl_seconds": 0.3})

    def enters() -> bool:
        try:
            with adapter().lease([place], "bob", "run-2", timedelta(seconds=30)):
                return True
        except LockedError:
            return False

    wait_until(enters, "the lease did not fall")


@pytest.mark.parametrize("body", ["<html>", "", [], {"error": "held"}, {"error": {"message": "held by ann"}}])
def test_a_refusal_that_names_nobody_is_still_a_refusal(body: object) -> None:
    """409 is 409, whatever else is said."""
    with (
        Peer(by_path({LEASE: http(body, "409 Conflict")})) as peer,
        pytest.raises(LockedError) as caught,
        adapter().lease([Node("n", peer.url)], "bob", "run-2", timedelta(seconds=9)),
    ):
        pytest.fail("it must not get in")
    assert "node n is locked by" in caught.value.message
