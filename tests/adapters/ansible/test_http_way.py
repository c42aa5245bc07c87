"""The way over http against peers that misbehave: each a clear message, nothing sent twice that should not be."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ansible_collections.engram.ops.plugins.plugin_utils import exchange, http_node, http_way
from ansible_collections.engram.ops.plugins.plugin_utils.brake import together
from ansible_collections.engram.ops.plugins.plugin_utils.change import Wish, apply
from ansible_collections.engram.ops.plugins.plugin_utils.problems import UnreachableNodeError, WayError
from ansible_collections.engram.ops.plugins.plugin_utils.told import told_by
from misbehaving_peer import Peer, answer, dripping, listening, silence

KEY = "dual_memory.concept_sample_rate"
CANARY = "canary-7f3a"


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".example"])
def test_a_name_that_no_host_can_have_is_told_as_that(host: str) -> None:
    """Not with a traceback of the resolver."""
    with pytest.raises(WayError, match="is no name of a host") as told:
        exchange.exchange(urlsplit(f"http://{host}:1"), "GET", "/", "", None)
    assert told.value.reason == "usage"


def way(url: str, token: str = CANARY) -> http_way.HttpWay:
    """The way to a node at that address."""
    return http_way.HttpWay(http_node.HttpNode(url, token), "config")


@pytest.mark.parametrize(
    ("reply", "words", "reason"),
    [
        (answer(200, b"<html>hello</html>", kind="text/html"), "text/html instead of a JSON object", "broken"),
        (answer(200, []), "instead of a JSON object", "broken"),
        (answer(200, b'{"a": ', kind="application/json"), "instead of a JSON object", "broken"),
        (answer(200, {"other": 1}), f"it has no setting {KEY}", "not_supported"),
        (answer(401, {"error": {"message": CANARY}}), "refused the token (401)", "refused"),
        (answer(404, b""), "not supported by this node", "not_supported"),
        (answer(422, {"error": {"message": "out of range", "hint": "0..1"}}), "(422): out of range 0..1", "refused"),
        (answer(409, {"error": {"message": f"held, {CANARY}"}}), "(409): held, ********", "refused"),
        (answer(500, b"<h1>oops"), "was answered 500", "broken"),
        (answer(301, b"", extra="Location: http://127.0.0.1:1/\r\n"), "was answered 301", "broken"),
        (answer(503, {"error": {"message": "frozen"}}, extra="Retry-After: 3600\r\n"), "asks for 3600", "broken"),
        (b"garbage\r\n\r\n", "does not speak HTTP", "broken"),
    ],
)
def test_an_answer_that_is_no_setting_is_said_clearly(reply: bytes, words: str, reason: str) -> None:
    """The message tells what came, and the token is never in it."""
    with listening(lambda _peer, _request: reply) as peer, pytest.raises(WayError) as caught:
        way(peer.url).read(KEY, 0.1)
    assert words in str(caught.value)
    assert CANARY not in str(caught.value)
    assert caught.value.reason == reason
    assert len(peer.requests) == 1


def test_a_busy_node_is_asked_again_and_every_retry_is_shown() -> None:
    """503 with Retry-After is waited for; the result names the retries."""
    replies = iter([answer(503, {}, extra="Retry-After: 0\r\n"), answer(200, {KEY: 0.05})])
    with listening(lambda _peer, _request: next(replies)) as peer:
        result = apply(way(peer.url), Wish(KEY, 0.05), check=False)
    assert result["changed"] is False
    assert len(result["retries"]) == 1
    assert "tried again 1 x" in result["msg"]


def test_retries_are_bounded() -> None:
    """A node that is busy for ever is given up after three tries."""
    reply = answer(503, {"error": {"message": "frozen"}}, extra="Retry-After: 0\r\n")
    with listening(lambda _peer, _request: reply) as peer:
        result = apply(way(peer.url), Wish(KEY, 0.05), check=False)
    assert result["failed"] is True
    assert len(peer.requests) == 3


def test_a_hanging_node_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts the connection and says nothing."""
    monkeypatch.setattr(exchange, "WHOLE_SECONDS", 0.3)
    with (
        listening(lambda peer, _request: silence(peer)) as peer,
        pytest.raises(UnreachableNodeError, match="did not answer"),
    ):
        way(peer.url).read(KEY, 0.1)


def test_a_node_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each read is in time, but the whole is not: a timeout per read would wait for ever."""
    monkeypatch.setattr(exchange, "WHOLE_SECONDS", 0.5)

    def drip(peer: Peer, _request: bytes) -> Iterator[bytes]:
        return dripping(peer, b"HTTP/1.1 200 x\r\nContent-Length: 1000000\r\n\r\n{")

    with listening(drip) as peer, pytest.raises(UnreachableNodeError, match="did not answer GET within"):
        way(peer.url).read(KEY, 0.1)


def test_headers_that_drip_are_cut_off_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is on the whole of the exchange."""
    monkeypatch.setattr(exchange, "WHOLE_SECONDS", 0.5)
    drip = listening(lambda peer, _request: dripping(peer, b"HTTP/1.1 200 x\r\nX: "))
    with drip as peer, pytest.raises(UnreachableNodeError, match="did not answer GET within"):
        way(peer.url).read(KEY, 0.1)


