"""The brake against nodes that are well, and against peers that are dead, hanging, lying or slow."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from peers import Answer, Peer, Request, closed_port, dripping, endless, hang, http, reset
from running_node import RunningNode, wait_until

from runbook.adapters.brake import HttpBrake
from runbook.adapters.brake.brake import HttpPulling
from runbook.errors import RefusedError
from runbook.model.brake import FLAGS, Pulled, PullState, Rollback
from runbook.model.target import Node

FEATURES = FLAGS[Rollback.FEATURES]
BLENDED, CONCEPTS = FEATURES
ON = dict.fromkeys(FEATURES, True)
OFF = dict.fromkeys(FEATURES, False)
TOKEN = "canary-token-5e1f0c"  # noqa: S105 - of no real node
BEGUN = time.monotonic()


def elapsed() -> float:
    """Milliseconds since some moment."""
    return (time.monotonic() - BEGUN) * 1000


def brake(token: Callable[[Node], str] = lambda _: TOKEN) -> HttpBrake:
    """With the token."""
    return HttpBrake(token, elapsed)


@contextmanager
def pulled(nodes: list[Node], *, insist: bool = True, using: HttpBrake | None = None) -> Iterator[HttpPulling]:
    """Under way, released; stopped at the end."""
    pulling = (using or brake()).pull(nodes, FEATURES, insist=insist)
    try:
        pulling.release()
        yield pulling
    finally:
        pulling.stop()


def tried(each: Pulled) -> bool:
    """Was it tried to the end once?"""
    return each.tries > 0


def flags_of(answer: Callable[[Request, dict[str, bool]], Answer | None]) -> Callable[[Request], Answer]:
    """A peer that keeps flags; `answer` may say something else."""
    state = dict(ON)

    def told(request: Request) -> Answer:
        other = answer(request, state)
        if other is not None:
            return other
        if request.method == "POST":
            state.update(request.json)
        return http(state)

    return told


def test_a_real_node_goes_off_at_once_and_is_read_back(shared_node: RunningNode) -> None:
    """One atomic POST between two looks; what was on is known; times are in order."""
    shared_node.admin("POST", "features", ON)
    node = Node("node", shared_node.url)
    pulling = brake(lambda _: shared_node.token).pull([node], FEATURES, insist=True)
    assert pulling.looks(5, 0.05) == {"node": ON}
    pulling.release()
    assert pulling.settle(10, lambda _: False)
    (done,) = pulling.state()
    assert (done.state, done.old, done.tries) == (PullState.VERIFIED, ON, 1)
    assert done.off_ms is not None
    assert done.verified_ms is not None
    assert done.off_ms <= done.verified_ms
    assert shared_node.admin("GET", "features").json == {"dual_memory.enabled": True, **OFF}


def test_without_insisting_a_node_that_is_off_is_left_alone() -> None:
    """The last look sends nothing where there is nothing to do."""
    with Peer(lambda _: http(OFF)) as peer, pulled([Node("a", peer.url)], insist=False) as pulling:
        assert pulling.settle(10, lambda _: False)
        assert peer.asked("POST", "/api/v1/admin/features") == []


def test_dead_and_hanging_nodes_delay_none_of_the_others(shared_node: RunningNode) -> None:
    """A thread each: the living one is read back long before the hanging one's first limit."""
    with Peer(lambda _: hang) as silent:
        nodes = [
            Node("dead", f"http://127.0.0.1:{closed_port()}"),
            *(Node(f"hangs-{number}", silent.url) for number in range(40)),
            Node("well", shared_node.url),
        ]
        begun = elapsed()
        with pulled(nodes, using=brake(lambda _: shared_node.token)) as pulling:
            assert pulling.settle(10, lambda each: each.node != "well")
            states = {each.node: each for each in pulling.state()}
    assert states["well"].state is PullState.VERIFIED
    assert (states["well"].verified_ms or 0) - begun < 900  # a hanging one has 1 s for its first look alone
    assert states["hangs-0"].state in {PullState.WAITING, PullState.SENT}


def test_a_node_that_is_being_pressed_counts_as_touched_before_it_answers() -> None:
    """Whoever is interrupted while a node hangs must not take it for one that nothing was sent to."""
    with Peer(flags_of(lambda request, _: hang if request.method == "POST" else None)) as peer:
        with pulled([Node("hangs", peer.url)]) as pulling:
            wait_until(lambda: peer.asked("POST", "/api/v1/admin/features"), "the POST")
            (now,) = pulling.state()
        assert (now.state, now.old, now.tries) == (PullState.SENT, ON, 0)
        assert "may have taken effect" in now.message


def test_a_node_that_does_not_tell_what_it_had_is_pressed_all_the_same() -> None:
    """The first GET breaks; the POST goes out on a new connection."""
    answers = {"GET": 0}

    def break_the_first(request: Request, _: dict[str, bool]) -> Answer | None:
        answers[request.method] = answers.get(request.method, 0) + 1
        return reset if request.method == "GET" and answers["GET"] == 1 else None

    with Peer(flags_of(break_the_first)) as peer, pulled([Node("a", peer.url)]) as pulling:
        assert pulling.settle(10, lambda _: False)
        (done,) = pulling.state()
    assert (done.state, done.old, done.tries) == (PullState.VERIFIED, None, 1)


def to(method: str, answer: Answer) -> Callable[[Request, dict[str, bool]], Answer | None]:
    """That answer to every request of that method; `""` is any."""
    return lambda request, _: answer if method in {"", request.method} else None


