"""What a node's answers about its data mean, and what is never sent to one."""

from pathlib import Path

import pytest
from peers import Peer, Request, closed_port, http

from runbook.adapters.engram import EngramData
from runbook.errors import (
    DamagedError,
    LockedError,
    NotSupportedError,
    RefusedError,
    RunbookError,
    StorageError,
    UnreachableError,
)
from runbook.model.generation import WrittenSinceError
from runbook.model.target import Node
from runbook.wire import StreamingWire

HOLDINGS = {
    "node": "n",
    "generations": [
        {"id": "g2", "state": "staging", "kind": "dual_memory", "sequence": 3, "counts": {}},
        {"id": "g1", "state": "active", "kind": "dual_memory", "sequence": 7, "counts": {"episode": 1}},
    ],
}


def refusal(code: str, **more: object) -> dict[str, object]:
    """The contract's error document."""
    return {"error": {"code": code, "message": "it says why", "hint": "and what to do", **more}}


def no_wait(_: float) -> None:
    """Retries come at once."""


def data(peer: Peer, **more: object) -> EngramData:
    """The adapter, impatient."""
    return EngramData(Node("n1", peer.url), sleep=no_wait, streams=StreamingWire(idle=5), **more)  # type: ignore[arg-type]  # typed where it matters


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        ("404 Not Found", {"detail": "Not Found"}, NotSupportedError),
        ("404 Not Found", refusal("NOT_FOUND"), NotSupportedError),
        ("404 Not Found", refusal("GENERATION_NOT_FOUND"), RefusedError),
        ("405 Method Not Allowed", b"", NotSupportedError),
        ("501 Not Implemented", b"", NotSupportedError),
        ("401 Unauthorized", refusal("UNAUTHORIZED"), RefusedError),
        ("409 Conflict", refusal("GENERATION"), RefusedError),
        ("409 Conflict", refusal("BUSY"), LockedError),
        ("412 Precondition Failed", refusal("WRITTEN_SINCE", sequence=9), WrittenSinceError),
        ("422 Unprocessable Entity", refusal("DAMAGED"), DamagedError),
        ("422 Unprocessable Entity", refusal("INVALID"), RefusedError),
        ("507 Insufficient Storage", refusal("STORAGE"), StorageError),
        ("500 Internal Server Error", b"<html>", UnreachableError),
        ("302 Found", b"", UnreachableError),
        ("200 OK", b"<html>", UnreachableError),
        ("200 OK", {"generations": []}, UnreachableError),
    ],
)
def test_each_status_has_one_meaning(status: str, document: object, kind: type[RunbookError]) -> None:
    """And the message names the node."""
    with Peer(lambda _: http(document, status)) as peer:
        for ask in (data(peer).holdings, lambda: data(peer).fill([b"x"]), lambda: data(peer).activate("g2", 7)):
            with pytest.raises(RunbookError, match="node n1") as caught:
                ask()
            assert type(caught.value) is kind
    if isinstance(caught.value, WrittenSinceError):
        assert caught.value.sequence == 9


def test_the_served_generation_comes_first() -> None:
    """In whatever order the node lists them."""
    with Peer(lambda _: http(HOLDINGS)) as peer:
        found = data(peer).holdings()
    assert (found.node, found.active.id, [each.id for each in found.generations]) == ("n", "g1", ["g1", "g2"])


def test_a_busy_node_is_asked_again_and_then_told_how_long_it_wants_to_be_left_alone() -> None:
    """Three times, also for an export, of which no byte had come; and for a switch, which it says it did not do."""
    busy = http(refusal("BUSY"), "503 Service Unavailable", Retry_After="7")
    said: list[str] = []
    with Peer(lambda _: busy) as peer:
        adapter = data(peer, on_retry=said.append)
        for ask in (adapter.holdings, lambda: adapter.export("dual_memory").__enter__(), lambda: adapter.drop("g1")):
            with pytest.raises(UnreachableError, match=r"7 s of patience"):
                ask()
        assert len(peer.requests) == 9
    assert len(said) == 6
    assert all("n1" in each for each in said)


def test_a_node_that_comes_back_is_heard() -> None:
    """What may be asked twice is."""
    answers = [http(b"", "503 Service Unavailable", Retry_After="0"), http(HOLDINGS)]
    with Peer(lambda _: answers.pop(0)) as peer:
        assert data(peer).holdings().active.id == "g1"


def test_a_switch_whose_answer_is_lost_is_not_asked_again() -> None:
    """It may have been done."""
    with Peer(lambda _: b"") as peer:
        with pytest.raises(UnreachableError):
            data(peer).activate("g2", 7)
        assert len(peer.requests) == 1


def test_nobody_there() -> None:
    """Each says so with the node's name."""
    node = Node("n1", f"http://127.0.0.1:{closed_port()}")
    adapter = EngramData(node, sleep=no_wait)
    for ask in (adapter.holdings, lambda: adapter.export("dual_memory").__enter__(), lambda: adapter.fill([b"x"])):
        with pytest.raises(UnreachableError, match="node n1: connection refused"):
            ask()


def test_a_token_goes_to_its_node_alone_and_never_over_an_open_network(tmp_path: Path) -> None:
    """Not with an export, and not with an import; a redirect does not take it along."""
    secret = tmp_path / "token"
    secret.write_text("s3cret")
    secret.chmod(0o600)
    adapter = EngramData(Node("n1", "http://192.0.2.1:7432", token_file=secret), sleep=no_wait)
    for ask in (adapter.holdings, lambda: adapter.export("dual_memory").__enter__(), lambda: adapter.fill([b"x"])):
        with pytest.raises(RefusedError, match="refusing to send a token"):
            ask()
    seen: list[Request] = []

    def away(request: Request) -> bytes:
        seen.append(request)
        return http(b"", "307 Temporary Redirect", Location="/elsewhere")

    with Peer(away) as peer:
        near = EngramData(Node("n1", peer.url, token_file=secret), sleep=no_wait)
        for ask in (near.holdings, lambda: near.export("residue").__enter__(), lambda: near.fill([b"x"])):
            with pytest.raises(UnreachableError, match="not followed"):
                ask()
    assert [each.headers["authorization"] for each in seen] == ["Bearer s3cret"] * 3
