"""What the gauges of each node did over the time, for the charts of a report. Pure."""

import math

from runbook.engine.validate.blocks import histograms, rises
from runbook.engine.validate.observe import CPU, MEMORY, RECALL, RECALLS
from runbook.model.measurement import NodeSamples, Sample, Samples
from runbook.model.validation import Track

MOST_POINTS = 240


def tracks(samples: Samples) -> tuple[Track, ...]:
    """Memory, CPU, traffic and latency of every node that told of them; times are seconds since the first sample."""
    found: list[Track] = []
    for name, node in samples.items():
        if isinstance(node, NodeSamples):
            begin = min((each.samples[0].at for each in node.series if each.samples), default=0.0)
            found += _of(name, node, begin)
    return tuple(sorted(found, key=lambda each: each.title))


def _of(name: str, node: NodeSamples, begin: float) -> list[Track]:
    memory = [Sample(s.at - begin, s.value / 1e6) for each in node.named(MEMORY) for s in each.samples]
    cpu = _rates(rises(node, node.named(CPU)), begin, 100.0)
    recalls = _rates(rises(node, node.named(RECALLS)), begin, 60.0)
    found = [
        Track(name, "Resident memory", "MB", _thinned(memory)),
        Track(name, "CPU", "% of a core", _thinned(cpu)),
        Track(name, "Traffic", "recalls/min", _thinned(recalls)),
        Track(name, "Typical recall", "ms", _thinned(_latencies(node, begin))),
    ]
    return [track for track in found if len(track.samples) > 1]


def _rates(rises_: dict[float, float], begin: float, scale: float) -> list[Sample]:
    before, found = begin, []
    for at, rise in rises_.items():
        if at > before:
            found.append(Sample(at - begin, rise / (at - before) * scale))
        before = at
    return found


def _latencies(node: NodeSamples, begin: float) -> list[Sample]:
    """Blocks are joined where they hold little, so that their times are spread evenly: near enough for a picture."""
    blocks = [block for block in histograms(node, RECALL) if block.count > 0]
    end = max((each.samples[-1].at for each in node.series if each.samples), default=begin) - begin
    step = end / max(len(blocks), 1)
    logs = ((number, block.mean_log) for number, block in enumerate(blocks, start=1))
    return [Sample(number * step, math.exp(log) * 1000) for number, log in logs if math.isfinite(log)]


def _thinned(samples: list[Sample]) -> tuple[Sample, ...]:
    finite = [each for each in samples if math.isfinite(each.value)]
    step = max(math.ceil(len(finite) / MOST_POINTS), 1)
    return tuple(finite[::step])
