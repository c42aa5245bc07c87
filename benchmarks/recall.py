"""Recall under load: latency at 10 000 episodes and 50 requests a second, on one core; and start-up.

python benchmarks/recall.py [--episodes 10000] [--rate 50] [--seconds 20]

The node is pinned to the first core. The load is an open loop: a request is due at its time whether or not the one
before was answered, and its latency counts from then, so that a stall is not hidden.
"""

import argparse
import http.client
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from runbook.sandbox.texts.generate import query_of, texts_of

SPACE = "benchmark"


class Node:
    """One node process, pinned to the first core."""

    def __init__(self, folder: Path) -> None:
        (folder / "port").unlink(missing_ok=True)
        started = time.perf_counter()
        command = [sys.executable, "-m", "runbook.sandbox.node", "--folder", str(folder), "--port", "0"]
        self.process = subprocess.Popen(command)
        os.sched_setaffinity(self.process.pid, {min(os.sched_getaffinity(0))})
        while not (folder / "port").exists():
            time.sleep(0.002)
        self.seconds_to_start = time.perf_counter() - started
        self.port = int((folder / "port").read_text())

    def connection(self) -> http.client.HTTPConnection:
        """A connection of its own."""
        return http.client.HTTPConnection("127.0.0.1", self.port)

    def stop(self) -> None:
        """End it, and wait until it is gone."""
        self.process.terminate()
        self.process.wait()


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: object = None) -> bytes:
    raw = None if body is None else json.dumps(body).encode()
    connection.request(method, path, raw, {"X-Memory-Space": SPACE})
    response = connection.getresponse()
    content = response.read()
    if response.status >= 300:
        raise SystemExit(f"{method} {path}: {response.status} {content.decode()}")
    return content


def together(work: Callable[[int], None], threads: int) -> None:
    running = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def load(node: Node, contents: list[str]) -> None:
    def work(number: int) -> None:
        connection = node.connection()
        for content in contents[number::8]:
            ask(connection, "POST", "/api/v1/memories/remember", {"content": content})

    together(work, 8)


def settle(node: Node) -> None:
    connection = node.connection()
    while not json.loads(ask(connection, "GET", "/api/v1/system/health"))["settled"]:
        time.sleep(0.1)


def recall(node: Node, queries: list[str], rate: float) -> tuple[list[float], list[float]]:
    """The latencies of recalls, and of as many requests that do nothing, in between: what the machine itself costs."""
    latencies: list[float] = []
    nothing: list[float] = []
    started = time.perf_counter() + 0.1

    def work(number: int) -> None:
        connection = node.connection()
        for at in range(number, len(queries), 8):
            due = started + at / rate
            time.sleep(max(due - time.perf_counter(), 0.0))
            ask(connection, "GET", f"/api/v1/memories/recall?max_results=10&query={quote(queries[at])}")
            latencies.append(time.perf_counter() - due)
            idle = time.perf_counter()
            ask(connection, "GET", "/health/alive")
            nothing.append(time.perf_counter() - idle)

    together(work, 8)
    return sorted(latencies), sorted(nothing)


def cpu_seconds(node: Node) -> float:
    exposition = ask(node.connection(), "GET", "/metrics/prometheus").decode()
    return float(exposition.partition("\nprocess_cpu_seconds_total ")[2].partition("\n")[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    source, texts = random.Random(1), texts_of("bench", 1)
    drawn = [next(texts) for _ in range(given.episodes)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "node"
        node = Node(folder)
        started = time.perf_counter()
        ask(node.connection(), "POST", "/api/v1/spaces", {"id": SPACE})
        load(node, [text.content for text in drawn])
        loaded = time.perf_counter()
        settle(node)
        settled = time.perf_counter()
        node.stop()
        node = Node(folder)
        count = round(given.rate * given.seconds)
        before, began = cpu_seconds(node), time.perf_counter()
        latencies, nothing = recall(node, [query_of(source.choice(drawn), source) for _ in range(count)], given.rate)
        share = (cpu_seconds(node) - before) / (time.perf_counter() - began)
        (health,) = [
            s
            for s in json.loads(ask(node.connection(), "GET", "/api/v1/system/health"))["spaces"]
            if s["space"] == SPACE
        ]
        node.stop()
    print(f"episodes {health['episodes']}  concepts {health['concepts']}  bindings {health['bindings']}")
    print(f"load     {given.episodes / (loaded - started):8.0f} writes/s   settled {settled - loaded:.1f} s later")
    print(f"start-up {node.seconds_to_start:8.2f} s from exec to listening")
    for name, quantile in (("p50", 0.50), ("p90", 0.90), ("p99", 0.99), ("max", 1.0)):
        at = min(int(quantile * len(latencies)), len(latencies) - 1)
        ratio = latencies[at] / nothing[at]
        print(f"recall   {latencies[at] * 1000:8.2f} ms {name}   {ratio:5.1f} x a request that does nothing")
    print(f"load     {os.getloadavg()[0]:8.1f} others and we, on {os.cpu_count()} cores")
    print(f"core     {share:8.0%} of one, at {given.rate:g} recalls/s")


if __name__ == "__main__":
    main()
