"""What each fault looks like from outside; each is measured and none is assumed.

A function here is called before the fault is injected, so that it knows how the node was when it was well; what it
returns then looks once each time it is called.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

from runbook.errors import UnreachableError
from runbook.sandbox.fleet.client import NodeClient
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.memory_symptom import memory_leak, oom_restart
from runbook.sandbox.fleet.metrics import Formation, formation_of, slow_cycle
from runbook.sandbox.fleet.recall_symptom import poor_recall
from runbook.sandbox.fleet.record import NodeRecord
from runbook.sandbox.fleet.waiting import Look

_BEFORE = 2.0
_WINDOW = 4.0
_RATE = 84.0  # concepts per minute: just above 5000 per hour, a spike whatever is usual
_SLOW_CYCLE = 0.022  # seconds: just above what counts as slow, whatever is usual
_TIMES_SLOWER = 2.2
_RECALLS = 5
_SLOWER_RECALL = 0.010  # seconds
_TRIES = 50
_TIMEOUT = 2.0
_RECALL = "/api/v1/memories/recall?query=what+happened+last+week&max_results=5"
_CONFIG = "/api/v1/admin/config"
_CHAOS = "/api/v1/admin/chaos"
_WEIGHT = "dual_memory.semantic_weight"
_SERVER_ERROR = 500


def high_formation(folder: FleetFolder, node: NodeRecord) -> Look:
    """Concepts form faster than Engram's own alert allows, and consolidation cycles have become slow."""
    first = _formation(folder, node)
    time.sleep(_BEFORE)
    usual = slow_cycle(first, _formation(folder, node)) or 0.0
    limit = max(_SLOW_CYCLE, _TIMES_SLOWER * usual)

    def look() -> str | None:
        started, before = time.monotonic(), _formation(folder, node)
        time.sleep(_WINDOW)
        after = _formation(folder, node)
        rate = 60 * (after.formed - before.formed) / (time.monotonic() - started)
        cycle = slow_cycle(before, after) or 0.0
        shows = rate > _RATE and cycle > limit
        return f"{rate:.0f} concepts/min > {_RATE:.0f}, cycle p99 {1000 * cycle:.0f} ms" if shows else None

    return look


def latency(folder: FleetFolder, node: NodeRecord) -> Look:
    """A recall takes at least twice as long as before."""
    before = _recall_seconds(folder, node)
    limit = max(2 * before, before + _SLOWER_RECALL)

    def look() -> str | None:
        seconds = _recall_seconds(folder, node)
        return f"recall {1000 * seconds:.0f} ms, was {1000 * before:.1f} ms" if seconds > limit else None

    return look


def errors(folder: FleetFolder, node: NodeRecord) -> Look:
    """A recall is answered with a server error."""

    def look() -> str | None:
        with _client(folder, node) as client:
            for attempt in range(1, _TRIES + 1):
                reply = client.ask("GET", _RECALL, space=_space(node))
                if reply.status >= _SERVER_ERROR:
                    return f"recall {attempt} of {_TRIES} answered {reply.status}"
        return None

    return look


def ignore_config(folder: FleetFolder, node: NodeRecord) -> Look:
    """A setting is accepted, and not there when it is read back."""

    def look() -> str | None:
        with _client(folder, node) as client:
            active = {each["fault"]: each["parameters"] for each in client.demand("GET", _CHAOS).document["active"]}
            key = active.get("ignore-config", {}).get("key") or _WEIGHT
            current = client.demand("GET", _CONFIG).document[key]
            wanted = _other(current)
            client.demand("PATCH", _CONFIG, {key: wanted})
            found = client.demand("GET", _CONFIG).document[key]
            if found == current:
                return f"{key} set to {wanted}, read back {found}"
            client.demand("PATCH", _CONFIG, {key: current})  # it took effect after all: nothing stays changed
        return None

    return look


def _other(value: Any) -> Any:
    """Another value that the node would take."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value / 2 if value else 0.5
        case str():
            return f"{value}-other"
        case _:
            return [*value, "other"]


def unreachable(folder: FleetFolder, node: NodeRecord) -> Look:
    """A request to the data plane gets no answer."""

    def look() -> str | None:
        try:
            with _client(folder, node) as client:
                reply = client.ask("GET", "/health")
        except UnreachableError as error:
            return error.message
        return None if isinstance(reply.document, dict) else f"something else than JSON: {reply.text[:40]!r}"

    return look


SYMPTOMS: dict[str, Callable[[FleetFolder, NodeRecord], Look]] = {
    "high-formation": high_formation,
    "poor-recall": poor_recall,
    "poor-recall-concepts": poor_recall,
    "memory-leak-bindings": memory_leak,
    "memory-leak-cache": memory_leak,
    "oom-restart": oom_restart,
    "latency": latency,
    "errors": errors,
    "ignore-config": ignore_config,
    "unreachable": unreachable,
}
"""By fault. A node may know more faults than these; those are injected without waiting."""


def _client(folder: FleetFolder, node: NodeRecord) -> NodeClient:
    return NodeClient(node.port, folder.token(node.name), _TIMEOUT)


def _space(node: NodeRecord) -> str:
    return node.spaces[0]


def _formation(folder: FleetFolder, node: NodeRecord) -> Formation:
    with _client(folder, node) as client:
        return formation_of(client)


def _recall_seconds(folder: FleetFolder, node: NodeRecord) -> float:
    taken = []
    with NodeClient(node.port, folder.token(node.name)) as client:
        for _ in range(_RECALLS):
            started = time.monotonic()
            client.ask("GET", f"{_RECALL}&observe=false", space=_space(node))
            taken.append(time.monotonic() - started)
    return statistics.median(taken)
