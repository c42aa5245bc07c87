"""What an A/B comparison reads: recalls added up by time, space and group. Sums, so that buckets can be added."""

from collections.abc import Mapping
from dataclasses import dataclass

from runbook.model.measurement import Silence

CONTROL = "control"
TREATMENT = "treatment"
GROUPS = (CONTROL, TREATMENT)


@dataclass(frozen=True, slots=True)
class Cell:
    """The recalls of one space in one time bucket, in the group that the node really served it in.

    `bucket` is its beginning in whole seconds since 1970, by the node's clock, and `seconds` its length. `n` counts the
    recalls that answered; latencies are natural logarithms of milliseconds; `over_slo` counts those slower than the
    service level objective.
    """

    node: str
    bucket: int
    seconds: int
    space: str
    group: str
    n: int
    log_latency_sum: float
    log_latency_sum_squares: float
    errors: int
    over_slo: int
    confidence_n: int
    confidence_sum: float
    confidence_sum_squares: float


@dataclass(frozen=True, slots=True)
class NodeCells:
    """The rows of one node, oldest first, and how long its buckets are now."""

    node: str
    bucket_seconds: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What a store let go of to stay within its bound: how many rows, and where the newest of their buckets began.

    `summed` says how many rows before that moment it has added up to hours instead.
    """

    rows: int = 0
    until: int | None = None
    summed: int = 0


FleetCells = Mapping[str, NodeCells | Silence]
"""Every node by name, or its silence."""
