"""A second person: a run that waits with its whole plan, who may say yes, for how long, and its beginning.

The digest of the plan that was approved is journaled with the approval; what begins has that digest, or nothing does.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from runbook.engine.carry import Carried, Context, alone, carry
from runbook.engine.history import details_of, runs_of
from runbook.engine.journal_time import NOTHING, ages, settled
from runbook.engine.rails import record_of
from runbook.errors import RefusedError
from runbook.model.duration import in_words
from runbook.model.journal import Entry, Event
from runbook.model.risk import Risk
from runbook.model.run import Run, RunPlan, RunStatus
from runbook.model.target import Target
from runbook.ports import Clock, Journal, Locks

Ages = Mapping[int, timedelta]


class Stage(StrEnum):
    """Where the approval of a run stands."""

    WAITING = "waiting for approval"
    UNANSWERED = "nobody approved it in time"
    APPROVED = "approved"
    LAPSED = "approved, but not begun in time"


@dataclass(frozen=True, slots=True)
class Standing:
    """The stage, and how long it lasts: nothing where it is over."""

    stage: Stage
    left: timedelta


@dataclass(frozen=True, slots=True)
class Office:
    """What asking and answering needs: no node is touched by either."""

    journal: Journal
    locks: Locks
    clock: Clock


def digest_of(plan: RunPlan) -> str:
    """SHA-256 of everything that would be carried out."""
    return hashlib.sha256(json.dumps(details_of(plan), sort_keys=True).encode()).hexdigest()


def standing(run: Run, age: Ages) -> Standing | None:
    """Where the run's approval stands, by the ages of the journal's entries; None where it needed none."""
    if run.approval is None:
        return None
    answered = run.approval.given is not None
    entry = run.approval.given or run.approval.asked
    left = timedelta(seconds=run.approval.seconds) - age[entry.seq]
    if left > NOTHING:
        return Standing(Stage.APPROVED if answered else Stage.WAITING, left)
    return Standing(Stage.LAPSED if answered else Stage.UNANSWERED, NOTHING)


def told(run: Run, age: Ages) -> str:
    """Where it stands, for people: `approved by bert, 42 minutes left`."""
    state = standing(run, age)
    if state is None or run.approval is None:
        return ""
    by = f" by {run.approval.given.who}" if run.approval.given is not None else ""
    match state.stage:
        case Stage.WAITING | Stage.APPROVED:
            return f"{state.stage.value}{by}, {in_words(state.left)} left"
        case Stage.UNANSWERED:
            return state.stage.value
        case Stage.LAPSED:
            return f"approved{by}, but not begun in time"


def alike(runs: Iterable[Run], plan: RunPlan, who: str, age: Ages) -> Run | None:
    """A run that waits already, for the same change, asked for by the same person: it need not be asked for twice."""

    def change(one: RunPlan) -> str:
        return digest_of(replace(one, id="", reason=""))

    wanted = change(plan)
    for run in runs:
        state = standing(run, age)
        waits = run.status is RunStatus.WAITING and state is not None and state.left > NOTHING
        if waits and run.who == who and run.plan.target == plan.target and change(run.plan) == wanted:
            return run
    return None


def ask(journal: Journal, target: Target, plan: RunPlan, risk: Risk, why: tuple[str, ...]) -> None:
    """Journal the run as waiting, with its whole plan.

    Raises:
        StorageError: it could not be journaled.
    """
    details = {
        "plan": details_of(plan),
        "environment": target.environment,
        "risk": risk.name.lower(),
        "why": list(why),
        "seconds": target.rails.approval_expires.total_seconds(),
    }
    journal.append(Event.APPROVAL_ASKED, plan.id, details)


def check_approver(run: Run, who: str, age: Ages) -> None:
    """May this person say yes to this run now?

    Raises:
        RefusedError: it does not wait (any more), or they asked for it themselves.
    """
    state = standing(run, age)
    if run.status is not RunStatus.WAITING or state is None or run.approval is None:
        raise RefusedError(
            f"run {run.plan.id} does not wait for an approval: it is {run.status.value}", run=run.plan.id
        )
    if state.left <= NOTHING:
        raise RefusedError(
            f"run {run.plan.id}: {told(run, age)}",
            hint="ask again, by the command that asked: what it found then may be different now",
            run=run.plan.id,
        )
    if run.approval.asked.who == who:
        raise RefusedError(
            f"{who} asked for run {run.plan.id}, and cannot approve it too",
            hint=f"another user: runbook approve {run.plan.id}",
            run=run.plan.id,
        )


def approve(office: Office, run_id: str, who: str, reason: str, lasts: timedelta) -> Run:
    """Journal the yes of a second person; the run with it.

    Raises:
        RefusedError: as `check_approver` raises, asked again under the run's lock.
        LockedError: somebody else is answering, or starting it.
    """
    with office.locks.hold(f"run-{run_id}", run_id):
        entries, now = settled(office.journal, office.clock)
        run = runs_of(entries)[run_id]
        check_approver(run, who, ages(entries, now))
        details = {"digest": digest_of(run.plan), "reason": reason, "seconds": lasts.total_seconds()}
        office.journal.append(Event.APPROVAL_GIVEN, run_id, details)
        return runs_of(office.journal.entries())[run_id]


def withdraw(office: Office, run_id: str, reason: str) -> Run:
    """Journal that a waiting run shall never begin; the run as it stands then.

    Raises:
        RefusedError: it does not wait any more.
        LockedError: somebody else is answering, or starting it.
    """
    with office.locks.hold(f"run-{run_id}", run_id):
        run = runs_of(office.journal.entries())[run_id]
        if run.status is not RunStatus.WAITING:
            raise _moved(run)
        office.journal.append(Event.APPROVAL_WITHDRAWN, run_id, {"reason": reason})
        return runs_of(office.journal.entries())[run_id]


def check_approved(run: Run, entries: Sequence[Entry], now: datetime) -> None:
    """May the run begin: did a second person say yes to exactly this plan, not too long ago, and no rollback since?

    Raises:
        RefusedError: not so.
    """
    age = ages(entries, now)
    state, name = standing(run, age), run.plan.id
    if run.status is not RunStatus.WAITING or state is None or run.approval is None:
        raise _moved(run)
    if state.stage is not Stage.APPROVED:
        hint = f"another user: runbook approve {name}" if state.stage is Stage.WAITING else "ask again"
        raise RefusedError(f"run {name} cannot begin: {told(run, age)}", hint=hint, run=name)
    if run.approval.digest != digest_of(run.plan):
        raise RefusedError(
            f"run {name} is not what was approved: the plan's digest is {digest_of(run.plan)[:12]}, "
            f"the approved one {run.approval.digest[:12]}",
            hint=f"runbook undo {name} withdraws it; look at the journal: runbook audit verify",
            run=name,
        )
    record = record_of(entries, run.plan.target, now)
    if run.approval.given is not None and record.rollback_seq > run.approval.given.seq:
        raise RefusedError(
            f"run {name} was approved before rollback {record.rollback}", hint="look again, and ask again", run=name
        )


def _moved(run: Run) -> RefusedError:
    return RefusedError(
        f"run {run.plan.id} has gone on meanwhile: it is {run.status.value}", hint="look: runbook runs", run=run.plan.id
    )


def begin(context: Context, run_id: str) -> Carried:
    """Carry out a run that was approved; asked again under the run's lock, so that it begins once.

    Raises:
        RefusedError: as `check_approved` and the rails raise.
        LockedError, StorageError: before anything was changed.
        InterruptedRunError: the run is in the journal and can be resumed.
    """
    ports = context.ports
    plan = runs_of(ports.journal.entries())[run_id].plan
    with alone(context, plan):
        entries, now = settled(ports.journal, ports.read.clock)
        run = runs_of(entries)[run_id]
        check_approved(run, entries, now)
        return carry(context, run.plan, run.plan.steps, new=True)
