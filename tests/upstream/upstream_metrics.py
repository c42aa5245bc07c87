"""The metrics of upstream 0.1, as read from its source: sums of five minutes, with bounds that follow the data.

Counters fall as well as rise; histograms are made from quantiles, so that bounds change and may repeat; each family
is shown twice, with the space and without; an idle server answers 200 with an empty body.
"""

from collections.abc import Iterator
from itertools import count

WINDOW_SUMS = (45, 12, 61, 3, 30)
"""One after the other, as old events leave the window and new ones come."""


class UpstreamMetrics:
    """What is told at each scrape. `consolidated` adds what is told for five minutes after a snapshot was made.

    Args:
        idle: nothing was recorded in the last five minutes.
    """

    def __init__(self, *, idle: bool = False) -> None:
        self.idle = idle
        self.consolidated = False
        self._scrapes = count()

    def text(self) -> str:
        """The body of /metrics/prometheus."""
        turn = next(self._scrapes)
        return "" if self.idle else "\n".join(self._families(turn)) + "\n"

    def document(self) -> dict[str, object]:
        """The body of /metrics."""
        created = {"count": 3, "sum": 3.0, "mean": 1.0, "min": 1.0, "max": 1.0, "p50": 1.0, "p90": 1.0, "p99": 1.0}
        windows = {"one_second": {}, "ten_seconds": {}, "one_minute": {}}
        snapshot = {"schema_version": "1.1.0", **windows, "five_minutes": {"memories_created_total": created}}
        return {"snapshot": snapshot, "export": {"exported": 10, "dropped": 0, "queue_depth": 0}}

    def _families(self, turn: int) -> Iterator[str]:
        total = WINDOW_SUMS[turn % len(WINDOW_SUMS)]
        yield from _family("engram_spreading_activations_total", "counter", total)
        yield from _family("engram_consolidation_runs_total", "counter", total)  # the name that ours has too
        yield from _family("engram_spreading_breaker_state", "gauge", 0)
        yield from _family("activation_pool_available_records", "gauge", 900 + turn)
        yield from _family("adaptive_batch_hot_size", "gauge", 32)
        if self.consolidated:
            yield from _family("engram_consolidation_freshness_seconds", "gauge", 145.2)
        yield from _histogram("engram_spreading_latency_hot_seconds", 0.0001 + turn / 10_000, total)


def _family(name: str, kind: str, value: float) -> Iterator[str]:
    yield f"# HELP {name} As upstream says it"
    yield f"# TYPE {name} {kind}"
    yield f"{name} {value}"
    yield f'{name}{{memory_space="default"}} {value}'
    yield ""


def _histogram(name: str, least: float, total: int) -> Iterator[str]:
    yield f"# HELP {name} Hot tier activation latency"
    yield f"# TYPE {name} histogram"
    bounds = [(least, 0), (least, total // 2), (2 * least, total), (2 * least, total)]  # min = p50, p99 = max
    yield from (f'{name}_bucket{{le="{bound:g}"}} {found}' for bound, found in bounds)
    yield f'{name}_bucket{{le="+Inf"}} {total}'
    yield f"{name}_sum {total * least:g}"
    yield f"{name}_count {total}"
    yield ""
