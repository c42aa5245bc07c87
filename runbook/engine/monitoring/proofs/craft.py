"""Series that make a quantity come to a given number: the inverse of `runbook/engine/monitoring/series.py`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from runbook.engine.monitoring.promql import number, of_nodes
from runbook.model.monitoring import Given
from runbook.model.quantity import How, Labels, Quantity

PER_STEP = 1000.0
"""How many things happen in 15 s: enough for a narrow interval."""
OLD = -1e6
"""A process that started long ago."""
START = "process_start_time_seconds"
FULL = 1e9


@dataclass(frozen=True, slots=True)
class Scene:
    """One node of a target of its own, for so many steps."""

    target: str
    step: timedelta
    steps: int

    @property
    def labels(self) -> Labels:
        """What the scrape gives it."""
        return (("target", self.target), ("node", "one"), ("instance", self.address))

    @property
    def address(self) -> str:
        """Where it is scraped."""
        return f"{self.target}:7432"

    def flat(self, metric: str, value: float, labels: Labels = ()) -> Given:
        """A gauge of a node that stays as it is."""
        return self.line(metric, value, 0, labels)

    def line(self, metric: str, begin: float, rise: float, labels: Labels = ()) -> Given:
        """A series of a node that rises by so much a step."""
        return Given(of_nodes(metric, (*self.labels, *labels)), self.values(begin, rise))

    def values(self, begin: float, rise: float) -> str:
        """In promtool's notation."""
        sign = "-" if rise < 0 else "+"
        return f"{number(begin)}{sign}{number(abs(rise))}x{self.steps}"

    @property
    def pace(self) -> float:
        """How much longer a step is than 15 s."""
        return self.step / timedelta(seconds=15)


def old_process(scene: Scene) -> Given:
    """It has been running for long."""
    return scene.flat(START, OLD)


def crafted(scene: Scene, quantity: Quantity, value: float) -> Iterator[Given]:
    """What makes that quantity of the scene's node be `value`, within two per cent."""
    yield from _WAYS[quantity.how](scene, quantity, value / quantity.scale)


def _last(scene: Scene, quantity: Quantity, value: float) -> Iterator[Given]:
    yield scene.flat(quantity.metric, value, quantity.labels)


def _share(scene: Scene, quantity: Quantity, value: float) -> Iterator[Given]:
    yield scene.flat(quantity.metric, value * FULL, quantity.labels)
    yield scene.flat(quantity.whole, FULL)


def _rate(scene: Scene, quantity: Quantity, value: float) -> Iterator[Given]:
    yield scene.line(quantity.metric, 0, value / 60 * scene.step.total_seconds(), quantity.labels)


def _quantile(scene: Scene, quantity: Quantity, value: float) -> Iterator[Given]:
    yield from _buckets(scene, quantity.metric, quantity.labels, value)


def _buckets(scene: Scene, metric: str, labels: Labels, value: float) -> Iterator[Given]:
    """All that is seen lies about that value."""
    many = PER_STEP * scene.pace
    for bound, rise in ((number(value * 0.99), 0.0), (number(value * 1.01), many), ("+Inf", many)):
        yield scene.line(f"{metric}_bucket", 0, rise, (*labels, ("le", bound)))


def _mean(scene: Scene, quantity: Quantity, value: float) -> Iterator[Given]:
    yield from _mean_of(scene, quantity.metric, quantity.labels, value)


def _mean_ratio(scene: Scene, quantity: Quantity, value: float) -> Iterator[Given]:
    yield from _mean_of(scene, quantity.metric, quantity.labels, value)
    yield from _mean_of(scene, quantity.metric, quantity.other, 1.0)


def _growth(scene: Scene, quantity: Quantity, value: float) -> Iterator[Given]:
    yield scene.line(quantity.metric, FULL, value / 3600 * scene.step.total_seconds(), quantity.labels)


def _mean_of(scene: Scene, metric: str, labels: Labels, value: float) -> Iterator[Given]:
    many = PER_STEP * scene.pace
    yield scene.line(f"{metric}_sum", 0, value * many, labels)
    yield scene.line(f"{metric}_count", 0, many, labels)
    yield from _buckets(scene, metric, labels, value)


def _part(scene: Scene, quantity: Quantity, value: float) -> Iterator[Given]:
    whole = PER_STEP * scene.pace
    part = value * whole
    yield scene.line(quantity.metric, 0, part, quantity.labels)
    if quantity.metric == quantity.whole:  # the rest of the same counter
        rest = tuple((name, f"not-{value}") for name, value in quantity.labels)
        yield scene.line(quantity.whole, 0, whole - part, rest)
    else:
        yield scene.line(quantity.whole, 0, whole, quantity.other)


def _rise(scene: Scene, quantity: Quantity, value: float) -> Iterator[Given]:
    """The process ends in the last quarter, and another begins."""
    before = scene.steps * 3 // 4
    count = f"0+0x{before} {number(value)}+0x{scene.steps - before}"
    yield Given(of_nodes(quantity.metric, (*scene.labels, *quantity.labels)), count)
    began = f"{number(OLD)}+0x{before} {number(OLD + 1)}+0x{scene.steps - before}"
    yield Given(of_nodes(START, scene.labels), began)


_WAYS: dict[How, Callable[[Scene, Quantity, float], Iterator[Given]]] = {
    How.LAST: _last,
    How.RISE: _rise,
    How.SHARE: _share,
    How.PART: _part,
    How.RATE_PER_MINUTE: _rate,
    How.QUANTILE: _quantile,
    How.MEAN: _mean,
    How.MEAN_RATIO: _mean_ratio,
    How.GROWTH_PER_HOUR: _growth,
}
