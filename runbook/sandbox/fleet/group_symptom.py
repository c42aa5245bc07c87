"""What a fault does to the spaces of one group, measured by recalls that leave no trace.

The same question before and after, in spaces of both groups by turns: what happens to both meanwhile is no symptom.
Which group a space is in is what the node answers.
"""

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runbook.sandbox.fleet.client import NodeClient
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.record import NodeRecord
from runbook.sandbox.fleet.waiting import Look

_RECALL = "/api/v1/memories/recall?query=what+happened+last+week&max_results=5&observe=false"
_TIMEOUT = 10.0
_ENOUGH = 600
"""Comparisons before the fault."""
_LONGEST = 5.0  # seconds, for these
_FEWEST = 30
_SURE = 3.0  # standard errors


@dataclass(frozen=True, slots=True)
class Nobody:
    """There is nothing to measure, and why."""

    why: str


@dataclass(slots=True)
class _Sample:
    """Recalls of the group's spaces, each followed by one of another space, where there is any.

    `logs` are of milliseconds; `ratios` of the one to the other, close together in time: what the machine does besides
    is in both.
    """

    chosen: Sequence[str]
    others: Sequence[str]
    logs: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    failed: int = 0
    others_failed: int = 0
    rounds: int = 0

    def round(self, client: NodeClient) -> None:
        """Ask once in every space of the group."""
        for at, space in enumerate(self.chosen):
            other = self.others[(at + self.rounds) % len(self.others)] if self.others else None
            ours = _log_of(client, space)
            theirs = 0.0 if other is None else _log_of(client, other)
            self.failed += ours is None
            self.others_failed += theirs is None
            if ours is not None:
                self.logs.append(ours)
            if ours is not None and theirs is not None:
                self.ratios.append(ours - theirs)
        self.rounds += 1

    @property
    def asked(self) -> int:
        """How many recalls of the group there were."""
        return len(self.chosen) * self.rounds


def slower(folder: FleetFolder, node: NodeRecord, parameters: Mapping[str, Any]) -> Look | Nobody:
    """Recalls of the group take longer than before, by half of what was asked for at least, and the others do not."""
    group = str(parameters.get("group", ""))
    with _client(folder, node) as client:
        before, until = _sample(client, group), time.monotonic() + _LONGEST
        while before.chosen and len(before.ratios) < _ENOUGH and time.monotonic() < until:
            before.round(client)
    if not before.chosen:
        return _nobody(node, group)
    if not before.ratios:
        return Nobody(f"no recall of {_named(group)} on {node.name} is answered")
    was = math.exp(statistics.median(before.logs))
    milliseconds = float(parameters.get("milliseconds", 0.0 if "percent" in parameters else 100.0))
    wanted = math.log1p(milliseconds / was + float(parameters.get("percent", 0.0)) / 100)
    after = _Sample(before.chosen, before.others)

    def look() -> str | None:
        with _client(folder, node) as client:
            after.round(client)
        if len(after.ratios) < _FEWEST:
            return None
        change = statistics.median(after.ratios) - statistics.median(before.ratios)
        error = math.sqrt(_variance(before.ratios) + _variance(after.ratios))
        if change < max(_SURE * error, wanted / 2):
            return None
        against = "than the others, compared with before" if after.others else "than before"
        now = math.exp(statistics.median(after.logs))
        return (
            f"recalls of {_named(group)} are {math.expm1(change):.0%} slower {against} (+/- {_SURE * error:.0%}; "
            f"{len(after.ratios)} recalls, {len(after.chosen)} spaces, median {now:.2f} ms)"
        )

    return look


def failing(folder: FleetFolder, node: NodeRecord, parameters: Mapping[str, Any]) -> Look | Nobody:
    """Of the recalls of the group at least half as many fail as was asked for."""
    group = str(parameters.get("group", ""))
    rate = float(parameters["percent"]) / 100 if "percent" in parameters else float(parameters.get("rate", 0.5))
    with _client(folder, node) as client:
        after = _sample(client, group)
    if not after.chosen:
        return _nobody(node, group)

    def look() -> str | None:
        with _client(folder, node) as client:
            after.round(client)
        if not after.failed or after.failed < rate * after.asked / 2:
            return None
        others = f", {after.others_failed} of {after.asked} of the others" if after.others else ""
        return f"{after.failed} of {after.asked} recalls of {_named(group)} answered with an error{others}"

    return look


GROUPED = {"latency": slower, "errors": failing}
"""By fault; asked where a group or a percentage is named."""


def _variance(logs: list[float]) -> float:
    """Of their median, by the median distance from it: of a normal distribution both constants are."""
    middle = statistics.median(logs)
    spread = 1.4826 * statistics.median(abs(each - middle) for each in logs)
    return math.pi / 2 * spread * spread / len(logs)


def _sample(client: NodeClient, group: str) -> _Sample:
    """The spaces of the group on the node, all of them where none is named, and the others; not asked yet.

    Raises:
        UnreachableError: the node does not answer.
    """
    chosen: list[str] = []
    others: list[str] = []
    for space in client.demand("GET", "/api/v1/spaces").document["spaces"]:
        reply = client.ask("GET", _RECALL, space=space["id"])
        served = reply.document.get("group", "") if isinstance(reply.document, dict) else ""
        (chosen if group in {"", served} else others).append(str(space["id"]))
    return _Sample(chosen, others)


def _log_of(client: NodeClient, space: str) -> float | None:
    """The logarithm of the milliseconds that the node took; None where it answered with an error.

    Raises:
        UnreachableError: it does not answer.
    """
    reply = client.ask("GET", _RECALL, space=space)
    if not reply.is_good:
        return None
    return math.log(max(float(reply.document["processing_time_ms"]), 1e-6))


def _nobody(node: NodeRecord, group: str) -> Nobody:
    return Nobody(f"no space on {node.name} is in {_named(group)}")


def _named(group: str) -> str:
    return f"the group {group}" if group else "all spaces"


def _client(folder: FleetFolder, node: NodeRecord) -> NodeClient:
    return NodeClient(node.port, folder.token(node.name), _TIMEOUT)