WRONG: dict[str, tuple[Callable[[Request, dict[str, bool]], Answer | None], PullState, str]] = {
    "ignores it": (to("POST", http(ON)), PullState.OFF, "is read back as on"),
    "a page": (to("GET", http("<html>")), PullState.OFF, "HTML instead of JSON"),
    "a list": (to("GET", http([1])), PullState.OFF, "no object"),
    "neither on nor off": (to("", http({BLENDED: "no"})), PullState.OFF, "neither on nor off"),
    "an old server": (to("", http("no", "404 Not Found")), PullState.REFUSED, "not supported by this node"),
    "another token": (to("", http("no", "401 Unauthorized")), PullState.REFUSED, "refused the token"),
    "has none of them": (to("", http({"x": 1})), PullState.REFUSED, "none of the flags"),
    "drowning": (to("", http("wait", "503 Busy")), PullState.WAITING, "HTTP 503"),
    "the line is cut": (to("POST", reset), PullState.SENT, "may have taken effect"),
    "no HTTP": (to("", b"SSH-2.0-OpenSSH\r\n"), PullState.SENT, "no HTTP"),
    "nested deeply": (to("", http(b"[" * 900_000)), PullState.OFF, "instead of JSON"),
    "an error nested deeply": (to("", http(b"[" * 900_000, "503 Busy")), PullState.WAITING, "HTTP 503"),
    "reads back a part": (
        lambda _, state: http({BLENDED: False}) if not state[CONCEPTS] else None,
        PullState.OFF,
        f"does not name {CONCEPTS}",
    ),
    "an endless body": (to("", endless), PullState.SENT, "more than 1 MiB"),
}


@pytest.mark.parametrize("case", WRONG)
def test_whatever_a_peer_answers_it_is_told_and_never_taken_for_off(case: str) -> None:
    """And an answer that may pass is asked for again."""
    answer, state, words = WRONG[case]
    with Peer(flags_of(answer)) as peer, pulled([Node("a", peer.url)]) as pulling:
        assert pulling.settle(10, tried)
        (found,) = pulling.state()
        assert (found.state, found.off) == (state, False), found
        assert words in found.message
        if state is not PullState.REFUSED:
            assert pulling.settle(10, lambda each: each.tries > 1)


def test_a_drip_does_not_outlast_the_limit() -> None:
    """A byte now and then restarts the timeouts of sockets; not this one."""
    drip = dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" ")
    first = [True]

    def only_the_look(request: Request, _: dict[str, bool]) -> Answer | None:
        return drip if request.method == "GET" and first and first.pop() else None

    begun = time.monotonic()
    with Peer(flags_of(only_the_look)) as peer, pulled([Node("a", peer.url)]) as pulling:
        assert pulling.settle(10, lambda _: False)
    assert 0.9 < time.monotonic() - begun < 4


def test_a_node_that_comes_back_is_turned_off_then() -> None:
    """Tried again in the background, for as long as nobody says stop."""
    turns = [reset, reset, reset]

    def late(_: Request, __: dict[str, bool]) -> Answer | None:
        return turns.pop() if turns else None

    with Peer(flags_of(late)) as peer, pulled([Node("a", peer.url)]) as pulling:
        assert pulling.settle(15, lambda _: False)
        (done,) = pulling.state()
    assert done.off
    assert done.tries > 1


def test_nothing_is_sent_before_the_release_or_a_moment_later() -> None:
    """A journal that hangs holds nothing up; one that works is first."""
    with Peer(flags_of(lambda *_: None)) as peer:
        pulling = brake().pull([Node("a", peer.url)], FEATURES, insist=True)
        try:
            assert pulling.looks(5, 0.05) == {"a": ON}
            assert pulling.settle(10, lambda _: False)  # never released
        finally:
            pulling.stop()
        assert len(peer.asked("POST", "/api/v1/admin/features")) == 1


def test_a_token_that_is_not_kept_as_it_must_be_stops_that_node_only(shared_node: RunningNode) -> None:
    """The reason is told; the token is nowhere."""

    def token(node: Node) -> str:
        if node.name == "open":
            raise RefusedError("the token file can be read by others")
        return shared_node.token

    nodes = [Node("open", shared_node.url), Node("well", shared_node.url)]
    with pulled(nodes, using=brake(token)) as pulling:
        assert pulling.settle(10, lambda _: False)
        refused, well = pulling.state()
    assert (refused.state, refused.message) == (PullState.REFUSED, "the token file can be read by others")
    assert well.off


FEW_THREADS = """
import resource, sys, time
from runbook.adapters.brake import HttpBrake
from runbook.model.target import Node
dead, well = sys.argv[1:]
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20),) * 2)
nodes = [*(Node(f"dead-{n}", dead) for n in range(100)), *(Node(f"well-{n}", well) for n in range(20))]
pulling = HttpBrake(lambda _: "", lambda: 0.0).pull(nodes, ["dual_memory.enable_concepts"], insist=True)
pulling.release()
pulling.settle(20, lambda each: each.node.startswith("dead"))
print(sum(each.off for each in pulling.state()))
"""


def test_where_threads_are_scarce_those_that_run_share_the_nodes() -> None:
    """A limit of the kernel: dead nodes, which are tried for ever, keep none of those behind them waiting."""
    with Peer(flags_of(lambda *_: None)) as peer:
        command = [sys.executable, "-c", FEW_THREADS, f"http://127.0.0.1:{closed_port()}", peer.url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "20\n", done.stderr
