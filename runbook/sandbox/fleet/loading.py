"""Putting texts into nodes, over several connections at once."""

import hashlib
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from runbook.errors import StorageError, UnreachableError, UsageError
from runbook.sandbox.fleet.client import NodeClient
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.record import NodeRecord
from runbook.sandbox.fleet.talk import Talk

_WORKERS = 8
_KEPT = 16
_REPORT_EVERY = 0.25
_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """A space on a node."""

    node: NodeRecord
    space: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A text, where it goes, and its id there: the same text sent twice is one episode."""

    place: Place
    id: str
    content: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did."""

    texts: int
    spaces: int
    nodes: tuple[str, ...]


def load_texts(
    folder: FleetFolder, nodes: Sequence[NodeRecord], texts: Sequence[str], space: str, talk: Talk
) -> Loaded:
    """Put the texts into one space, or spread them over all that the nodes have.

    Raises:
        UnreachableError: a node did not answer or did not take a text.
        UsageError: a node does not take the space's name.
    """
    places = places_of(nodes, folder, space)
    done = remember_all(spread(texts, places), len(texts), talk)
    return Loaded(done, len(places), tuple(dict.fromkeys(place.node.name for place in places)))


def places_of(nodes: Sequence[NodeRecord], folder: FleetFolder, space: str = "") -> tuple[Place, ...]:
    """Where texts may go: every seeded space of the nodes, or one named space.

    A named space that exists stays where it is; a new one goes to a node chosen by its name.

    Raises:
        UnreachableError: a node does not answer.
        UsageError: the node does not take that name.
    """
    if not space:
        return tuple(Place(node, name) for node in nodes for name in node.spaces)
    home = next((node for node in nodes if space in _spaces(node)), None)
    node = home or nodes[zlib.crc32(space.encode()) % len(nodes)]
    make_spaces([Place(node, space)], folder)
    return (Place(node, space),)


def spread(texts: Sequence[str], places: Sequence[Place]) -> Iterator[Placed]:
    """Each text to the place that its own content chooses, so that the same file always lies the same way."""
    for text in texts:
        digest = hashlib.blake2b(text.encode(), digest_size=12)
        place = places[int.from_bytes(digest.digest()) % len(places)]
        yield Placed(place, f"text-{digest.hexdigest()}", text)


def make_spaces(places: Sequence[Place], folder: FleetFolder) -> None:
    """Create the spaces that are not there yet.

    Raises:
        UnreachableError: a node does not answer.
        UsageError: a node does not take a name.
    """
    for node in dict.fromkeys(place.node for place in places):
        with NodeClient(node.port, folder.token(node.name)) as client:
            for place in places:
                if place.node == node:
                    reply = client.ask("POST", "/api/v1/spaces", {"id": place.space})
                    if not reply.is_good:
                        raise UsageError(f"{node.name} does not take the space {place.space!r}: {reply.text[:200]}")


def remember_all(texts: Iterator[Placed], total: int, talk: Talk) -> int:
    """Send every text; how many were acknowledged.

    Raises:
        StorageError: a node's disk refused.
        UnreachableError: a node did not answer or did not take a text; the message says how many were taken.
    """
    counter = _Counter(texts, total, talk)
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="load") as pool:
        running = [pool.submit(_send_all, counter) for _ in range(_WORKERS)]
        try:
            for future in as_completed(running):
                future.result()
        except (UnreachableError, StorageError) as error:
            message = f"{error.message}; {counter.done} of {total} texts were taken before"
            raise type(error)(message, hint=error.hint) from error
        finally:
            counter.stop = True
    talk.progress("texts loaded", counter.done, counter.done)
    return counter.done


class _Counter:
    """Hands out texts to the workers and counts those that were acknowledged."""

    def __init__(self, texts: Iterator[Placed], total: int, talk: Talk) -> None:
        self.stop = False
        self.done = 0
        self._texts = texts
        self._total = total
        self._talk = talk
        self._lock = threading.Lock()
        self._reported = time.monotonic()

    def next(self) -> Placed | None:
        with self._lock:
            return None if self.stop else next(self._texts, None)

    def acknowledged(self) -> None:
        with self._lock:
            self.done += 1
            if time.monotonic() - self._reported > _REPORT_EVERY and self.done < self._total:
                self._reported = time.monotonic()
                self._talk.progress("texts loaded", self.done, self._total)


def _send_all(counter: _Counter) -> None:
    clients: dict[int, NodeClient] = {}
    try:
        while (item := counter.next()) is not None:
            port = item.place.node.port
            if port not in clients and len(clients) >= _KEPT:
                clients.pop(next(iter(clients))).close()  # a hundred nodes must not need a thousand sockets
            client = clients.setdefault(port, NodeClient(port, timeout=_TIMEOUT))
            client.demand(
                "POST", "/api/v1/memories/remember", {"id": item.id, "content": item.content}, item.place.space
            )
            counter.acknowledged()
    finally:
        for client in clients.values():
            client.close()


def _spaces(node: NodeRecord) -> set[str]:
    with NodeClient(node.port) as client:
        return {space["id"] for space in client.demand("GET", "/api/v1/spaces").document["spaces"]}
