"""Metrics read from the nodes themselves: a scraper knows only what it saw while it was watching."""

import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

from runbook.model.measurement import NodeSamples, Sample, Samples, Series, Silence
from runbook.model.target import Node
from runbook.ports import Clock
from runbook.wire import ForeignMetricsError, NoReplyError, Reading, Wire, readings
from runbook.wire.dialect import POLL_SECONDS

_PATH = "/metrics/prometheus"
_KEPT_SECONDS = 2 * 3600.0
_PATIENCE_SECONDS = 2.0

_ANSWERS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
"""The node is there, but does not tell: asking again later will not help."""

_Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class _Memory:
    """What was seen of one node. `trouble` is why the newest observation gave nothing; empty where it did.

    `left_alone_until` is set for a node that loses metrics of its own whenever it is asked for them.
    """

    series: dict[_Key, deque[Sample]] = field(default_factory=dict)
    trouble: str = "not observed yet"
    asked: threading.Thread | None = None
    answered: bool = False
    left_alone_until: float = -math.inf

    def remember(self, at: float, found: Sequence[Reading]) -> None:
        for reading in found:
            self.series.setdefault((reading.name, reading.labels), deque()).append(Sample(at, reading.value))
        for key, samples in list(self.series.items()):
            while samples and samples[0].at < at - _KEPT_SECONDS:
                samples.popleft()
            if not samples:
                del self.series[key]
        self.trouble = ""


class ScrapeProbes:
    """The port `Probes` over `GET /metrics/prometheus` of every node, in parallel.

    A node that hangs never slows the others down: an observation waits for stragglers for two seconds, and does
    not ask a node again whose last answer is still due. A late answer counts when it comes.

    Args:
        clock: gives the moments of the samples; only its steady side is used.
        wire: the connections, with their limits.
        patience: seconds that one observation waits for stragglers.
    """

    source = "scrape"
    looks_back = False
    usual_window = timedelta(seconds=10)

    def __init__(self, clock: Clock, *, wire: Wire | None = None, patience: float = _PATIENCE_SECONDS) -> None:
        self._clock = clock
        self._wire = wire or Wire()
        self._patience = patience
        self._memories: dict[str, _Memory] = {}
        self._guard = threading.Lock()

    def observe(self, nodes: Sequence[Node], names: Sequence[str]) -> None:
        """Read every node once, and remember what was read of these names, for two hours."""
        wanted = frozenset(names)
        asked = [thread for node in nodes if (thread := self._ask(node, wanted)) is not None]
        deadline = time.monotonic() + self._patience  # real time: the network does not keep to anyone's clock
        for thread in asked:
            thread.join(max(0.0, deadline - time.monotonic()))
        with self._guard:
            for node in nodes:
                memory = self._memories[node.name]
                if memory.asked is not None:
                    memory.trouble, memory.answered = f"no answer within {self._patience:g} s", False

    def samples(self, nodes: Sequence[Node], names: Sequence[str], window: timedelta) -> Samples:
        """What was seen in the last `window`. A node whose newest observation failed is silent."""
        begin, wanted = self._clock.monotonic() - window.total_seconds(), frozenset(names)
        with self._guard:
            return {node.name: self._of(node.name, wanted, begin) for node in nodes}

    def _ask(self, node: Node, names: frozenset[str]) -> threading.Thread | None:
        """Ask in the background, where no answer is due; the thread is a daemon, so that no hang outlives us."""
        with self._guard:
            memory = self._memories.setdefault(node.name, _Memory())
            if memory.asked is not None or self._clock.monotonic() < memory.left_alone_until:
                return None
            memory.asked = threading.Thread(target=self._read, args=(node, names, memory), daemon=True)
        memory.asked.start()
        return memory.asked

    def _read(self, node: Node, names: frozenset[str], memory: _Memory) -> None:
        alone, answered = -math.inf, False
        try:
            reply = self._wire.exchange("GET", node.url + _PATH, headers={"Accept": "text/plain"})
            at = self._clock.monotonic()
            found = readings(reply.checked(), names)
        except ForeignMetricsError as error:
            trouble, answered, alone = error.message, True, at + POLL_SECONDS
        except NoReplyError as error:
            trouble, answered = error.message, error.status in _ANSWERS
        except Exception as error:  # noqa: BLE001  # a thread has nobody to raise to; a silence is seen by the caller
            trouble = f"cannot be read: {error!r}"
        else:
            trouble = ""
        with self._guard:
            memory.asked = None
            memory.trouble, memory.answered, memory.left_alone_until = trouble, answered, alone
            if not trouble:
                memory.remember(at, found)

    def _of(self, name: str, wanted: frozenset[str], begin: float) -> NodeSamples | Silence:
        memory = self._memories.get(name, _Memory())
        if memory.trouble:
            return Silence(name, memory.trouble, answered=memory.answered)
        kept = {
            key: tuple(sample for sample in samples if sample.at >= begin)
            for key, samples in memory.series.items()
            if key[0] in wanted
        }
        series = tuple(Series(*key, samples) for key, samples in sorted(kept.items()) if samples)
        return (
            NodeSamples(name, series)
            if series
            else Silence(name, "exposes none of the metrics asked for", answered=True)
        )
