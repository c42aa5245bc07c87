"""Undo a run: a run of its own that sets every value back that the first one changed, and nobody changed since."""

from collections.abc import Sequence
from dataclasses import replace

from runbook.engine.apply import nodes_named
from runbook.engine.carry import Carried, Context, alone, carry, end, end_orphans
from runbook.engine.history import runs_of
from runbook.errors import RefusedError, UnreachableError
from runbook.model.finding import Change
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.run import Run, RunPlan, RunStatus, RunStep
from runbook.model.settings import same


def undo_plan(run: Run, run_id: str, reason: str) -> RunPlan:
    """The run backwards: last step first, old and new swapped. Empty steps where nothing is left to undo.

    A step that was interrupted is taken back wherever it may have taken effect: compare-and-set tells.
    """
    backwards = [] if run.undone_by else [progress for progress in reversed(run.steps) if progress.applied]
    steps = tuple(
        RunStep(
            index,
            f"Undo: {progress.step.title}",
            do=progress.step.undo,
            undo=progress.step.undo,
            key=progress.step.key,
            changes=tuple(Change(each.node, each.key, each.new, each.old) for each in progress.applied),
        )
        for index, progress in enumerate(backwards, start=1)
    )
    return RunPlan(run_id, f"undo {run.plan.id}", run.plan.issue, run.plan.target, reason, steps, undoes=run.plan.id)


def undo(context: Context, plan: RunPlan, *, force: bool = False) -> Carried:
    """Carry out an undo plan, after a look at every node: nothing is touched where a value was changed since.

    With an empty plan what a killed play of the run left running is ended, and a run that still stands open is closed.

    Raises:
        LockedError: the run that is to be undone is still being carried.
        RefusedError: someone changed a value since; `force` sets it back all the same.
        UnreachableError: no node of the plan can be read.
    """
    if not plan.steps:
        _close(context, plan)
        return Carried(plan, RunStatus.DONE)
    with alone(context, plan), context.ports.locks.hold(f"run-{plan.undoes}", plan.id):
        run = runs_of(context.ports.journal.entries())[plan.undoes]
        if undo_plan(run, plan.id, plan.reason) != plan:
            raise RefusedError(f"run {plan.undoes} has gone on meanwhile", hint="look at it again: runbook runs")
        end_orphans(context, run)
        names = {change.node for step in plan.steps for change in step.changes}
        settings = context.ports.read.nodes.settings(nodes_named(context.target, names))
        _check_reachable(settings)
        conflicts = _conflicts(settings, plan.steps)
        if conflicts and not force:
            raise RefusedError(
                f"changed since by someone else: {'; '.join(conflicts)}", hint="--force sets it back all the same"
            )
        if force:
            plan = replace(plan, steps=tuple(_as_found(settings, step) for step in plan.steps))
        return carry(context, plan, plan.steps, new=True)


def _close(context: Context, plan: RunPlan) -> None:
    """A run that was killed with nothing in effect must not stand in the way of others."""
    with context.ports.locks.hold(f"run-{plan.undoes}", plan.id):
        run = runs_of(context.ports.journal.entries())[plan.undoes]
        end_orphans(context, run)
        if run.status is RunStatus.OPEN and not undo_plan(run, plan.id, plan.reason).steps:
            end(context, run.plan, RunStatus.UNDONE)


def _check_reachable(settings: NodeSettings) -> None:
    silent = [known for known in settings.values() if isinstance(known, Silence)]
    if len(silent) == len(settings):
        reasons = "; ".join(f"{each.node}: {each.reason}" for each in silent)
        raise UnreachableError("no node of the run can be reached", hint=reasons)


def _conflicts(settings: NodeSettings, steps: Sequence[RunStep]) -> list[str]:
    found = []
    for change in (change for step in steps for change in step.changes):
        known = settings.get(change.node)
        if known is None or isinstance(known, Silence):
            continue
        value = known.get(change.key)
        if not (same(value, change.old) or same(value, change.new)):
            found.append(f"{change.node}: {change.key} is {value}, the run left {change.old}")
    return found


def _as_found(settings: NodeSettings, step: RunStep) -> RunStep:
    """The step with the values that the nodes have now as its old ones, so that compare-and-set lets it pass."""

    def now(change: Change) -> Change:
        known = settings.get(change.node)
        value = None if known is None or isinstance(known, Silence) else known.get(change.key)
        return change if value is None else replace(change, old=value)

    return replace(step, changes=tuple(now(change) for change in step.changes))
