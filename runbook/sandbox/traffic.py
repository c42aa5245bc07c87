"""The load generator: `python -m runbook.sandbox.traffic --fleet FILE --rate R`.

An open loop: arrivals are scheduled beforehand and do not wait for answers, so that a slow node is not spared. Nine in
ten are recalls, one in ten remembers a new text. A dead node costs errors and nothing else.
"""

import argparse
import itertools
import random
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from runbook.errors import RunbookError, UnreachableError
from runbook.sandbox.fleet.client import NodeClient
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.record import load
from runbook.sandbox.texts.generate import Text, query_of, texts_of

CONNECTIONS = 8
REMEMBER_SHARE = 0.1
REPORT_EVERY = 10.0
TOO_LATE = 5.0
_TIMEOUT = 3.0
_SEED = 7919  # other texts than those that were loaded


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request: when it is due on the monotonic clock, to which node, and what about."""

    due: float
    node: int
    text: Text
    query: str | None


@dataclass(slots=True)
class Tally:
    """What came of the requests since the last report."""

    done: int = 0
    errors: int = 0
    skipped: int = 0
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *, done: int = 0, errors: int = 0, skipped: int = 0, seconds: float = 0.0) -> None:
        """Count one request."""
        with self.lock:
            self.done += done
            self.errors += errors
            self.skipped += skipped
            self.seconds += seconds

    def report(self) -> str:
        """One line, and start again from nothing."""
        with self.lock:
            mean = 1000 * self.seconds / self.done if self.done else 0.0
            line = f"done={self.done} errors={self.errors} skipped={self.skipped} mean_ms={mean:.2f}"
            self.done = self.errors = self.skipped = 0
            self.seconds = 0.0
        return line


def arrivals(nodes: Sequence[Sequence[str]], rate: float, start: float, seed: int = _SEED) -> Iterator[Arrival]:
    """Requests without end, with exponential gaps around `rate` per second, over all spaces of all nodes.

    Each space is asked once in every round, in an order that changes: all have the same traffic.
    """
    source = random.Random(seed)  # noqa: S311 - the same traffic each time is the point
    spaces = [(node, texts_of(space, seed)) for node, names in enumerate(nodes) for space in names]
    due = start
    while True:
        for node, texts in source.sample(spaces, len(spaces)):
            due += source.expovariate(rate)
            text = next(texts)
            yield Arrival(due, node, text, None if source.random() < REMEMBER_SHARE else query_of(text, source))


def send(arrival: Arrival, client: NodeClient) -> bool:
    """Send one request; was it answered well?"""
    try:
        if arrival.query is None:
            body = {"content": arrival.text.content}
            return client.ask("POST", "/api/v1/memories/remember", body, arrival.text.space).is_good
        path = f"/api/v1/memories/recall?query={quote(arrival.query)}&max_results=3"
        return client.ask("GET", path, space=arrival.text.space).is_good
    except UnreachableError:
        return False


def work(
    schedule: Iterator[Arrival], turn: threading.Lock, ports: Sequence[int], tally: Tally, over: threading.Event
) -> None:
    """Take arrivals as they become due, until it is over."""
    clients = [NodeClient(port, timeout=_TIMEOUT) for port in ports]
    while not over.is_set():
        with turn:
            arrival = next(schedule)
        wait = arrival.due - time.monotonic()
        if wait < -TOO_LATE:
            tally.add(skipped=1)
            continue
        time.sleep(max(wait, 0.0))
        started = time.monotonic()
        if send(arrival, clients[arrival.node]):
            tally.add(done=1, seconds=time.monotonic() - started)
        else:
            tally.add(errors=1)


def run(fleet: Path, rate: float, every: float = REPORT_EVERY, through: Sequence[int] = ()) -> None:
    """Send until the fleet's record is gone; a report each so many seconds.

    `through` are ports on loopback instead of the nodes' own, one for each node in order: those of a splitter.

    Raises:
        RunbookError: the record cannot be read at the start, or the ports are not as many as its nodes.
    """
    record = load(FleetFolder(fleet.parent.parent))
    if record is None:
        raise RunbookError(f"there is no fleet in {fleet}")
    ports = through or [node.port for node in record.nodes]
    if len(ports) != len(record.nodes):
        raise RunbookError(f"{len(ports)} ports for {len(record.nodes)} nodes: one for each, in their order")
    tally, turn, over = Tally(), threading.Lock(), threading.Event()
    schedule = arrivals([node.spaces for node in record.nodes], rate, time.monotonic())
    for _ in range(CONNECTIONS):
        threading.Thread(target=work, args=(schedule, turn, ports, tally, over), daemon=True).start()
    for beat in itertools.count(1):
        time.sleep(every)
        sys.stdout.write(f"{beat * every:g}s {tally.report()}\n")
        if not fleet.exists():
            over.set()
            return


def _ports(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


def main() -> int:
    """Read the command line and send."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fleet", type=Path, required=True, help="the fleet.json of `runbook sandbox up`")
    parser.add_argument("--rate", type=float, required=True, help="requests per second over the whole fleet")
    parser.add_argument("--every", type=float, default=REPORT_EVERY, help="seconds between two reports")
    parser.add_argument("--ports", type=_ports, default=(), help="instead of the nodes' own, one each: P,P,P")
    options = parser.parse_args()
    try:
        run(options.fleet.absolute(), options.rate, options.every, options.ports)
    except RunbookError as error:
        sys.stderr.write(f"{error.message}\n")
        return int(error.code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
