"""What gates are decided by: what the journal knows, and what was just asked. None is "not asked", and never "well"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import runbook
from runbook.engine.drill_record import drills_of
from runbook.engine.journal_time import ages
from runbook.engine.rollout.gates.kept_backups import KeptBackup, kept_of
from runbook.engine.validate.last import last_validation
from runbook.model.drill import BRAKE, TOOL, Outcome
from runbook.model.finding import Finding
from runbook.model.journal import Entry, Event, original
from runbook.model.judgement import Judgement
from runbook.model.rollout import Rollout, Stage
from runbook.model.validation import LastValidation

NOTED_WITHIN = timedelta(hours=24)
"""How old the last word on complaints, and the last validation, may be: neither knows what happened since last week."""

_LEARNED = {Outcome.PASSED, Outcome.FAILED}


@dataclass(frozen=True, slots=True)
class Live:
    """What was asked just now. `drift` is what is not as the stage wants it, by sentence; `silent` who did not answer.

    A finding belongs to the criterion whose title is its question.
    """

    findings: Sequence[Finding] | None = None
    judgement: Judgement | None = None
    drift: Sequence[str] | None = None
    silent: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the gates of one rollout are decided by.

    `nodes` are the names of the target's; `age` is how long ago each entry of the journal was made, by its number;
    `rehearsal` how long ago the brake was last rehearsed, with success and with this version of the tool; `unrehearsed`
    says why there is none.
    """

    rollout: Rollout
    nodes: tuple[str, ...]
    age: Mapping[int, timedelta]
    now: datetime
    backups: tuple[KeptBackup, ...] = ()
    rehearsal: timedelta | None = None
    unrehearsed: str = ""
    validation: LastValidation | None = None
    live: Live = Live()

    @property
    def next(self) -> Stage | None:
        """The stage after the one that it is in; None behind the last."""
        stages, number = self.rollout.plan.stages, self.rollout.stage + 1
        return stages[number] if number < len(stages) else None


def facts_of(
    rollout: Rollout, entries: Sequence[Entry], now: datetime, nodes: Sequence[str], live: Live | None = None
) -> Facts:
    """The facts of the journal's entries (`journal_time.settled`), and of what was just asked.

    Raises:
        DamagedError: an entry does not read as what its event says.
    """
    age = ages(entries, now)
    rehearsal, unrehearsed = _rehearsal(entries, age)
    return Facts(
        rollout=rollout,
        nodes=tuple(nodes),
        age=age,
        now=now,
        backups=kept_of(entries, rollout.target),
        rehearsal=rehearsal,
        unrehearsed=unrehearsed,
        validation=last_validation(entries, rollout.target),
        live=live or Live(),
    )


def _rehearsal(entries: Sequence[Entry], age: Mapping[int, timedelta]) -> tuple[timedelta | None, str]:
    """How long ago, or None and why. A drill says nothing of another version, a success nothing after a failure."""
    drills = {each.drill.id: each for each in drills_of(map(original, entries)) if each.drill.issue == BRAKE}
    told = [each for each in map(original, entries) if each.event is Event.DRILL_ENDED and each.run in drills]
    ended = [(each.seq, drills[each.run]) for each in told if drills[each.run].outcome in _LEARNED]
    own = [(seq, drill) for seq, drill in ended if drill.drill.versions.get(TOOL) == runbook.__version__]
    if own:
        seq, newest = own[-1]
        return (age[seq], "") if newest.outcome is Outcome.PASSED else (None, "the last rehearsal of the brake failed")
    if ended:
        other = ended[-1][1].drill.versions.get(TOOL, "unknown")
        return None, f"the brake was rehearsed with version {other}, and this is {runbook.__version__}"
    return None, "the brake was never rehearsed with success"
