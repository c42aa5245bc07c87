"""All nodes at once: a thread for each, so that one that hangs delays none of the others."""

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from runbook.adapters.brake.node import Job, attempt
from runbook.model.brake import SETTLED, Olds, Pulled
from runbook.model.target import Node

MOST_THREADS = 512
GATE_SECONDS = 0.15
"""How long a node waits, once it was looked at, for the intent to be journaled. Then it is pressed all the same."""
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 3.0
SHARED_PAUSE_SECONDS = 0.05


class HttpBrake:
    """The port `Brake` over HTTP.

    Args:
        token: the admin token of a node, read at the moment of use; the empty text where it has none.
        elapsed: milliseconds since the command started.
    """

    def __init__(self, token: Callable[[Node], str], elapsed: Callable[[], float]) -> None:
        self._token = token
        self._elapsed = elapsed

    def pull(self, nodes: Sequence[Node], flags: Sequence[str], *, insist: bool) -> "HttpPulling":
        """Begin, in the background. Nothing is changed before `release`, or 150 ms after a node was looked at."""
        return HttpPulling(nodes, lambda node, pulling: self._job(node, flags, pulling, insist=insist))

    def _job(self, node: Node, flags: Sequence[str], pulling: "HttpPulling", *, insist: bool) -> Job:
        return Job(node, flags, insist, self._token, pulling.looked, pulling.gate, self._elapsed)


class HttpPulling:
    """One pull under way; the threads are daemons, so that whoever has seen enough need not wait for them."""

    def __init__(self, nodes: Sequence[Node], job: Callable[[Node, "HttpPulling"], Job]) -> None:
        self._changed = threading.Condition()
        self._released, self._stopped = threading.Event(), threading.Event()
        self._pulled = {node.name: Pulled(node.name) for node in nodes}
        self._looked: set[str] = set()
        self._waiting: queue.SimpleQueue[Node] = queue.SimpleQueue()
        for node in nodes:
            self._waiting.put(node)
        for number in range(min(len(nodes), MOST_THREADS)):
            thread = threading.Thread(target=self._work, args=(job,), name=f"brake-{number}", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # a limit of tasks or memory: those that run share the nodes
                if not number:
                    raise
                break

    def looks(self, most: float, quiet: float) -> Mapping[str, Olds]:
        """What was on, of the nodes that tell within `most` seconds.

        Nodes that are slower than the others are not waited for: `quiet` seconds without another one are enough.
        """
        begun = time.monotonic()
        with self._changed:
            while (left := most - (time.monotonic() - begun)) > 0 and len(self._looked) < len(self._pulled):
                before = len(self._looked)
                self._changed.wait(min(left, quiet) if before else left)
                if before and len(self._looked) == before:
                    break
            return {name: each.old for name, each in self._pulled.items() if each.old is not None}

    def release(self) -> None:
        """From now on the nodes are pressed at once."""
        self._released.set()

    def settle(self, seconds: float, enough: Callable[[Pulled], bool]) -> bool:
        """Wait until each node is verified, has refused or is `enough`; False where the time was up before."""
        until = time.monotonic() + seconds
        with self._changed:
            while not all(each.state in SETTLED or enough(each) for each in self._pulled.values()):
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def state(self) -> tuple[Pulled, ...]:
        """Every node as it stands, in the order in which they were given."""
        with self._changed:
            return tuple(self._pulled.values())

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped.set()
        self._released.set()

    def looked(self, pulled: Pulled) -> None:
        """The node was looked at, or could not be, or is being pressed."""
        with self._changed:
            self._pulled[pulled.node] = pulled
            self._looked.add(pulled.node)
            self._changed.notify_all()

    def gate(self) -> bool:
        """Wait for the release, but not long; False where nothing may be sent any more."""
        self._released.wait(GATE_SECONDS)
        return not self._stopped.is_set()

    def _work(self, job: Callable[[Node, "HttpPulling"], Job]) -> None:
        while True:
            try:
                node = self._waiting.get_nowait()
            except queue.Empty:
                return
            self._insist(job(node, self))

    def _insist(self, job: Job) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stopped.is_set():
            pulled = attempt(job, self._pulled[job.node.name])
            with self._changed:
                self._pulled[job.node.name] = pulled
                self._looked.add(job.node.name)
                self._changed.notify_all()
            if pulled.state in SETTLED:
                return
            if not self._waiting.empty():  # fewer threads than nodes: one that is dead must not keep others waiting
                self._stopped.wait(SHARED_PAUSE_SECONDS)
                self._waiting.put(job.node)
                return
            self._stopped.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
