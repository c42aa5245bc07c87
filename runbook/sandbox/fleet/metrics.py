"""The few numbers that tell whether a fault shows, out of a node's Prometheus text."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from runbook.sandbox.fleet.client import NodeClient

_SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)", re.MULTILINE)
_LE = re.compile(r'le="([^"]+)"')
_FORMED = "engram_concepts_formed_total"
_CYCLE = "engram_consolidation_duration_seconds_bucket"


@dataclass(frozen=True, slots=True)
class Formation:
    """Counters of a node at one moment: concepts formed, and consolidation cycles by their upper bound in seconds."""

    formed: float
    cycles: Mapping[float, float]


def formation_of(client: NodeClient) -> Formation:
    """Read them now.

    Raises:
        UnreachableError: the node does not answer.
    """
    formed, cycles = 0.0, dict[float, float]()
    text = client.demand("GET", "/metrics/prometheus").text
    for sample in _SAMPLE.finditer(text):
        if sample["name"] == _FORMED:
            formed += float(sample["value"])
        elif sample["name"] == _CYCLE and (bound := _LE.search(sample["labels"] or "")):
            cycles[float(bound[1])] = cycles.get(float(bound[1]), 0.0) + float(sample["value"])
    return Formation(formed, cycles)


def value_of(client: NodeClient, name: str) -> float | None:
    """The sum over the series of that name now; None where there is none.

    Raises:
        UnreachableError: the node does not answer.
    """
    text = client.demand("GET", "/metrics/prometheus").text
    found = [float(sample["value"]) for sample in _SAMPLE.finditer(text) if sample["name"] == name]
    return sum(found) if found else None


def slow_cycle(before: Formation, after: Formation, share: float = 0.99) -> float | None:
    """Seconds within which that share of the cycles between the two moments ended; None where there was none."""
    grown = sorted((bound, count - before.cycles.get(bound, 0.0)) for bound, count in after.cycles.items())
    total = grown[-1][1] if grown else 0.0
    if total <= 0:
        return None
    low, below = 0.0, 0.0
    for bound, count in grown:
        if count >= share * total:
            return low if math.isinf(bound) else low + (bound - low) * (share * total - below) / (count - below)
        low, below = bound, count
    return low
