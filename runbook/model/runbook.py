"""A known issue and its runbook, as data: symptoms, checks, steps, verification, escalation.

No lambdas anywhere, so that text, JSON, documents and commands are all rendered from the same object.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from runbook.model.quantity import Below, Condition, Limits, Measured, Quantity, quantities_of
from runbook.model.risk import Risk
from runbook.model.settings import Value


class Move(StrEnum):
    """Which way a step may move a value; a value already there is skipped, never moved back."""

    RAISE = "raise"
    LOWER = "lower"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Symptom:
    """A question asked of metrics, or of the person; one that stands `alone` makes the issue present by itself.

    An `optional` one that stands alone leaves the verdict to the others where it is UNKNOWN: not every kernel tells.
    `alert` is the name of the Prometheus alert that asks the same; without one no rule is made of it.
    """

    title: str
    condition: Condition
    why: str = ""
    alone: bool = False
    optional: bool = False
    alert: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A question asked of a setting: is it within what is known to be good?

    The good end is the baseline's value, where there is one, else `good`.
    """

    title: str
    key: str
    good: Value
    move: Move
    hint: str


@dataclass(frozen=True, slots=True)
class Review:
    """A look at the concepts that were formed lately.

    One is weak where its coherence is under the setting `coherence_key` when the node was well, or its size under
    `size_key`; more than `share` of them weak is bad news.
    """

    title: str
    within: timedelta
    most: int
    share: float
    coherence_key: str
    size_key: str


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A gauge in bytes by a label: which part of it grows?"""

    metric: str
    label: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is collected from the suspect nodes by a play before the first step: twice, `apart`, so that it compares."""

    title: str
    playbook: str
    apart: timedelta


@dataclass(frozen=True, slots=True)
class Play:
    """One Ansible playbook of `playbooks/`, by its name without the ending, and the setting that it is for."""

    playbook: str
    key: str


@dataclass(frozen=True, slots=True)
class Step:
    """One change, with its undo and its risk.

    `value` is what the setting becomes; with `to_baseline` the baseline's value wins where there is one.
    An `emergency` step is taken only when the ordinary ones did not help.
    """

    title: str
    do: Play
    undo: Play
    value: Value
    move: Move
    risk: Risk
    why: str
    to_baseline: bool = False
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class Verify:
    """What must hold, and how long to watch for it; it must hold for `hold` of the watch.

    `limits` are lower ones than those of `expect`.
    """

    watch: timedelta
    expect: tuple[Measured, ...]
    hold: float = 1 / 3
    limits: Limits = field(default_factory=dict)

    def expected_of(self, node: str) -> tuple[Measured, ...]:
        """What must hold on that node, under its own limits where they are lower."""
        lower = self.limits.get(node, {})
        return tuple(
            replace(each, limit=min(each.limit, lower.get(each.quantity.name, each.limit)))
            if isinstance(each, Below)
            else each
            for each in self.expect
        )


@dataclass(frozen=True, slots=True)
class Runbook:
    """One known issue. Present when the `leading` symptom and one `supporting` one are there, or one that stands alone.

    `alerts` are the names of alerts of others that mean it, beside those of its symptoms; `drill` is the fault of the
    sandbox that it is rehearsed with; `explains` are the slugs of issues that follow from it.
    """

    slug: str
    title: str
    why: str
    leading: Symptom
    supporting: tuple[Symptom, ...]
    checks: tuple[Check, ...]
    steps: tuple[Step, ...]
    verify: Verify
    escalate: str
    drill: str
    alerts: tuple[str, ...] = ()
    explains: tuple[str, ...] = ()
    review: Review | None = None
    breakdown: Breakdown | None = None
    evidence: Evidence | None = None

    @property
    def symptoms(self) -> tuple[Symptom, ...]:
        """All symptoms, the leading one first."""
        return (self.leading, *self.supporting)

    @property
    def present_alert(self) -> str:
        """The name of the alert that the issue is there: the leading symptom with one of the others, say."""
        return "".join(word.capitalize() for word in self.slug.split("-")) + "Present"

    @property
    def known_alerts(self) -> tuple[str, ...]:
        """The names of every alert that means it."""
        own = (each.alert for each in self.symptoms if each.alert)
        return tuple(dict.fromkeys((self.present_alert, *own, *self.alerts)))

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """Every quantity that it asks for, each once, in the order of asking."""
        conditions: tuple[Condition, ...] = tuple(symptom.condition for symptom in self.symptoms) + self.verify.expect
        return tuple(dict.fromkeys(found for condition in conditions for found in quantities_of(condition)))
