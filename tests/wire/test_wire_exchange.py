"""One exchange with every kind of broken peer: bounded, and the reason is named."""

import gzip

import pytest
from peers import Answer, Peer, closed_port, dripping, endless, hang, http, reset

from runbook.errors import ExitCode
from runbook.wire import NoReplyError, Reply, Wire
from runbook.wire.exchange import printable


def ask(answer: Answer, **limits: float) -> Reply:
    """One GET to a peer that answers like that."""
    with Peer(lambda _: answer) as peer:
        return Wire(**limits).exchange("GET", f"{peer.url}/x")  # type: ignore[arg-type]  # all limits are numbers


def reason(answer: Answer, **limits: float) -> str:
    """Why that answer is none."""
    with pytest.raises(NoReplyError) as caught:
        ask(answer, **limits).checked().json()
    assert caught.value.code is ExitCode.UNREACHABLE
    return caught.value.message


def test_a_good_answer_comes_whole() -> None:
    """Status, headers in small letters, and body, compressed or not."""
    reply = ask(http({"a": 1}, Content_Type="application/json"))
    assert (reply.status, reply.headers["content-type"], reply.json()) == (200, "application/json", {"a": 1})
    assert ask(http(gzip.compress(b"[1]"), Content_Encoding="gzip")).json() == [1]


HEAD = b"HTTP/1.1 200 OK\r\n"
BROKEN: list[tuple[str, Answer, str]] = [
    ("hang", hang, "connected, but no answer"),
    ("reset", reset, "connection broke"),
    ("close", b"", "connection broke"),
    ("not http", b"\x00\xff" * 100 + b"\n", "connection broke"),
    ("ssh", b"SSH-2.0-OpenSSH_9.2p1\r\n", "connection broke"),
    ("cut body", HEAD + b"Content-Length: 100\r\n\r\n{}", "connection broke"),
    ("cut chunk", HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}", "connection broke"),
    ("bad chunk", HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}", "connection broke"),
    ("drip of headers", dripping(HEAD + b"X: ", b"y"), "no complete answer within"),
    ("drip of body", dripping(HEAD + b"Content-Length: 9999\r\n\r\n", b" "), "no complete answer within"),
    (
        "drip of chunk size",
        dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
        "no complete answer within",
    ),
    ("flood", endless, "more than 1 MiB"),
    ("bomb", http(gzip.compress(bytes(64 << 20)), Content_Encoding="gzip"), "more than 1 MiB"),
    ("false gzip", http(b"plain", Content_Encoding="gzip"), "not HTTP as it should be"),
    ("html", http("<html>hello</html>"), "HTML instead of JSON"),
    ("empty", http(""), "nothing instead of JSON"),
    ("garbage", http("garbage"), "something instead of JSON"),
    ("cut json", http('{"a": '), "something instead of JSON"),
    ("nan", http('{"a": NaN}'), "something instead of JSON"),
    ("redirect", http("", "302 Found", Location="http://elsewhere.example/"), "redirects to http://elsewhere.example/"),
    ("401", http({"error": {"message": "token wrong"}}, "401 Unauthorized"), "HTTP 401: token wrong"),
    ("403", http("<html>", "403 Forbidden"), "HTTP 403: Forbidden"),
    ("500", http("oops", "500 Internal Server Error"), "HTTP 500: Internal Server Error"),
    ("201", http("{}", "201 Created"), "HTTP 201: Created"),
    ("odd error", http({"error": "text"}, "418 I'm a Teapot"), "HTTP 418"),
]


@pytest.mark.parametrize(("answer", "why"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_a_broken_answer_is_named_and_bounded(answer: Answer, why: str) -> None:
    """No kind of peer hangs the command, fills its memory or ends it with a traceback."""
    assert why in reason(answer, connect=1.0, read=0.5, total=0.7, limit_bytes=1 << 20)


def test_a_dead_port_and_an_unknown_host_are_named() -> None:
    """A refusal may be a restart, so it may be tried again."""
    with pytest.raises(NoReplyError, match="connection refused") as caught:
        Wire().exchange("GET", f"http://127.0.0.1:{closed_port()}/")
    assert caught.value.again
    with pytest.raises(NoReplyError, match="cannot be resolved"):
        Wire().exchange("GET", "http://host.invalid/")
    with pytest.raises(NoReplyError, match="TLS failed"), Peer(lambda _: http("plain")) as peer:
        Wire().exchange("GET", peer.url.replace("http", "https"))


@pytest.mark.parametrize(
    ("status", "again"), [("429 x", True), ("503 x", True), ("500 x", True), ("501 x", False), ("404 x", False)]
)
def test_only_what_may_pass_is_worth_another_try(status: str, again: bool) -> None:  # noqa: FBT001  # a table of facts
    """And a peer may say how long it wants to be left alone, in seconds."""
    for after, seconds in (("7", 7.0), ("-1", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("9" * 30, None)):
        with pytest.raises(NoReplyError) as caught:
            ask(http("", status, Retry_After=after)).checked()
        assert (caught.value.again, caught.value.after, caught.value.status) == (again, seconds, int(status[:3]))


def test_a_peer_cannot_drive_the_terminal() -> None:
    """Escape sequences and line ends of a peer's words are taken out, and the words are cut."""
    assert reason(http({"error": {"message": "\x1b[2Jgone\r\n"}}, "400 Bad")) == "HTTP 400:  [2Jgone  "
    assert len(printable("x" * 10_000)) == 200


def test_the_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token would go through it."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    assert ask(http({})).json() == {}


def test_a_wire_recovers_after_a_cut() -> None:
    """What was left of a broken answer is never taken for the next one."""
    answers: list[Answer] = [dripping(HEAD + b"Content-Length: 9999\r\n\r\n", b" "), http({"good": 1})]
    with Peer(lambda _: answers.pop(0)) as peer:
        wire = Wire(total=0.3)
        with pytest.raises(NoReplyError):
            wire.exchange("GET", peer.url)
        assert wire.exchange("GET", peer.url).json() == {"good": 1}


def test_the_body_is_not_in_the_representation() -> None:
    """A document with a secret in it does not end up in a traceback."""
    assert "hunter2" not in repr(ask(http("hunter2")))
