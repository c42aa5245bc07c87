"""The metrics of one node: every name of the operations contract, each with a value that was counted or measured.

Counters and histograms are counted where things happen; gauges are read at the moment of the scrape. Each node has
its own registry, since one process may serve many nodes.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from runbook.model.cells import GROUPS
from runbook.model.settings import Kind, Value
from runbook.sandbox import process

_SHARES = tuple(step / 20 for step in range(21))


def geometric(start: float, end: float, ratio: float) -> tuple[float, ...]:
    """Bounds from `start` up to at least `end`, each `ratio` times the one before."""
    bounds = [start]
    while bounds[-1] < end:
        bounds.append(bounds[-1] * ratio)
    return tuple(float(f"{bound:.6g}") for bound in bounds)


_SLO = 0.015
RECALL_BUCKETS = (
    *geometric(0.0001, 0.0025, 1.5),
    *(float(f"{_SLO * 1.08**step:.6g}") for step in range(-18, 19)),  # 3.75 ms to 60 ms, at most 8 % apart
    *geometric(0.09, 10.0, 1.5),
)
CONSOLIDATION_BUCKETS = geometric(0.0001, 60.0, 1.25)


class Measured(Protocol):
    """What is read at the moment of a scrape."""

    def sizes(self) -> dict[str, dict[str, int]]:
        """Per space: episodes, concepts, bindings, orphans."""
        ...

    def resident_bytes(self) -> dict[str, int]:
        """Measured bytes by component."""
        ...

    def cached(self) -> tuple[int, int]:
        """Entries and bytes of the concept cache."""
        ...

    def values(self, kind: Kind) -> dict[str, Value]:
        """The settings that the node runs with."""
        ...

    def oom_kills(self) -> int | None:
        """How often it was killed for want of memory; None where nobody tells."""
        ...

    def memory_limit_bytes(self) -> int | None:
        """What it may use at most; None where nobody tells."""
        ...


class Instruments:
    """Counters and histograms, and the gauges of `measured`."""

    def __init__(self, measured: Measured) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library annotates it not
        self._registry = registry = CollectorRegistry(auto_describe=False)
        self.formed = Counter("engram_concepts_formed", "Concepts formed", ["space"], registry=registry)
        self.coherence = Histogram(
            "engram_concept_coherence", "Coherence of concepts as formed", buckets=_SHARES, registry=registry
        )
        self.consolidation = Histogram(
            "engram_consolidation_duration_seconds",
            "Duration of consolidation cycles",
            buckets=CONSOLIDATION_BUCKETS,
            registry=registry,
        )
        self.cycles = Counter("engram_consolidation_runs", "Consolidation cycles", ["outcome"], registry=registry)
        self.recall_seconds = Histogram(
            "engram_recall_duration_seconds",
            "Duration of recalls",
            ["group"],
            buckets=RECALL_BUCKETS,
            registry=registry,
        )
        self.recalls = Counter("engram_recall", "Recalls", ["group", "space"], registry=registry)
        self.recall_errors = Counter(
            "engram_recall_errors", "Recalls that failed", ["group", "space"], registry=registry
        )
        self.confidence = Histogram(
            "engram_recall_confidence", "Mean confidence of a recall", ["group"], buckets=_SHARES, registry=registry
        )
        self.semantic_share = Histogram(
            "engram_recall_semantic_share",
            "Share of a result's score that came from concepts",
            buckets=_SHARES,
            registry=registry,
        )
        self.fan_out = Histogram(
            "engram_concept_fan_out",
            "Episodes that shared the activation of a concept, at recall",
            buckets=(1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024),
            registry=registry,
        )
        for group in GROUPS:  # a group that was never asked is a zero that is known, not an absence
            self.recall_seconds.labels(group)
            self.confidence.labels(group)
        for outcome in ("success", "failure"):
            self.cycles.labels(outcome)
        registry.register(_Gauges(measured))
        registry.register(_Process(measured))

    def space(self, name: str) -> None:
        """From now on the space's counters are there, at zero."""
        self.formed.labels(name)
        for group in GROUPS:
            self.recalls.labels(group, name)
            self.recall_errors.labels(group, name)

    def exposition(self) -> bytes:
        """Prometheus's text format 0.0.4."""
        return generate_latest(self._registry)


class _Gauges:
    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        sizes = self._measured.sizes()
        for part in ("episodes", "concepts", "bindings"):
            gauge = GaugeMetricFamily(f"engram_{part}", f"Number of {part}", labels=["space"])
            for space, counts in sizes.items():
                gauge.add_metric([space], counts[part])
            yield gauge
        orphans = sum(counts["orphans"] for counts in sizes.values())
        yield GaugeMetricFamily("engram_binding_orphans", "Bindings of forgotten episodes", value=orphans)
        entries, size = self._measured.cached()
        yield GaugeMetricFamily("engram_concept_cache_entries", "Entries of the concept cache", value=entries)
        yield GaugeMetricFamily("engram_concept_cache_bytes", "Memory of the concept cache", value=size)
        yield _family("engram_memory_bytes", "Memory by component", "component", self._measured.resident_bytes())
        features = self._measured.values(Kind.FEATURE)
        yield _family("engram_feature_enabled", "Flags as the node runs with them", "name", features)
        numbers = {k: v for k, v in self._measured.values(Kind.CONFIG).items() if isinstance(v, bool | int | float)}
        yield _family("engram_config_value", "Tunables as the node runs with them", "name", numbers)


def _family(name: str, documentation: str, label: str, values: Mapping[str, Value]) -> Metric:
    gauge = GaugeMetricFamily(name, documentation, labels=[label])
    for key, value in values.items():
        if isinstance(value, bool | int | float):
            gauge.add_metric([key], float(value))
    return gauge


class _Process:
    def __init__(self, measured: Measured) -> None:
        self._measured = measured

    def collect(self) -> Iterator[Metric]:
        resident, cpu = process.resident_bytes(), process.cpu_seconds()
        yield GaugeMetricFamily("process_resident_memory_bytes", "Resident memory", value=resident)
        limit = self._measured.memory_limit_bytes()
        if limit is not None:
            yield GaugeMetricFamily("engram_memory_limit_bytes", "Memory that the node may use", value=limit)
        yield CounterMetricFamily("process_cpu_seconds", "User and system time", value=cpu)
        yield GaugeMetricFamily("process_start_time_seconds", "Start of the process", value=process.start_time())
        gc_runs = CounterMetricFamily("python_gc_collections", "Runs of the garbage collector", labels=["generation"])
        for generation, count in enumerate(process.collections()):
            gc_runs.add_metric([str(generation)], count)
        yield gc_runs
        kills = self._measured.oom_kills()
        if kills is not None:
            yield CounterMetricFamily(
                "engram_oom_restarts",
                "How often the node, or one of its control group, was killed for want of memory",
                value=kills,
            )
