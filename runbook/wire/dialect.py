"""Which metrics a node speaks: those of the operations contract, or those of upstream Engram 0.1.

Upstream's text looks like any other, and one name is even the same. But its counters are sums of the last five minutes,
which fall as well as rise, and the bounds of its histograms follow the data. Whoever took rates of them would get
numbers that mean nothing, so they are refused as a whole.
"""

from collections.abc import Collection

UPSTREAM_REASON = "its metrics are those of upstream Engram 0.1: sums of five minutes, of which no rate can be made"
IDLE_REASON = "upstream Engram 0.1 does that while it is idle"
MARK = "process_start_time_seconds"
"""Every node of the contract has it; upstream tells nothing of its process."""
UPSTREAM_MARKS = (
    "engram_spreading_activations_total",
    "engram_spreading_breaker_state",
    "activation_pool_available_records",
)
"""Names that a time-series database is asked for, to tell upstream from a node that is merely quiet."""
_UPSTREAM_BEGINNINGS = (
    "engram_spreading_",
    "engram_cluster_",
    "engram_compaction_",
    "engram_wal_",
    "engram_consolidation_novelty_",
    "engram_consolidation_citation",
    "engram_consolidation_freshness_",
    "activation_pool_",
    "adaptive_",
)
POLL_SECONDS = 5.0
"""Each request for upstream's metrics makes it drop what it would have recorded in the next 10 ms."""


def is_upstream(names: Collection[str]) -> bool:
    """Are these the names of upstream's metrics?"""
    return MARK not in names and any(name.startswith(_UPSTREAM_BEGINNINGS) for name in names)
