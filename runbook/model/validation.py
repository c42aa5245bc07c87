"""The words of the production validator: what is checked, what an interval says of a limit, and what then to do."""

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from runbook.model.measurement import Sample

FLEET = "fleet"
"""The place of what is judged for all nodes together."""


class Outcome(StrEnum):
    """PASS where the whole interval keeps to the limit, FAIL where the whole of it does not, else UNKNOWN."""

    PASS = "PASS"  # noqa: S105 - a verdict, no password
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


class Recommendation(StrEnum):
    """What to do with the rollout."""

    PROCEED = "proceed"
    HOLD = "hold"
    ROLL_BACK = "roll back"


class Kept(StrEnum):
    """What a baseline keeps of a node for the validator, by its key among the quantities."""

    LATENCY = "typical(engram_recall_duration_seconds)"
    P99 = "quantile(engram_recall_duration_seconds, 0.99)"
    MEMORY = "typical(process_resident_memory_bytes)"
    CPU = "mean(process_cpu_seconds_total per engram_recall_total)"
    TRAFFIC = "rate_per_minute(engram_recall_total)"
    CONFIDENCE = "mean(engram_recall_confidence)"
    ERRORS = "share(engram_recall_errors_total of engram_recall_total)"
    CONSOLIDATION = "share(engram_consolidation_runs_total{outcome=success} of all)"
    COHERENCE = "mean(coherence of the concepts that are held)"
    FAN = "size(engram_concept_fan_out)"


@dataclass(frozen=True, slots=True)
class Observed:
    """One number of one node over a window with the ends of its interval; `value` None is "no data", `reason` why.

    An interval that is endless says that there was too little for one.
    """

    value: float | None
    low: float = -math.inf
    high: float = math.inf
    reason: str = ""

    @property
    def reach(self) -> float | None:
        """How far the interval goes to its wider side; None where there is no value, or no end."""
        if self.value is None:
            return None
        reach = max(self.high - self.value, self.value - self.low)
        return reach if math.isfinite(reach) else None


@dataclass(frozen=True, slots=True)
class Part:
    """One question of a check, answered for one node (or `FLEET`), with the arithmetic that a person can follow.

    `low` and `high` are the ends of the interval of `value`, all in `unit`; None where there is none. `limit` is what
    the whole interval had to keep to, `baseline` what it was when the fleet was well.
    """

    node: str
    question: str
    outcome: Outcome
    arithmetic: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    baseline: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """One of the eight checks with its parts. It passes where every part does; one FAIL settles it."""

    name: str
    parts: tuple[Part, ...]

    @property
    def outcome(self) -> Outcome:
        """FAIL before UNKNOWN before PASS; of nothing at all nothing is known."""
        found = {part.outcome for part in self.parts}
        if Outcome.FAIL in found:
            return Outcome.FAIL
        return Outcome.PASS if found == {Outcome.PASS} else Outcome.UNKNOWN


@dataclass(frozen=True, slots=True)
class Track:
    """What one node's gauge did over the time that was watched, for a chart."""

    node: str
    title: str
    unit: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking the golden queries cost the nodes, and what could not be asked."""

    queries: int
    seconds: float
    read_bytes: int


@dataclass(frozen=True, slots=True)
class Validation:
    """What the validator found, and what it recommends by which rule.

    `seconds` is how long was looked, of `wanted` at most; with `soak` it was to be all of it. `confidence` is that of
    every interval at the last of `looks` looks.
    """

    target: str
    at: datetime
    source: str
    baseline_at: datetime | None
    nodes: tuple[str, ...]
    checks: tuple[Checked, ...]
    recommendation: Recommendation
    because: str
    seconds: float
    wanted: float
    soak: bool
    looks: int
    confidence: float
    notes: tuple[str, ...] = ()
    tracks: tuple[Track, ...] = ()
    asked: Asked | None = None
    interrupted: KeyboardInterrupt | None = None
    """What ended the looking before its time."""

    def check(self, name: str) -> Checked:
        """The check of that name.

        Raises:
            KeyError: there is none.
        """
        return {each.name: each for each in self.checks}[name]


@dataclass(frozen=True, slots=True)
class LastValidation:
    """A validation as the journal tells of it; `seq` is its entry, by which its age is counted."""

    seq: int
    at: datetime
    who: str
    recommendation: Recommendation
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    nodes: tuple[str, ...] = ()
    whole: bool = True
    """Was every node of the target asked, and was it looked for as long as was wanted?"""
    length: timedelta = timedelta(0)
    """How far back from its entry it looked."""
