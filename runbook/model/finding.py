"""Answers with their arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runbook.model.answer import any_of
from runbook.model.risk import Risk

if TYPE_CHECKING:
    from runbook.model.answer import Answer
    from runbook.model.concept import Reviewed
    from runbook.model.measurement import Growth, Silence
    from runbook.model.quantity import Limits
    from runbook.model.runbook import Step
    from runbook.model.settings import Value


@dataclass(frozen=True, slots=True)
class Finding:
    """One question answered for one node: `arithmetic` reads `412 concepts/min > 3 x baseline 96`.

    A `moot` one is answered NO because it does not arise there, such as one about treatment where nobody is treated.
    """

    node: str
    question: str
    answer: Answer
    arithmetic: str
    source: str
    value: float | str | bool | None = None
    limit: float | str | bool | None = None
    moot: bool = False


@dataclass(frozen=True, slots=True)
class NodeDiagnosis:
    """One node: each symptom and each check, and whether the issue is present there.

    `grows` are the parts of its memory by growth, `reviewed` its newest concepts, where the issue asks for them.
    """

    node: str
    present: Answer
    symptoms: tuple[Finding, ...]
    checks: tuple[Finding, ...]
    silence: Silence | None = None
    grows: tuple[Growth, ...] = ()
    reviewed: tuple[Reviewed, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The whole fleet: one node's YES is the fleet's; a silent node never hides the others."""

    issue: str
    target: str
    source: str
    window_seconds: float
    nodes: tuple[NodeDiagnosis, ...]
    baseline: str = ""

    @property
    def present(self) -> Answer:
        """Is the issue present anywhere?"""
        return any_of(node.present for node in self.nodes)

    @property
    def all_silent(self) -> bool:
        """Did no node answer at all?"""
        return bool(self.nodes) and all(node.silence is not None and not node.silence.answered for node in self.nodes)

    @property
    def none_tells(self) -> bool:
        """Did nodes answer, but not one with what was asked? Looking longer will not help then."""
        return not self.all_silent and all(node.silence is not None for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Change:
    """One setting of one node, before and after."""

    node: str
    key: str
    old: Value
    new: Value


@dataclass(frozen=True, slots=True)
class Skipped:
    """A step, or a node of a step, that was not needed, and why."""

    step: str
    node: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with the nodes that it would change; `changes` empty means that it is skipped everywhere."""

    index: int
    step: Step
    changes: tuple[Change, ...]
    skipped: tuple[Skipped, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that it would change."""
        return tuple(change.node for change in self.changes)


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, in this order. `limits` are those of `RunPlan`."""

    issue: str
    steps: tuple[PlannedStep, ...]
    limits: Limits = field(default_factory=dict)

    @property
    def ordinary(self) -> tuple[PlannedStep, ...]:
        """The steps that are taken first."""
        return tuple(planned for planned in self.steps if not planned.step.emergency)

    @property
    def emergency(self) -> tuple[PlannedStep, ...]:
        """The steps that are taken when the ordinary ones did not help."""
        return tuple(planned for planned in self.steps if planned.step.emergency)

    @property
    def risk(self) -> Risk:
        """The highest risk among the ordinary steps that change something."""
        return max((planned.step.risk for planned in self.ordinary if planned.changes), default=Risk.LOW)
