"""What tests ask of a node's metrics over a window: means of histograms, slopes of memory."""

import time
from dataclasses import dataclass

from running_node import RunningNode

from runbook.model.measurement import Sample
from runbook.statistics.slope import Slope, slope

_MB_PER_HOUR = 3600 / 1e6


@dataclass(frozen=True)
class Window:
    """The samples of one node, a second apart."""

    times: list[float]
    samples: list[dict[str, float]]

    def mean(self, histogram: str, labels: str = "") -> float:
        """The mean of what was observed within the window."""
        total, count = (self.grown(f"{histogram}_{part}{labels}") for part in ("sum", "count"))
        assert count > 0, f"nothing was observed: {histogram}"
        return total / count

    def grown(self, name: str) -> float:
        """By how much a sample has grown."""
        return self.samples[-1].get(name, 0.0) - self.samples[0].get(name, 0.0)

    def component(self, name: str) -> float:
        """By how many bytes a component has grown."""
        return self.grown(f'engram_memory_bytes{{component="{name}"}}')

    def growth(self) -> Slope:
        """The slope of resident memory in MB per hour, with its 95 % interval."""
        values = [sample["process_resident_memory_bytes"] for sample in self.samples]
        found = slope([Sample(at=at, value=value) for at, value in zip(self.times, values, strict=True)])
        assert found is not None
        return Slope(found.value * _MB_PER_HOUR, found.low * _MB_PER_HOUR, found.high * _MB_PER_HOUR)


def window(*nodes: RunningNode, seconds: int = 9) -> list[Window]:
    """Scrape all of them once a second; a window each."""
    found = [Window([], []) for _ in nodes]
    for at in range(seconds + 1):
        for node, each in zip(nodes, found, strict=True):
            each.times.append(time.monotonic())
            each.samples.append(node.metrics())
        time.sleep(1.0 if at < seconds else 0.0)
    return found
