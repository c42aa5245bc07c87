"""Rules for Prometheus, as data: what it records, and when it alerts. Text is made of them elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from runbook.model.quantity import Labels
from runbook.model.rollout import NOTHING

NODES = "engram"
"""The label `job` of the scrape of the nodes."""
OURSELVES = "runbook"
"""The label `job` of the scrape of `runbook serve`."""
PLACE = ("target", "node", "instance")
"""The labels that say which node it is: `target` and `node` come from the scrape configuration."""
SCRAPE = timedelta(seconds=15)


class Severity(StrEnum):
    """Who is told: `critical` pages a person, `warning` is seen within the day, `info` is for who looks."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Recording:
    """A series that Prometheus keeps; `note` is a comment above it."""

    record: str
    expr: str
    labels: Labels = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alert. `lasting` is Prometheus' `for`.

    `issue` is the slug of the known issue that it means, or the word for what it is about; `command` is what to type,
    with Prometheus' placeholders; `page` is the place in the documents, such as `operations/x.md#y`. `note` is a
    comment above it.
    """

    name: str
    expr: str
    severity: Severity
    issue: str
    summary: str
    description: str
    command: str
    page: str
    lasting: timedelta = NOTHING
    labels: Labels = ()
    note: str = ""

    @property
    def all_labels(self) -> Mapping[str, str]:
        """Those that the rule itself sets."""
        return {"severity": self.severity.value, "issue": self.issue, **dict(self.labels)}


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated together, one after the other; so often, where it is not as often as all others."""

    name: str
    recordings: tuple[Recording, ...] = ()
    alerts: tuple[AlertRule, ...] = ()
    every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One file of rules; `about` is the comment at its beginning."""

    name: str
    about: str
    groups: tuple[RuleGroup, ...] = field(default=())

    @property
    def alerts(self) -> tuple[AlertRule, ...]:
        """Every alert of it."""
        return tuple(alert for group in self.groups for alert in group.alerts)


@dataclass(frozen=True, slots=True)
class Given:
    """A series that a test puts into Prometheus, in promtool's notation: `0+100x40`."""

    series: str
    values: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What an expression must be at a moment; None: there is no series."""

    expr: str
    at: timedelta
    value: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that must fire at a moment, with these very labels and annotations; `runbook_url` is the page."""

    alert: str
    at: timedelta
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Proof:
    """One test of promtool: what is given, and what must come of it."""

    name: str
    given: tuple[Given, ...]
    expected: tuple[Expected, ...] = ()
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class ProofFile:
    """One file of tests: of the rules in `files`, evaluated every `step`, groups in that `order`."""

    name: str
    about: str
    files: tuple[str, ...]
    step: timedelta
    order: tuple[str, ...]
    proofs: tuple[Proof, ...]
