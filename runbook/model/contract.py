"""The operations contract: the metrics and endpoints that a node speaks, once, as data.

The documents are generated and checked from it, and tests hold a real node to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The type of a metric, as Prometheus names it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Exposed:
    """One metric at `GET /metrics/prometheus`. `always` is False where a node may have no way of knowing it."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    tells: str
    used_by: str
    always: bool = True

    @property
    def series(self) -> tuple[str, ...]:
        """The names that its samples have."""
        if self.kind is Kind.HISTOGRAM:
            return (f"{self.name}_bucket", f"{self.name}_sum", f"{self.name}_count")
        return (self.name,)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path and its methods; `{...}` stands for one part of a path. What is `planned` no node has yet."""

    methods: tuple[str, ...]
    path: str
    purpose: str
    admin: bool = False
    planned: bool = False


def _counter(name: str, labels: tuple[str, ...], tells: str, used_by: str) -> Exposed:
    return Exposed(name, Kind.COUNTER, labels, tells, used_by)


def _gauge(name: str, labels: tuple[str, ...], tells: str, used_by: str) -> Exposed:
    return Exposed(name, Kind.GAUGE, labels, tells, used_by)


def _histogram(name: str, labels: tuple[str, ...], tells: str, used_by: str) -> Exposed:
    return Exposed(name, Kind.HISTOGRAM, labels, tells, used_by)


_METRICS = (
    _counter("engram_concepts_formed_total", ("space",), "concepts formed", "formation rate"),
    _gauge("engram_concepts", ("space",), "concepts kept", "all"),
    _gauge("engram_episodes", ("space",), "episodes kept", "all"),
    _gauge("engram_bindings", ("space",), "bindings kept", "all"),
    _histogram("engram_concept_coherence", (), "coherence of concepts as they are formed, 0..1", "concept quality"),
    _histogram(
        "engram_consolidation_duration_seconds", (), "duration of consolidation cycles", "latency of consolidation"
    ),
    _counter("engram_consolidation_runs_total", ("outcome",), "cycles; `success` or `failure`", "consolidation"),
    _histogram("engram_recall_duration_seconds", ("group",), "duration of recalls", "latency; A/B"),
    _counter("engram_recall_total", ("group", "space"), "recalls", "error rate; A/B"),
    _counter("engram_recall_errors_total", ("group", "space"), "recalls that failed", "error rate; A/B"),
    _histogram("engram_recall_confidence", ("group",), "mean confidence of a recall, 0..1", "recall quality; A/B"),
    _histogram("engram_recall_semantic_share", (), "share of a result that came from concepts, 0..1", "recall quality"),
    _histogram("engram_concept_fan_out", (), "episodes that shared a concept's activation", "fan effect"),
    _gauge("engram_binding_orphans", (), "bindings of forgotten episodes", "binding cleanup"),
    _gauge("engram_concept_cache_entries", (), "concepts in the cache", "concept cache"),
    _gauge("engram_concept_cache_bytes", (), "memory of the concept cache", "concept cache"),
    _gauge("engram_memory_bytes", ("component",), "memory by component", "memory leak"),
    _gauge("engram_feature_enabled", ("name",), "1 where the flag is on", "what the node runs with"),
    _gauge("engram_config_value", ("name",), "the tunable's value", "what the node runs with"),
    _gauge("process_resident_memory_bytes", (), "resident memory of the process", "memory"),
    _counter("process_cpu_seconds_total", (), "user and system time of the process", "CPU"),
    _gauge("process_start_time_seconds", (), "when the process started, seconds since 1970", "restarts"),
    _counter("python_gc_collections_total", ("generation",), "runs of the garbage collector", "memory leak"),
    Exposed(
        "engram_memory_limit_bytes",
        Kind.GAUGE,
        (),
        "memory that the node may use; absent where nothing limits it",
        "memory leak",
        always=False,
    ),
    Exposed(
        "engram_oom_restarts_total",
        Kind.COUNTER,
        (),
        "processes that were killed for want of memory; absent where the kernel does not tell",
        "memory leak",
        always=False,
    ),
)

METRICS: Mapping[str, Exposed] = {metric.name: metric for metric in _METRICS}

ADMIN = "/api/v1/admin"


def _admin(methods: str, path: str, purpose: str) -> Endpoint:
    return Endpoint(tuple(methods.split()), ADMIN + path, purpose, admin=True)


ENDPOINTS = (
    Endpoint(("GET",), "/health", "is it healthy"),
    Endpoint(("GET",), "/health/alive", "does it live: 200, no body"),
    Endpoint(("GET",), "/api/v1/system/health", "checks, and counts by space"),
    Endpoint(("GET",), "/metrics/prometheus", "metrics in Prometheus's text format"),
    Endpoint(("GET", "POST"), "/api/v1/spaces", "list spaces; make one"),
    Endpoint(("GET",), "/api/v1/memories", "list the episodes of a space"),
    Endpoint(("GET", "DELETE"), "/api/v1/memories/{id}", "one episode; forget it"),
    Endpoint(("POST",), "/api/v1/memories/remember", "remember a text"),
    Endpoint(("POST",), "/api/v1/episodes/remember", "remember an episode"),
    Endpoint(
        ("GET",),
        "/api/v1/memories/recall",
        "recall; with `observe=false` without any trace; the header `X-Engram-Group`, `treatment` or `control`, "
        "which a proxy that splits the traffic sets, wins over the share and the named spaces of the node",
    ),
    _admin("GET POST", "/features", "the flags; set some, all at once, effective at once, kept over a restart"),
    _admin("GET PATCH", "/config", "the tunables; set some"),
    _admin("GET POST DELETE", "/lease", "one changing run a node at a time"),
    _admin("POST", "/consolidate", "run one cycle of consolidation"),
    _admin("POST", "/bindings/gc", "collect dead bindings"),
    _admin("GET POST", "/heap", "memory by component"),
    _admin("GET", "/concepts", "recent concepts: when, size, coherence, texts"),
    _admin("GET", "/cells", "counts by time, space and group: what an A/B comparison reads"),
    _admin("GET", "/chaos", "sandbox only: the faults"),
    _admin("GET POST DELETE", "/chaos/{fault}", "sandbox only: one fault; inject it, clear it"),
    _admin("GET", "/export", "the data as an archive, one snapshot, streamed; with `since` what changed after it"),
    _admin(
        "POST",
        "/import",
        "fill a staging generation with an archive; with `generation` add residue or changes to it, or to the kept one",
    ),
    _admin("GET", "/generations", "the node's own id; the generations of its data, and which is served"),
    _admin("DELETE", "/generations/{id}", "drop one that is not served"),
    _admin(
        "POST", "/generations/{id}/activate", "serve it, in one step; `if_sequence`: unless something was written since"
    ),
    _admin("POST", "/writes", "refuse writes for a while (503 with Retry-After), or no longer"),
)

ENGRAM_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "config": ("get", "list", "path", "set"),
    "backup": ("create", "list", "prune", "verify"),
    "benchmark": (),
    "diagnose": ("analyze-logs", "collect", "emergency", "health"),
    "docs": (),
    "memory": ("create", "delete", "get", "list", "search"),
    "query": (),
    "restore": ("full", "incremental", "pitr", "verify-only"),
    "shell": (),
    "space": ("create", "list"),
    "start": (),
    "status": (),
    "stop": (),
    "validate": ("config", "data", "deployment"),
}
"""What the `engram` command of upstream's 0.1 can be asked. (Its `migrate` says that it did, and does nothing.)"""
