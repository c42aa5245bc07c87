"""Asking a node what it speaks: three answers, whatever kind of server is there, by OPTIONS and GET alone."""

from pathlib import Path

import pytest
from peers import Answer, Peer, Request, http

from runbook.adapters.engram.speaking import Speaking
from runbook.model.target import Node
from runbook.wire import NoReplyError

ASK = Speaking(allow_plain_http=False)
METRICS = '# TYPE engram_concepts gauge\nengram_concepts{space="a"} 1\nengram_recall_total 2\n'


@pytest.mark.parametrize(
    ("answer", "methods"),
    [
        (http(status="204 No Content", Allow="GET, POST"), {"GET", "POST"}),
        (http(status="405 Method Not Allowed", allow="get,PATCH"), {"PATCH"}),
        (http(status="405 Method Not Allowed", Allow="GET,HEAD"), {"GET", "HEAD"}),
        (http(status="404 Not Found"), set()),
        (http(status="404 Not Found", Allow="GET"), set()),
        (http(Access_Control_Allow_Methods="*"), None),
        (http(status="405 Method Not Allowed"), None),
        (http(status="401 Unauthorized", Allow="GET"), None),
        (http(status="500 Internal Server Error"), None),
        (http("<html>It works!</html>"), None),
    ],
)
def test_the_methods_of_a_path(answer: bytes, methods: set[str] | None) -> None:
    """Told, not there, or not told; a server that allows every origin answers OPTIONS with nothing of use."""
    with Peer(lambda _: answer) as peer:
        assert ASK.methods(Node("a", peer.url), "/health") == methods
    assert {request.method for request in peer.requests} == {"OPTIONS"}


@pytest.mark.parametrize(
    ("status", "there"),
    [
        ("200 OK", True),
        ("400 Bad Request", True),
        ("404 Not Found", False),
        ("405 Method Not Allowed", None),
        ("401 Unauthorized", None),
        ("429 Too Many Requests", None),
        ("500 Internal Server Error", None),
    ],
)
def test_whether_something_answers_a_get(status: str, there: bool | None) -> None:  # noqa: FBT001  # the fact
    """A refusal of what was asked shows that somebody is there."""
    with Peer(lambda _: http(status=status)) as peer:
        assert ASK.answers(Node("a", peer.url), "/health") is there


def test_what_is_exported() -> None:
    """Families without a sample too."""
    with Peer(lambda _: http(METRICS)) as peer:
        assert ASK.exported(Node("a", peer.url)) == {"engram_concepts", "engram_recall_total"}


@pytest.mark.parametrize("answer", [http("<html></html>"), http(b"\xff\x00"), http(""), http(status="404 Not Found")])
def test_no_metrics_is_no_answer(answer: bytes) -> None:
    """Never an empty set, which would be a node that exports nothing."""
    with Peer(lambda _: answer) as peer, pytest.raises(NoReplyError):
        ASK.exported(Node("a", peer.url))


def test_the_token_goes_to_admin_paths_only(tmp_path: Path) -> None:
    """And a node without a token is asked without one."""
    secret = tmp_path / "token"
    secret.write_text("secret")
    secret.chmod(0o600)

    def answer(_: Request) -> Answer:
        return http(status="204 No Content", Allow="GET")

    with Peer(answer) as peer:
        node = Node("a", peer.url, token_file=secret)
        ASK.methods(node, "/health")
        ASK.methods(node, "/api/v1/admin/config")
        ASK.methods(Node("a", peer.url), "/api/v1/admin/config")
    assert [request.headers.get("authorization") for request in peer.requests] == [None, "Bearer secret", None]
