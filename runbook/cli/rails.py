"""The safety rails where a command is about to change something. Every changing command comes by here.

check_reason(target, reason)         as soon as the target is known: before anything is read
guard(current, target, plan, risk)   when the plan of the run is made, and before it is carried out
check_switch(current, target, plan)  before a node is made to serve other data
"""

from runbook.cli.compose import Session
from runbook.cli.open_runs import refuse_beside_open
from runbook.engine.approval import Office, alike, ask, told
from runbook.engine.history import runs_of
from runbook.engine.journal_time import ages, settled
from runbook.engine.rails import (
    Record,
    approval_needed,
    check_cool_down,
    check_history,
    check_plan,
    check_reason,
    check_steps,
    passes,
    record_of,
)
from runbook.engine.resume import UNWOUND
from runbook.errors import RefusedError
from runbook.model.rails import NO_RAILS
from runbook.model.risk import Risk
from runbook.model.run import Run, RunPlan
from runbook.model.target import Target

__all__ = ["check_going_on", "check_reason", "check_switch", "guard", "office"]


def guard(current: Session, target: Target, plan: RunPlan, risk: Risk, narrower: str = "") -> None:
    """May this run begin, by the target's rails? Returns where it may; nothing has been touched where it may not.

    Call it between making the plan (with `reason`, and `steps` as they would be carried out) and carrying it out; the
    person may have been asked before. `risk` is the highest of the plan's steps. `narrower` is the hint for a step that
    is too risky: how to leave it out of this command. It neither prints nor asks. A rollback (`plan.issue` is
    "rollback") and an undo (`plan.undoes`) always pass.

    Where a second person is needed, the run is journaled as waiting: nothing else is to be done. `runbook approve` and
    then `runbook resume` carry out exactly this plan, so that it must hold all there is to know.

    Raises:
        RefusedError: it may not, with the arithmetic and what to do instead; `run` names the run that waits now.
        DamagedError, StorageError: the journal cannot be read, or not be written.
    """
    if passes(plan) or target.rails == NO_RAILS:
        return
    check_plan(target, plan, risk, narrower)
    entries, now = settled(current.journal, current.clock)
    record = record_of(entries, target.name, now)
    check_steps(target, plan, record)
    why = approval_needed(target, plan, risk, record)
    if not why:
        return
    age = ages(entries, now)
    same = alike(runs_of(entries).values(), plan, current.who, age)
    if same is not None:
        raise _waiting(same.plan.id, told(same, age))
    ask(current.journal, target, plan, risk, why)
    raise _waiting(plan.id, f"waiting for approval ({'; '.join(why)})")


def check_switch(current: Session, target: Target, plan: RunPlan) -> None:
    """A switch of data is as disruptive as anything can be; it does not wait for a second person.

    Raises:
        RefusedError: the target's rails do not let it happen now, or another run stands half done.
    """
    refuse_beside_open(current, target.name)
    hint = "without --activate it only waits beside what is served"
    check_plan(target, plan, Risk.DISRUPTIVE, hint)
    check_history(target, plan, current.journal, current.clock)
    why = approval_needed(target, plan, Risk.DISRUPTIVE, Record())
    if why:
        raise RefusedError(f"{'; '.join(why)}, and a switch of data cannot wait for one", hint=hint)


def check_going_on(current: Session, target: Target, run: Run) -> None:
    """May an interrupted run go on? While its target rests after a rollback it can only go back.

    Raises:
        RefusedError: the target rests.
    """
    back = run.plan.undoes or any(progress.state in UNWOUND for progress in run.steps)
    if not back and target.rails.cool_down:
        entries, now = settled(current.journal, current.clock)
        record = record_of(entries, target.name, now)
        check_cool_down(target, run.plan, entries, record)


def office(current: Session) -> Office:
    """What asking for an approval, and answering, needs."""
    return Office(current.journal, current.locks, current.clock)


def _waiting(run: str, stands: str) -> RefusedError:
    return RefusedError(
        f"nothing was changed: run {run} is {stands}",
        hint=f"another user: runbook approve {run}   then: runbook resume {run}   (runbook undo {run} withdraws it)",
        run=run,
    )
