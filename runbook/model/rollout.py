"""A rollout plan as data: phases, the stages that they are made of, gates, triggers. And where a rollout stands.

No lambdas: text, JSON, documents and gates are all made of the same object. A plan of one's own is a YAML file
(`rollout_plan.v1`), read into these very classes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from runbook.model.judgement import Guardrail
from runbook.model.quantity import Condition
from runbook.model.settings import Value

NOTHING = timedelta(0)


class Advance(StrEnum):
    """Who moves a rollout on from a stage once its gates are passed."""

    BY_HAND = "by hand"  # `runbook rollout advance`
    BY_ITSELF = "by itself"  # the watcher


@dataclass(frozen=True, slots=True)
class Criterion:
    """What must be so before the phase is left. A question with no answer is UNKNOWN, and holds."""

    title: str
    condition: Condition
    why: str = ""


@dataclass(frozen=True, slots=True)
class Trigger:
    """What rolls back by itself where it is YES for `lasting`, without a NO between.

    A look without data proves nothing, and breaks nothing off.
    """

    title: str
    condition: Condition
    lasting: timedelta = NOTHING
    why: str = ""


@dataclass(frozen=True, slots=True)
class Tripwire:
    """Gross damage, for which no statistics are needed: in each case over `window`, in the treatment group.

    `errors` is a share of the recalls (0..1); `latency_ratio` is treatment's p99 over control's. With fewer than
    `fewest` recalls in the window it is not asked.
    """

    errors: float = 0.01
    latency_ratio: float = 2.0
    window: timedelta = timedelta(minutes=1)
    fewest: int = 100


@dataclass(frozen=True, slots=True)
class Judging:
    """How a phase is judged: its guardrails, and when it looks.

    `look_every` apart, the judge looks within the shortest time that a stage takes; alpha is spent over these looks.
    With `required` only a `safe` verdict of every guardrail lets the rollout go on; without, `harm` still rolls back.
    """

    guardrails: tuple[Guardrail, ...]
    look_every: timedelta
    required: bool = True
    alpha: float = 0.05


@dataclass(frozen=True, slots=True)
class Fresh:
    """What must have been done lately before a stage that treats anyone is entered. None asks for nothing."""

    backup: timedelta | None = None
    """Every node has a backup that young, read back at level `backup_level` at least."""
    backup_level: int = 2
    rehearsal: timedelta | None = None
    """The emergency brake was rehearsed with success that lately (`runbook drill rollback`)."""


@dataclass(frozen=True, slots=True)
class Approvals:
    """Who must say yes before a phase is entered: how many people, none of whom may have started the rollout.

    With `starter_counts` the one who started it may be among them.
    """

    people: int = 0
    starter_counts: bool = False


@dataclass(frozen=True, slots=True)
class FreezeWindow:
    """Nothing is started or advanced from `begin` to `end`; a rollback always is."""

    begin: datetime
    end: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase. It has a stage for each of `shares` (of the spaces, by hash, 0..1), in rising order.

    `flags` and `settings` are by full name. `spaces` are treated whatever their hash, so that people know whom to ask;
    with `names_spaces` it is not entered while there are none (`runbook rollout start --space NAME` fills them).
    Each stage lasts `hold` at least, the phase as a whole `minimum`; after `maximum` it is overdue, which is told and
    holds nothing up. From `complaints` on, those that were noted since the stage began close the gate, and from
    `complaints_roll_back` on they roll back; None asks nobody.
    """

    name: str
    title: str
    why: str
    flags: Mapping[str, bool]
    settings: Mapping[str, Value] = field(default_factory=dict)
    spaces: tuple[str, ...] = ()
    names_spaces: bool = False
    shares: tuple[float, ...] = (0.0,)
    hold: timedelta = NOTHING
    minimum: timedelta = NOTHING
    maximum: timedelta | None = None
    criteria: tuple[Criterion, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    tripwire: Tripwire | None = None
    judging: Judging | None = None
    approvals: Approvals = Approvals()
    fresh: Fresh = Fresh()
    complaints: int | None = None
    complaints_roll_back: int | None = None
    validated: bool = False
    """Must the production validator have said `proceed` since the stage began, before the stage is left?"""
    advance: Advance = Advance.BY_HAND


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """A whole plan.

    `bucket` is the time over which recalls are added up for the judge, `check_every` how often the watcher asks
    triggers and tripwire. `hold_back` of the spaces (by hash, from its other end) stay control in every stage below a
    whole share.
    """

    name: str
    title: str
    phases: tuple[Phase, ...]
    bucket: timedelta = timedelta(hours=1)
    check_every: timedelta = timedelta(minutes=1)
    hold_back: float = 0.05
    approve_plan: bool = True
    """Must a person have approved the plan as a whole (`runbook rollout approve --plan`) before anyone is treated?"""
    salt: str = ""
    """Of the assignment; empty: made when the rollout starts, and kept with it."""
    freeze: tuple[FreezeWindow, ...] = ()

    @property
    def stages(self) -> tuple["Stage", ...]:
        """Every stage in order."""
        places = ((phase, share) for phase in self.phases for share in phase.shares)
        return tuple(Stage(number, phase, share) for number, (phase, share) in enumerate(places))

    def frozen(self, now: datetime) -> FreezeWindow | None:
        """The freeze window that it is in at that moment, if in any."""
        return next((each for each in self.freeze if each.begin <= now < each.end), None)


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the walk: a phase at one of its shares. `number` counts from 0 over the whole plan."""

    number: int
    phase: Phase
    share: float

    @property
    def name(self) -> str:
        """`shadow`, or with its share where the phase has several: `gradual-25%`."""
        return self.phase.name if len(self.phase.shares) == 1 else f"{self.phase.name}-{self.share * 100:g}%"

    @property
    def treats(self) -> bool:
        """Is anyone's recall changed at this stage?"""
        return self.share > 0 or bool(self.phase.spaces)


class Standing(StrEnum):
    """Where a rollout stands as a whole."""

    ENTERING = "entering"  # a stage is intended, and not read back yet: go on, or abort
    RUNNING = "running"
    HELD = "held"
    REVERTING = "reverting"  # being taken back: go on with it, whatever happens
    COMPLETED = "completed"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled back"

    @property
    def is_over(self) -> bool:
        """Will it never go on?"""
        return self in {Standing.COMPLETED, Standing.ABORTED, Standing.ROLLED_BACK}

    @property
    def is_between(self) -> bool:
        """Is it on its way, forth or back, so that it is in no stage?"""
        return self in {Standing.ENTERING, Standing.REVERTING}


@dataclass(frozen=True, slots=True)
class Entered:
    """A stage that was entered: when its values had been read back on every node, and by which run they were set.

    `at` is wall time, for the buckets of the nodes; `seq` is the journal's entry, by which its age is counted. `began`
    is when its entering was first journaled: from then to `at` the nodes were between two stages, and nothing of that
    time is judged.
    """

    stage: int
    at: datetime
    seq: int
    run: str
    began: datetime | None = None


@dataclass(frozen=True, slots=True)
class Approved:
    """A person's yes: to the plan as a whole (`phase` None) or to the entering of a phase; to which digest."""

    who: str
    at: datetime
    seq: int
    digest: str
    phase: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """What only people know: how many complaints there are since the stage began, in all; and a remark."""

    who: str
    at: datetime
    seq: int
    stage: int
    complaints: int | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """Where a rollout stands: a fold over the journal and nothing else, so that whoever starts again knows it too.

    `stage` is the number of the stage that it is in, or that is being entered; `run` the run that sets (or set) its
    values; `digest` is SHA-256 of the plan as it was started, salt included. `why` says why it is held or over.
    `looks` counts the planned looks of the judge that were taken at this stage; alpha is spent by them.
    """

    id: str
    target: str
    plan: RolloutPlan
    digest: str
    who: str
    at: datetime
    seq: int
    reason: str
    standing: Standing
    stage: int
    run: str = ""
    why: str = ""
    entered: tuple[Entered, ...] = ()
    approved: tuple[Approved, ...] = ()
    notes: tuple[Noted, ...] = ()
    looks: int = 0
    backups: tuple[str, ...] = ()
    entering: datetime | None = None
    """When the entering of the next stage was first journaled; None while none was since the last one was entered."""
    bundles: tuple[str, ...] = ()
    """Folders of the evidence that was written for it, in their order."""
    splitters: tuple[str, ...] = ()
    """What was told to split its traffic when its stage was last entered; nothing where the nodes do it themselves."""
    released: datetime | None = None
    """When a person last let it go in the stage that it is in; None where nobody did."""

    @property
    def current(self) -> Stage:
        """The stage that it is in, or that is being entered."""
        return self.plan.stages[self.stage]

    @property
    def inside(self) -> bool:
        """Was that stage entered, and not only intended?"""
        return bool(self.entered) and self.entered[-1].stage == self.stage
