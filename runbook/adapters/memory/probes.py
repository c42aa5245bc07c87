"""Metrics of nodes that are functions of time."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from runbook.model.measurement import NodeSamples, Sample, Samples, Series, Silence
from runbook.model.target import Node
from runbook.ports import Clock

Labels = tuple[tuple[str, str], ...]
Exposed = Mapping[tuple[str, Labels], float]
"""What a node shows at one moment: the value of each series, by name and sorted labels."""

_Seen = tuple[float, "Exposed | Silence"]


@dataclass(slots=True)
class MemoryProbes:
    """`Probes` without a network, which knows only what it observed.

    Args:
        clock: gives the moments of the samples.
        expose: what the node of that name shows at that moment of the steady clock, or why it is silent.
    """

    clock: Clock
    expose: Callable[[str, float], Exposed | Silence]
    source: str = "memory"
    looks_back: bool = False
    usual_window: timedelta = timedelta(seconds=10)
    _seen: dict[str, list[_Seen]] = field(default_factory=dict)

    def observe(self, nodes: Sequence[Node], names: Sequence[str]) -> None:
        """Remember what every node shows now of these names."""
        now = self.clock.monotonic()
        for node in nodes:
            shown = self.expose(node.name, now)
            if not isinstance(shown, Silence):
                shown = {key: value for key, value in shown.items() if key[0] in names and math.isfinite(value)}
            self._seen.setdefault(node.name, []).append((now, shown))

    def samples(self, nodes: Sequence[Node], names: Sequence[str], window: timedelta) -> Samples:
        """What was seen in the last `window`. A node whose newest observation failed is silent."""
        begin = self.clock.monotonic() - window.total_seconds()
        return {node.name: self._of(node.name, names, begin) for node in nodes}

    def _of(self, name: str, names: Sequence[str], begin: float) -> NodeSamples | Silence:
        seen = self._seen.get(name, [])
        newest = seen[-1][1] if seen else Silence(name, "not observed yet")
        if isinstance(newest, Silence):
            return newest
        kept: dict[tuple[str, Labels], list[Sample]] = {}
        for at, shown in seen:
            if at >= begin and not isinstance(shown, Silence):
                for key, value in shown.items():
                    if key[0] in names:
                        kept.setdefault(key, []).append(Sample(at, value))
        series = tuple(Series(*key, tuple(samples)) for key, samples in sorted(kept.items()))
        return NodeSamples(name, series) if series else Silence(name, "exposes none of the metrics asked for")