def test_an_answer_that_is_cut_short_is_no_answer() -> None:
    """The node dies in the middle of its answer."""
    reply = answer(200, {KEY: 0.1})[:-1]
    with listening(lambda _peer, _request: reply) as peer, pytest.raises(UnreachableNodeError, match="in the middle"):
        way(peer.url).read(KEY, 0.1)


def test_a_dead_port_is_unreachable() -> None:
    """Nobody listens."""
    with listening(lambda peer, _request: silence(peer)) as peer:
        url = peer.url
    with pytest.raises(UnreachableNodeError, match="no connection to 127"):
        way(url).read(KEY, 0.1)


def test_a_change_whose_answer_is_lost_is_said_to_be_uncertain() -> None:
    """The node dies while it is asked to change: the old value is known, what it has now is not."""

    def script(_peer: object, request: bytes) -> bytes:
        return b"" if request.startswith(b"PATCH") else answer(200, {KEY: 0.1})

    with listening(script) as peer:
        result = apply(way(peer.url), Wish(KEY, 0.05), check=False)
    assert result["unreachable"] is True
    assert result["old"] == 0.1
    assert "may have taken effect" in result["msg"]


def test_a_node_that_accepts_and_ignores_fails() -> None:
    """What is read back decides, not what the node answered."""
    with listening(lambda _peer, _request: answer(200, {KEY: 0.1})) as peer:
        result = apply(way(peer.url), Wish(KEY, 0.05), check=False)
    assert (result["failed"], result["reason"], result["old"], result["read_back"]) == (True, "ignored", 0.1, 0.1)


def test_a_check_sends_nothing_but_reads() -> None:
    """Under --check the change is predicted, and only GET is seen by the node."""
    with listening(lambda _peer, _request: answer(200, {KEY: 0.1})) as peer:
        result = apply(way(peer.url), Wish(KEY, 0.05), check=True)
    assert result["changed"] is True
    assert (result["diff"]["before"], result["diff"]["after"]) == ("0.1\n", "0.05\n")
    assert [request.split(b" ")[0] for request in peer.requests] == [b"GET"]


def test_a_token_is_not_sent_in_the_clear_to_another_machine() -> None:
    """Loopback may, others need https or a permission."""
    for url in (
        "http://127.0.0.1:1",
        "http://[::1]:1",
        "http://localhost:1",
        "https://node.example",
        "HTTP://127.9.9.9",
    ):
        http_node.HttpNode(url, CANARY)
    http_node.HttpNode("http://node.example", "")
    http_node.HttpNode("http://node.example", CANARY, allow_plain_http=True)
    for url in ("http://node.example", "http://10.0.0.1", "http://127.0.0.1.example", "http://localhost.example:80"):
        with pytest.raises(WayError, match="not sent over plain http"):
            http_node.HttpNode(url, CANARY)


@pytest.mark.parametrize(
    "url",
    ["", "node-1", "ftp://x", "http://", "http://u:p@127.0.0.1", "http://127.0.0.1:99999", "http://[::1", "http://x?y"],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(WayError) as caught:
        way(url)
    assert caught.value.reason == "usage"


@pytest.mark.parametrize("content", [b"", b"\n", b"two words", b"a\r\nX-Evil: 1", b"\xff\xfe", b"a\x00b"])
def test_a_token_file_must_hold_one_token(content: bytes, tmp_path: Path) -> None:
    """The message names the file, never what is in it."""
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(WayError) as caught:
        http_node.token_from(path)
    assert str(path) in str(caught.value)
    assert "Evil" not in str(caught.value)


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    """So that the person knows which."""
    with pytest.raises(WayError, match="absent cannot be read"):
        http_node.token_from(tmp_path / "absent")


@pytest.mark.parametrize("part", ['name="a"', '\nengram_config_value{name="a"', '\nengram_config_value{name="a'])
def test_a_hostile_megabyte_of_metrics_is_read_in_a_moment(part: str) -> None:
    """No sample in it, and no way to match it again and again; the one behind it is found."""
    body = f'engram_config_value{{{part * ((1 << 20) // len(part) - 40)}\nengram_config_value{{x="y",name="k"}} 5\n'
    begun = time.process_time()
    with listening(lambda _peer, _request: answer(200, body.encode(), kind="text/plain")) as peer:
        assert told_by(http_node.HttpNode(peer.url, "")).values == {"k": 5.0}
    assert time.process_time() - begun < 2


def test_the_brake_wants_every_flag_read_back() -> None:
    """A node that had two and answers with one is not off."""
    replies = iter([answer(200, {"a": True, "b": True}), answer(200, {}), answer(200, {"a": False})])
    with listening(lambda _peer, _request: next(replies)) as peer:
        result = together(http_node.HttpNode(peer.url, CANARY), ("a", "b"), check=False)
    assert result["failed"]
    assert "b is not read back" in result["msg"]
