"""What a server is and can do: of a real node everything, of a broken one the reason, and never a guess."""

import pytest
from peers import Answer, Peer, Request, closed_port, hang, http
from running_node import RunningNode

from runbook.adapters.engram import Surveyor
from runbook.model.answer import Answer as Said
from runbook.model.capabilities import Can, Capabilities, Metrics
from runbook.model.measurement import Silence
from runbook.model.target import Node
from runbook.wire import Wire

HEALTH, SYSTEM, SPACES = "/health", "/api/v1/system/health", "/api/v1/spaces"
WELL = {HEALTH: http({"status": "healthy", "service": "engram", "version": "9"}), SYSTEM: http({"spaces": []})}


def surveyor() -> Surveyor:
    """With short limits, for peers that fail."""
    return Surveyor(wire=Wire(connect=1.0, read=0.3, total=0.5, limit_bytes=1 << 20))


def look(node: Node) -> Capabilities | Silence:
    """What is found of that one."""
    return surveyor().look([node])[node.name]


def of_peer(answers: dict[str, Answer], usual: Answer | None = None) -> tuple[Capabilities | Silence, list[Request]]:
    """What is found of a peer that answers so by path, else in the usual way."""

    def answer(request: Request) -> Answer:
        return answers.get(request.path.partition("?")[0], usual or http("", "404 Not Found"))

    with Peer(answer) as peer:
        return look(Node("n", peer.url)), peer.requests


def test_a_real_node_can_do_everything_and_asking_leaves_no_trace(shared_node: RunningNode) -> None:
    """Its counts, and the time of recalls that it does not count."""
    node = Node("n", shared_node.url, token_file=shared_node.token_file)
    before = {name: value for name, value in shared_node.metrics().items() if name.startswith("engram_recall_total")}
    found = look(node)
    assert isinstance(found, Capabilities)
    assert {ability.answer for ability in found.abilities} == {Said.YES}, found
    assert [ability.what for ability in found.abilities] == list(Can)
    assert (found.metrics, found.health, found.changeable) == (Metrics.CONTRACT, "healthy", Said.YES)
    assert found.version.startswith("engram-sandbox ")
    assert found.spaces is not None
    assert "default" in {each.space for each in found.spaces}
    timed = Surveyor().time_recalls([node], "default")["n"]
    assert (len(timed.seconds), timed.reason) == (10, "")
    after = {name: value for name, value in shared_node.metrics().items() if name.startswith("engram_recall_total")}
    assert before == after


def test_without_its_token_a_node_s_abilities_are_not_known(shared_node: RunningNode) -> None:
    """Not known is not no: nobody is told that it cannot."""
    found = look(Node("n", shared_node.url))
    assert isinstance(found, Capabilities)
    assert {ability.answer for ability in found.abilities} == {Said.UNKNOWN}
    assert found.abilities[0].reason == "the node refused the token (HTTP 401)"
    assert found.changeable is Said.UNKNOWN


def test_a_dead_node_is_silent() -> None:
    """With the reason."""
    found = look(Node("n", f"http://127.0.0.1:{closed_port()}"))
    assert found == Silence("n", "connection refused")


@pytest.mark.parametrize(
    ("usual", "answer", "words"),
    [
        (http("", "404 Not Found"), Said.NO, "not supported by this node (HTTP 404)"),
        (http("", "501 Not Implemented"), Said.NO, "not supported by this node (HTTP 501)"),
        (http("", "405 Method Not Allowed"), Said.YES, ""),
        (http("<html>"), Said.UNKNOWN, "HTML instead of a JSON object"),
        (http("", "500 Internal Server Error"), Said.UNKNOWN, "HTTP 500"),
        (http("", "302 Found", Location="/login"), Said.UNKNOWN, "HTTP 302"),
    ],
)
def test_only_what_is_missing_is_a_no(usual: Answer, answer: Said, words: str) -> None:
    """A page for everybody, an error or a login proves nothing."""
    found, _ = of_peer(WELL, usual)
    assert isinstance(found, Capabilities)
    assert {ability.answer for ability in found.abilities} == {answer}
    assert all(words in ability.reason for ability in found.abilities)


def test_a_node_that_hangs_is_not_asked_on_and_on() -> None:
    """Its health was told; the first ability is not, and the rest is not asked."""
    found, requests = of_peer({**WELL, "/metrics/prometheus": http("", "404 Not Found")}, hang)
    assert isinstance(found, Capabilities)
    assert "timed out" in found.abilities[0].reason
    assert {ability.reason for ability in found.abilities[1:]} == {"not asked, since it did not answer the one before"}
    assert len(requests) == 4


@pytest.mark.parametrize(
    "system", [http("{"), http([]), http({"spaces": 3}), http({"spaces": [{"space": "x"}]}), http("", "500 Oops")]
)
def test_counts_that_are_not_told_are_not_zero(system: Answer) -> None:
    """None, with a reason."""
    found, _ = of_peer({**WELL, SYSTEM: system})
    assert isinstance(found, Capabilities)
    assert found.spaces is None
    assert "without spaces" in found.spaces_reason


def test_words_of_a_node_cannot_drive_a_terminal() -> None:
    """Nor fill the screen."""
    found, _ = of_peer({HEALTH: http({"status": "\x1b[2Jhealthy", "version": "v" * 999}), SYSTEM: http({})})
    assert isinstance(found, Capabilities)
    assert found.health.isprintable()
    assert len(found.version) < 300


@pytest.mark.parametrize("spaces", [http("<html>"), http({"spaces": [{}]}), http("", "404 Not Found"), hang])
def test_without_a_list_of_spaces_no_recall_is_made(spaces: Answer) -> None:
    """The name might be one that the node does not have."""
    with Peer(lambda request: {SPACES: spaces}.get(request.path, http({}))) as peer:
        timed = surveyor().time_recalls([Node("n", peer.url)], "default")["n"]
    assert timed.seconds == ()
    assert timed.reason
    assert {request.path for request in peer.requests} == {SPACES}


def test_recalls_that_are_slow_are_few() -> None:
    """Five seconds in all, by the clock of the surveyor."""
    moments = iter(range(0, 1000, 2))
    with Peer(lambda _: http({"spaces": [{"id": "default"}]})) as peer:
        slow = Surveyor(clock=lambda: float(next(moments)))
        timed = slow.time_recalls([Node("n", peer.url)], "default")["n"]
    assert 1 <= len(timed.seconds) <= 3
    assert set(timed.seconds) == {2.0}
