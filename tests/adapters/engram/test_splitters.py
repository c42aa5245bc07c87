"""What a splitter splits by is read off the running nginx; whatever is not that is a silence with its reason."""

from collections.abc import Callable

import pytest
from peers import Answer, Peer, Request, dripping, hang, http

from runbook.adapters.engram import EngramNodes
from runbook.model.measurement import Silence
from runbook.model.settings import Settings
from runbook.model.target import Node, Way
from runbook.wire import Wire

RATE, SALT, SPACES = (f"dual_memory.treatment_{word}" for word in ("rate", "salt", "spaces"))
TOLD = {RATE: 0.25, SALT: "pepper", SPACES: ["ours", "with, comma"], "version": 1}
QUICK = Wire(connect=0.5, read=0.5, total=1.0, limit_bytes=1 << 16)


def asked(answer: Callable[[Request], Answer]) -> Settings | Silence:
    """What is read of a splitter that answers so."""
    with Peer(answer) as peer:
        splitter = Node("s1", peer.url, Way.NGINX)
        return EngramNodes(wire=QUICK, sleep=lambda _: None).settings([splitter])["s1"]


def test_share_salt_and_spaces_are_read_without_a_token() -> None:
    """The three words of a node, typed; one request, to its own path."""
    seen: list[Request] = []

    def answer(request: Request) -> Answer:
        seen.append(request)
        return http(TOLD)

    assert asked(answer) == {RATE: 0.25, SALT: "pepper", SPACES: ("ours", "with, comma")}
    assert [(each.method, each.path) for each in seen] == [("GET", "/engram-splitter")]
    assert "authorization" not in {name.lower() for name in seen[0].headers}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (http("<html>Welcome to nginx!</html>"), "HTML instead of JSON"),
        (http(b""), "nothing instead of JSON"),
        (http("<html>", "404 Not Found"), "was split_traffic ever played"),
        (http({"error": {"message": "busy"}}, "503 Service Unavailable"), "HTTP 503"),
        (http(b"", "302 Found", Location="http://127.0.0.1:1/"), "not followed"),
        (http([TOLD]), "no object"),
        (http({RATE: 0.25, SALT: "pepper"}), f"does not tell {SPACES}"),
        (http({**TOLD, RATE: 25}), "out of range"),
        (http({**TOLD, RATE: "0.25"}), "cannot be"),
        (http({**TOLD, RATE: True}), "cannot be"),
        (http({**TOLD, SALT: 7}), "cannot be"),
        (http({**TOLD, SALT: "x" * 257}), "cannot be"),
        (http({**TOLD, SPACES: "ours"}), "cannot be"),
        (http({**TOLD, SPACES: ["ours", 1]}), "cannot be"),
        (http({**TOLD, "more": "x" * (1 << 16)}), "answered with more than"),
        (hang, "timed out"),
        (dripping(b"HTTP/1.1 200 OK\r\n\r\n", b" "), "timed out"),
    ],
)
def test_anything_else_is_a_silence(answer: Answer, told: str) -> None:
    """Never a share of nothing: not set up, old, garbage, slow and oversized each say what they are."""
    found = asked(lambda _: answer)
    assert isinstance(found, Silence)
    assert told in found.reason


def test_nothing_that_listens_is_a_silence() -> None:
    """A dead splitter hides no node beside it."""
    nodes = EngramNodes(wire=QUICK, sleep=lambda _: None)
    found = nodes.settings([Node("s1", "http://127.0.0.1:9", Way.NGINX)])["s1"]
    assert isinstance(found, Silence)
    assert "refused" in found.reason
