"""What was seen of a fleet for as long as it is watched, made small: sources forget, and a day of all spaces is much.

Counters are added up over spaces and groups, series by series, so that one that vanishes takes nothing away; after a
restart they count from zero again, as a counter does.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from runbook.engine.restarts import START_TIME
from runbook.model.measurement import NodeSamples, Sample, Samples, Series, Silence

_KEPT_LABELS = ("le", "outcome")
_COUNTS = ("_total", "_bucket", "_sum", "_count")
_Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class _Kept:
    """One node: the newest value of each series, what they add up to, and how that went."""

    raw: dict[_Key, float] = field(default_factory=dict)
    sums: dict[_Key, float] = field(default_factory=dict)
    samples: dict[_Key, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    last: float = float("-inf")
    silence: Silence | None = None
    silences: int = 0

    def add(self, found: NodeSamples, *, newest: bool) -> None:
        moments: dict[float, dict[_Key, float]] = defaultdict(dict)
        for each in found.series:
            for sample in each.samples:
                if sample.at > self.last:
                    moments[sample.at][each.name, each.labels] = sample.value
        for at, values in sorted(moments.items())[-1 if newest else 0 :]:
            self._moment(at, values)

    def _moment(self, at: float, values: dict[_Key, float]) -> None:
        gauges: dict[_Key, float] = {}
        if self._began_again(values):
            self.raw.clear()
            self.sums.clear()
        for key, value in values.items():
            name, kept = key[0], _small(key)
            if not name.endswith(_COUNTS):
                gauges[kept] = value if name == START_TIME else gauges.get(kept, 0.0) + value
                continue
            before = self.raw.get(key, 0.0)
            self.sums[kept] = self.sums.get(kept, 0.0) + (value - before if value >= before else value)
        self.raw.update(values)
        told = {_small(key) for key in values}
        for kept, value in (*gauges.items(), *((key, sum_) for key, sum_ in self.sums.items() if key in told)):
            self.samples[kept].append(Sample(at, value))
        self.last = at

    def _began_again(self, values: dict[_Key, float]) -> bool:
        return any(key[0] == START_TIME and self.raw.get(key, value) != value for key, value in values.items())


class Keeper:
    """Everything that was seen so far, by node."""

    def __init__(self, nodes: Iterable[str]) -> None:
        self._nodes = {name: _Kept() for name in nodes}

    def add(self, seen: Samples, *, newest: bool = False) -> None:
        """This was seen now; what is known already counts once, and with `newest` what is older not at all."""
        for name, kept in self._nodes.items():
            found = seen.get(name, Silence(name, "it was not read"))
            if isinstance(found, Silence):
                kept.silence = found
                kept.silences += 1
            else:
                kept.silence = None
                kept.add(found, newest=newest)

    @property
    def heard(self) -> bool:
        """Did any node tell anything?"""
        return any(kept.samples for kept in self._nodes.values())

    def samples(self) -> Samples:
        """All of it. A node whose newest look failed is silent."""
        return {name: kept.silence or _whole(name, kept.samples) for name, kept in self._nodes.items()}

    def silences(self) -> Sequence[tuple[str, int]]:
        """The nodes that were silent at some looks, and at how many."""
        return [(name, kept.silences) for name, kept in self._nodes.items() if kept.silences]


def _whole(name: str, samples: dict[_Key, list[Sample]]) -> NodeSamples | Silence:
    series = tuple(Series(*key, tuple(found)) for key, found in sorted(samples.items()))
    return NodeSamples(name, series) if series else Silence(name, "it was not read")


def _small(key: _Key) -> _Key:
    return key[0], tuple(label for label in key[1] if label[0] in _KEPT_LABELS)
