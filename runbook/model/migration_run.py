"""A migration of nodes that go on serving: what was decided at its start, and where it stands on each node.

Its whole state is a fold over the journal, as that of any run; where a node really stands, the node is asked.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from runbook.model.migration import Concepts
from runbook.model.run import RunStatus

SINGLE, DUAL = "single_memory", "dual_memory"


class Step(StrEnum):
    """What is journaled of one node, in this order; one that changes the node has its intent journaled first."""

    BACKUP = "backup"  # its data stands in a file of ours
    CONVERT = "convert"
    FILL = "fill"  # a staging generation
    RESIDUE = "residue"  # goes into it
    VERIFY = "verify"  # read back, and equal
    DELTA = "delta"  # what was written meanwhile is carried too
    FREEZE = "freeze"
    ACTIVATE = "activate"
    RECALL = "recall"  # compared
    UNFREEZE = "unfreeze"
    BACK_DELTA = "back.delta"  # what was written since the switch goes into the kept generation
    BACK_ACTIVATE = "back.activate"
    DROP = "drop"  # the staging generation
    BACK = "back"  # the node serves again what it served before
    FINALIZE = "finalize"  # the kept generation is dropped: no way back


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One node as it was when the migration was planned.

    `identity` is the node's own id, `generation` the served one. `source` is the archive that is converted, and
    `residue` that of the node's last conversion, where there is one; both are written by the run itself where `own`.
    `sequence` and `sha256` are the source's, and empty where it has still to be written.
    """

    node: str
    identity: str
    generation: str
    source: str
    own: bool
    sequence: int = 0
    sha256: str = ""
    residue: str = ""


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """Everything that a migration needs to be carried out, and to be resumed by someone else."""

    id: str
    command: str
    target: str
    migration: str
    source_kind: str
    target_kind: str
    nodes: tuple[NodePlan, ...]
    work: str
    version: str
    concepts: Concepts = Concepts.DROP
    workers: int = 1
    reason: str = ""
    max_rate: float = 0.0
    """At most so many records a second to the node; 0 for as fast as it goes."""
    rollback: bool = False
    """Is it a way back? Then no rail holds it up."""


@dataclass(frozen=True, slots=True)
class NodeProgress:
    """One node, as far as the journal knows.

    `data` is the converted archive, `before` the generations that there were before `staging` was filled from it.
    `carried` is the sequence number of the served generation up to which the staging one has everything. `switched` is
    the one from which the new generation went on, None before the switch, and `expected` what it was going to be;
    `back_carried` is the one of the new generation up to which the way back has everything. `refused_ms` is how long
    writes were refused, `overlap` the share of what came to mind before the switch that did so after it, and
    `exact` that of what is nearest, where that was asked.
    """

    plan: NodePlan
    sequence: int = 0
    sha256: str = ""
    residue: str = ""
    data: str = ""
    digest: str = ""
    intended: frozenset[Step] = frozenset()
    done: frozenset[Step] = frozenset()
    before: tuple[str, ...] = ()
    staging: str = ""
    carried: int = 0
    deltas: int = 0
    expected: int = 0
    switched: int | None = None
    back_carried: int = 0
    refused_ms: float | None = None
    overlap: float | None = None
    exact: float | None = None
    records: int = 0
    problem: str = ""

    @property
    def whole(self) -> bool:
        """Is the node where the migration wanted it?"""
        return Step.UNFREEZE in self.done and Step.ACTIVATE in self.done and Step.BACK not in self.done


@dataclass(frozen=True, slots=True)
class MigrationRun:
    """A migration as the journal tells it; `back` where it was on its way back."""

    plan: MigrationPlan
    who: str
    where: str
    started_at: datetime
    nodes: dict[str, NodeProgress] = field(default_factory=dict)
    status: RunStatus = RunStatus.OPEN
    ended_at: datetime | None = None
    back: bool = False
    finalized: bool = False
