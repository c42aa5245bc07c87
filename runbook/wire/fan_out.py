"""Asking many peers at once."""

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

Peer = TypeVar("Peer")
Result = TypeVar("Result")

_MOST_THREADS = 32


def fan_out(peers: Sequence[Peer], ask: Callable[[Peer], Result]) -> list[Result]:
    """What `ask` gives for each peer, in their order; up to 32 are asked at a time.

    The threads are daemons: whoever interrupts the caller does not wait for a peer that hangs.

    Raises:
        Exception: the first that `ask` raised; the rest are left alone.
    """
    if len(peers) <= 1:
        return [ask(peer) for peer in peers]
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    answers: queue.SimpleQueue[tuple[int, Result | Exception]] = queue.SimpleQueue()
    for index in range(len(peers)):
        waiting.put(index)

    def work() -> None:
        while True:
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                answers.put((index, ask(peers[index])))
            except Exception as error:  # noqa: BLE001  # raised again in the caller's thread
                answers.put((index, error))

    for number in range(min(len(peers), _MOST_THREADS)):
        threading.Thread(target=work, name=f"fan-out-{number}", daemon=True).start()
    return _in_order(len(peers), answers)


def _in_order(count: int, answers: "queue.SimpleQueue[tuple[int, Result | Exception]]") -> list[Result]:
    found: dict[int, Result] = {}
    while len(found) < count:
        index, answer = answers.get()
        if isinstance(answer, Exception):
            raise answer
        found[index] = answer
    return [found[index] for index in range(count)]
