"""Asking peers that may be broken: one bounded exchange, retries that are seen, many peers at once, and what they say.

Used by adapters only (they must not know each other, and all of them need this). urllib3, tenacity and the parser
of prometheus_client are imported at first use.
"""

from runbook.wire.exchange import NoReplyError, Reply, Wire
from runbook.wire.exposition import ForeignMetricsError, Reading, readings
from runbook.wire.fan_out import fan_out
from runbook.wire.retry import OnRetry, patiently, quiet
from runbook.wire.stream import Streamed, StreamingWire

__all__ = [
    "ForeignMetricsError",
    "NoReplyError",
    "OnRetry",
    "Reading",
    "Reply",
    "Streamed",
    "StreamingWire",
    "Wire",
    "fan_out",
    "patiently",
    "quiet",
    "readings",
]
