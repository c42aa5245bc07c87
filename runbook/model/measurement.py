"""What was read from the fleet: samples, and the numbers made of them. Silence is a value with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runbook.model.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from runbook.model.validation_golden import Golden


@dataclass(frozen=True, slots=True)
class Sample:
    """One value at one moment; `at` is seconds on the reader's own steady clock, not wall time."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """The samples of one labelled series of one node, oldest first."""

    name: str
    labels: tuple[tuple[str, str], ...]
    samples: tuple[Sample, ...]

    def label(self, name: str) -> str | None:
        """The value of that label, or None."""
        return dict(self.labels).get(name)


@dataclass(frozen=True, slots=True)
class NodeSamples:
    """Everything that was read from one node over a window."""

    node: str
    series: tuple[Series, ...]

    def named(self, name: str) -> tuple[Series, ...]:
        """The series of that name, whatever their labels."""
        return tuple(series for series in self.series if series.name == name)


@dataclass(frozen=True, slots=True)
class Silence:
    """A node, or a source, that did not answer, and why; with `answered` it did, but has nothing of what was asked."""

    node: str
    reason: str
    answered: bool = False

    @property
    def words(self) -> str:
        """Who, and why."""
        return f"{self.node}: {self.reason}"


Samples = Mapping[str, NodeSamples | Silence]
NodeSettings = Mapping[str, Settings | Silence]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One quantity of one node; `value` None is "no data", and `reason` then says why.

    `low` and `high` are the ends of the 95 % interval where the quantity has one; where that is endless, `reason` says
    why, beside the value: a longer look may settle it. `moot` says why the question does not
    arise there at all, such as a comparison of two groups where there is but one.
    """

    node: str
    quantity: str
    value: float | None
    reason: str = ""
    low: float | None = None
    high: float | None = None
    moot: str = ""


@dataclass(frozen=True, slots=True)
class Growth:
    """How fast one part of a gauge grows, in 10^6 bytes per hour, with the ends of its 95 % interval."""

    part: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What a process does while it warms up is not judged: `length` from its start on; `now` is seconds since 1970."""

    length: timedelta
    now: float


@dataclass(frozen=True, slots=True)
class NodeBaseline:
    """One node when it was well: its quantities by name, and its settings.

    `reaches` are half the 95 % intervals of those quantities that are means: how well they are known. `histograms` are
    distributions by metric: how many observations at or under each bound, the last one infinite.
    """

    quantities: Mapping[str, float]
    settings: Settings
    reaches: Mapping[str, float] = field(default_factory=dict)
    histograms: Mapping[str, Mapping[float, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a fleet looked like when it was well (document kind `baseline`, version 1).

    `golden` are the queries that recall is tried by; None in one that was captured without any. `pause_seconds` is how
    far apart it was looked, where that is known: to be scraped costs a node CPU time, too.
    """

    target: str
    captured_at: datetime
    window_seconds: float
    nodes: Mapping[str, NodeBaseline]
    golden: Golden | None = None
    pause_seconds: float | None = None

    def quantity(self, node: str, name: str) -> float | None:
        """The value recorded for that node, or None."""
        found = self.nodes.get(node)
        return None if found is None else found.quantities.get(name)

    def reach(self, node: str, name: str) -> float:
        """How far the value recorded may be off, to either side; 0 where that is not known."""
        found = self.nodes.get(node)
        return 0.0 if found is None else found.reaches.get(name, 0.0)

    def setting(self, node: str, key: str) -> object | None:
        """The setting recorded for that node, or None."""
        found = self.nodes.get(node)
        return None if found is None else found.settings.get(key)
