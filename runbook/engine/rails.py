"""May this run begin? The target's safety rails, with the arithmetic of every refusal.

A rollback and an undo pass all of them; what puts back a run that failed never comes this way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runbook.engine.history import runs_of
from runbook.engine.journal_time import NOTHING, ages, settled
from runbook.errors import RefusedError
from runbook.model.duration import in_words
from runbook.model.journal import Entry, Event, original
from runbook.model.rails import Rails
from runbook.model.risk import Risk
from runbook.model.run import ROLLBACK, Run, RunPlan
from runbook.model.target import Target
from runbook.ports import Clock, Journal

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Record:
    """What the journal knows of a target: how long ago its steps were, and the newest rollback that is in effect.

    `rollback` is its run, empty where there is none; `rollback_seq` its last entry, `rollback_age` that one's age.
    """

    steps: tuple[timedelta, ...] = ()
    rollback: str = ""
    rollback_seq: int = 0
    rollback_age: timedelta = NOTHING


def passes(plan: RunPlan) -> bool:
    """Is the run a way back? Then nothing holds it up."""
    return bool(plan.undoes) or plan.issue == ROLLBACK


def record_of(entries: Sequence[Entry], target: str, now: datetime) -> Record:
    """What the entries say of that target."""
    runs = {name: run for name, run in runs_of(entries).items() if run.plan.target == target}
    age = ages(entries, now)
    meant = [each for each in map(original, entries) if each.run in runs]
    steps = tuple(age[each.seq] for each in meant if each.event is Event.STEP_INTENT)
    last = next((each for each in reversed(meant) if _in_effect(runs[each.run])), None)
    return Record(steps) if last is None else Record(steps, last.run, last.seq, age[last.seq])


def _in_effect(run: Run) -> bool:
    return run.plan.issue == ROLLBACK and not run.plan.undoes and not run.undone_by and bool(run.applied)


def check_reason(target: Target, reason: str) -> None:
    """Does the target ask for a reason, and is there one?

    Raises:
        RefusedError: it asks, and there is none.
    """
    if target.rails.require_reason and not reason.strip():
        raise RefusedError(
            f"nothing is changed on {target.name} ({target.environment}) without a reason",
            hint='say why: --reason "..."; it is kept in the journal',
        )


def check_plan(target: Target, plan: RunPlan, risk: Risk, narrower: str = "") -> None:
    """The rails that the plan alone answers: reason, number of nodes, highest risk. A way back passes.

    `narrower` says how a step that is too risky is left out.

    Raises:
        RefusedError: one is not kept to.
    """
    if passes(plan):
        return
    check_reason(target, plan.reason)
    rails, nodes = target.rails, target.concerned({change.node for step in plan.steps for change in step.changes})
    if rails.max_hosts_per_run is not None and len(nodes) > rails.max_hosts_per_run:
        raise RefusedError(
            f"the run would change {len(nodes)} nodes > max_hosts_per_run {rails.max_hosts_per_run} of {target.name}",
            hint="name the nodes, some at a time: --node NAME, once for each",
        )
    if risk > rails.allowed_risk:
        raise RefusedError(
            f"the run has a step of risk {risk.name.lower()} > allowed_risk {rails.allowed_risk.name.lower()} "
            f"of {target.name}",
            hint=narrower or f"allowed_risk stands in runbook.toml, under [targets.{target.name}.rails]",
        )


def check_steps(target: Target, plan: RunPlan, record: Record) -> None:
    """The most steps within an hour. A way back passes.

    Raises:
        RefusedError: the run's steps and those of the last hour are too many together.
    """
    limit = target.rails.max_steps_per_hour
    if passes(plan) or limit is None:
        return
    recent = sorted((age for age in record.steps if age < HOUR), reverse=True)
    more = len(recent) + len(plan.steps) - limit
    if more <= 0:
        return
    hint = "a rollback and an undo are not held up"
    hint = (
        f"enough of them are an hour old in {in_words(HOUR - recent[more - 1])}; {hint}"
        if more <= len(recent)
        else f"this run alone has more; take fewer steps, or raise the limit in runbook.toml; {hint}"
    )
    raise RefusedError(
        f"{len(recent)} steps in the last hour + {len(plan.steps)} of this run = {limit + more} "
        f"> max_steps_per_hour {limit} of {target.name}",
        hint=hint,
    )


def cool_down_left(rails: Rails, record: Record) -> timedelta:
    """How long the target still rests after its rollback; nothing where it does not."""
    return max(rails.cool_down - record.rollback_age, NOTHING) if record.rollback else NOTHING


def approval_needed(target: Target, plan: RunPlan, risk: Risk, record: Record) -> tuple[str, ...]:
    """Why a second person is needed: nothing where none is. A way back needs none."""
    if passes(plan):
        return ()
    rails, why = target.rails, []
    if rails.require_approval is not None and risk >= rails.require_approval:
        least = rails.require_approval.name.lower()
        why.append(f"a step of risk {risk.name.lower()}: {target.name} asks for a second person from {least} on")
    if cool_down_left(rails, record):
        why.append(_resting(target, record))
    return tuple(why)


def _resting(target: Target, record: Record) -> str:
    rails = target.rails
    return (
        f"rollback {record.rollback} was {in_words(record.rollback_age)} ago < cool_down {in_words(rails.cool_down)}: "
        f"{in_words(cool_down_left(rails, record))} are left"
    )


def check_history(target: Target, plan: RunPlan, journal: Journal, clock: Clock) -> None:
    """The rails that what happened before answers: steps of the last hour, cool-down. A way back passes.

    An approval that was given after the rollback lets a run pass the cool-down.

    Raises:
        RefusedError: one is not kept to.
    """
    rails = target.rails
    if passes(plan) or (rails.max_steps_per_hour is None and not rails.cool_down):
        return
    entries, now = settled(journal, clock)
    record = record_of(entries, target.name, now)
    check_steps(target, plan, record)
    check_cool_down(target, plan, entries, record)


def check_cool_down(target: Target, plan: RunPlan, entries: Sequence[Entry], record: Record) -> None:
    """The rest after a rollback; an approval that was given after it lets a run pass. So does a way back.

    Raises:
        RefusedError: the target still rests.
    """
    if passes(plan) or not cool_down_left(target.rails, record):
        return
    if not _approved_since(entries, plan.id, record.rollback_seq):
        raise RefusedError(
            _resting(target, record),
            hint=f"wait; or, to take the rollback back: runbook undo {record.rollback}",
        )


def _approved_since(entries: Sequence[Entry], run: str, seq: int) -> bool:
    return any(each.event is Event.APPROVAL_GIVEN and each.run == run and each.seq > seq for each in entries)
