"""Streams with every kind of broken peer: bounded in silence and not in length, and the reason is named."""

import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import pytest
from peers import Answer, Peer, closed_port, dripping, hang, http, reset

from runbook.wire import NoReplyError, Reply, StreamingWire

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def get(answer: Answer, idle: float = 5.0) -> Reply:
    """One GET to a peer that answers like that."""
    with Peer(lambda _: answer) as peer, StreamingWire(idle=idle).exchange("GET", f"{peer.url}/x?y=1") as streamed:
        assert peer.requests[0].path == "/x?y=1"
        return streamed.reply()


def test_an_answer_of_any_size_comes_in_pieces_of_a_mebibyte() -> None:
    """At most; what comes is what was sent."""
    body = bytes(range(256)) * 16384
    with (
        Peer(lambda _: http(body)) as peer,
        StreamingWire().exchange("GET", peer.url) as streamed,
    ):
        pieces = list(streamed.chunks())
    assert b"".join(pieces) == body
    assert max(map(len, pieces)) <= 1 << 20
    with pytest.raises(NoReplyError, match="more than 1 MiB"):
        get(http(body))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (hang, "no answer"),
        (reset, "connection broke"),
        (b"", "connection broke"),
        (b"\x00\xff" * 100 + b"\n", "connection broke"),
        (HEAD + b"Content-Length: 100\r\n\r\n{}", "connection broke"),
        (CHUNKED + b"5\r\nab", "connection broke"),
        (CHUNKED + b"2\r\nab\r\n", "connection broke"),
        (CHUNKED + b"zz\r\nab\r\n", "connection broke"),
        (dripping(HEAD + b"X: ", b"y"), "no answer within"),
    ],
    ids=[
        "hang",
        "reset",
        "close",
        "not http",
        "cut body",
        "cut chunk",
        "no last chunk",
        "bad chunk",
        "drip of headers",
    ],
)
def test_a_broken_answer_is_no_end_of_the_stream(answer: Answer, said: str) -> None:
    """Above all not one that was cut: it must never read as a whole one."""
    with pytest.raises(NoReplyError, match=said):
        get(answer, idle=0.4)


def test_a_stall_in_the_middle_ends_the_stream() -> None:
    """Nothing for `idle` seconds is the end; what came before had come."""

    def stall(line: socket.socket) -> None:
        line.sendall(CHUNKED + b"3\r\nabc\r\n")
        hang(line)

    with Peer(lambda _: stall) as peer, StreamingWire(idle=0.3).exchange("GET", peer.url) as streamed:
        assert streamed.status == 200
        with pytest.raises(NoReplyError, match="timed out"):
            list(streamed.chunks())


def test_nobody_listens() -> None:
    """Refused at once, and asking again may help."""
    with (
        pytest.raises(NoReplyError, match="refused") as caught,
        StreamingWire().exchange("GET", f"http://127.0.0.1:{closed_port()}"),
    ):
        pass
    assert caught.value.again


def test_a_redirect_is_an_answer_and_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token would go along; nor does a proxy of the environment see the request."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    with Peer(lambda _: http(status="302 Found", Location="/elsewhere")) as peer:
        with StreamingWire().exchange("GET", peer.url, headers={"Authorization": "Bearer x"}) as streamed:
            assert streamed.reply().status == 302
        assert len(peer.requests) == 1


def uploaded(line: socket.socket, raw: bytes) -> bytes:
    """What comes in chunks, up to the last one; `raw` had come with the head."""
    while not raw.endswith(b"0\r\n\r\n"):
        piece = line.recv(65536)
        if not piece:
            break
        raw += piece
    return raw


def test_an_upload_goes_as_it_comes_and_waits_for_the_answer() -> None:
    """In chunks; the body is never held as a whole."""
    seen: list[bytes] = []

    def take(raw: bytes, line: socket.socket) -> None:
        seen.append(uploaded(line, raw))
        line.sendall(http({"ok": True}, status="201 Created"))

    with (
        Peer(lambda request: partial(take, request.body)) as peer,
        StreamingWire().exchange("POST", peer.url, body=iter([b"one", b"two"])) as streamed,
    ):
        assert (streamed.status, streamed.reply().json()) == (201, {"ok": True})
        assert peer.requests[0].headers["transfer-encoding"] == "chunked"
    assert seen[0].endswith(b"3\r\ntwo\r\n0\r\n\r\n")


def test_an_answer_before_the_end_of_the_upload_is_heard() -> None:
    """A refusal is worth more than the broken pipe."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    def refuse(line: socket.socket) -> None:
        line.sendall(http({"error": {"message": "no"}}, status="401 Unauthorized"))
        line.shutdown(socket.SHUT_RD)

    with (
        Peer(lambda _: refuse) as peer,
        StreamingWire(idle=5).exchange("POST", peer.url, body=endless()) as streamed,
    ):
        assert streamed.status == 401


def test_an_upload_whose_source_fails_is_never_ended(tmp_path: Path) -> None:
    """The peer sees a cut, not an end; whoever uploads sees the error of the source."""
    seen: SimpleQueue[bytes] = SimpleQueue()

    def broken() -> Iterator[bytes]:
        yield b"one"
        (tmp_path / "none").read_bytes()

    def take(raw: bytes, line: socket.socket) -> None:
        seen.put(uploaded(line, raw))

    with Peer(lambda request: partial(take, request.body)) as peer:
        with pytest.raises(FileNotFoundError), StreamingWire().exchange("POST", peer.url, body=broken()):
            pass
        assert not seen.get(timeout=20).endswith(b"0\r\n\r\n")


def test_a_peer_that_takes_nothing_ends_the_upload() -> None:
    """After `idle` seconds in which not one byte of it could be sent."""

    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    over = threading.Event()
    with Peer(lambda _: lambda _: over.wait(20) and None) as peer:
        with (
            pytest.raises(NoReplyError, match="timed out"),
            StreamingWire(idle=0.4).exchange("POST", peer.url, body=endless()),
        ):
            pass
        over.set()
