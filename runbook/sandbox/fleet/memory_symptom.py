"""Memory that grows without end, and nodes that are killed for it, measured from outside."""

import time

from runbook.errors import UnreachableError
from runbook.sandbox.fleet.client import NodeClient
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.metrics import value_of
from runbook.sandbox.fleet.record import NodeRecord
from runbook.sandbox.fleet.waiting import Look

_PART = 4.0
_PARTS = 3
_LIMIT = 1200.0  # MB/h: just above 1 GB/h, the rollout plan's limit
_HOUR = 3600.0
_MB = 1e6
_HEAP = "/api/v1/admin/heap"
_OOM = "engram_oom_restarts_total"


def memory_leak(folder: FleetFolder, node: NodeRecord) -> Look:
    """Resident memory grows by more than 1 GB/h in each of three parts of the window; which component grew most."""

    def look() -> str | None:
        with NodeClient(node.port, folder.token(node.name)) as client:
            dumps, times = [client.demand("POST", _HEAP).document], [time.monotonic()]
            for _ in range(_PARTS):
                time.sleep(_PART)
                dumps.append(client.demand("POST", _HEAP).document)
                times.append(time.monotonic())
        sizes = [dump["resident_bytes"] for dump in dumps]
        rates = [
            (sizes[at + 1] - sizes[at]) / _MB / (times[at + 1] - times[at]) * _HOUR for at in range(len(sizes) - 1)
        ]
        if min(rates) < _LIMIT:
            return None
        first, last = dumps[0]["components"], dumps[-1]["components"]
        grown = {name: last[name]["bytes"] - first[name]["bytes"] for name in last}
        most = max(grown, key=lambda name: grown[name])
        total = (sizes[-1] - sizes[0]) / _MB
        return f"memory {sum(rates) / len(rates):.0f} MB/h, {grown[most] / _MB:.1f} of {total:.1f} MB are {most}"

    return look


def oom_restart(folder: FleetFolder, node: NodeRecord) -> Look:
    """The node was killed for want of memory, and has come back."""
    before = _kills(folder, node) or 0.0

    def look() -> str | None:
        try:
            kills = _kills(folder, node) or 0.0
        except UnreachableError:
            return None  # it is being started again
        return f"killed for want of memory, restart {kills:.0f}" if kills > before else None

    return look


def _kills(folder: FleetFolder, node: NodeRecord) -> float | None:
    with NodeClient(node.port, folder.token(node.name)) as client:
        return value_of(client, _OOM)
