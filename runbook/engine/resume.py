"""Go on with an interrupted run: end its orphans, look at the nodes, then carry on from there."""

from runbook.engine.apply import UNWINDING, holding, put_back, settings_of
from runbook.engine.carry import Carried, Context, alone, carry, end, end_orphans
from runbook.engine.outcome import outcome_details
from runbook.model.finding import Change
from runbook.model.journal import Event
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.play import HostResult, HostState
from runbook.model.run import Run, RunStep, StepProgress, StepState
from runbook.model.settings import same

UNWOUND = UNWINDING | {StepState.UNDONE}


def resume(context: Context, run: Run) -> Carried:
    """Bring the run to its end.

    A step whose outcome is not in the journal is looked up on the nodes: where its value is in effect it counts as done
    there, where the old value stands it is taken again, anything else fails the step by compare-and-set. A run
    that was putting things back goes on putting them back.

    Raises:
        LockedError: the run is still being carried, or another run holds the target.
    """
    with alone(context, run.plan):
        end_orphans(context, run)
        context.ports.journal.append(Event.RUN_RESUMED, run.plan.id, {})
        if not run.plan.undoes and any(progress.state in UNWOUND for progress in run.steps):
            return _unwind(context, run)
        todo = [progress.step for progress in run.steps if not _settled(context, run, progress)]
        return carry(context, run.plan, todo, new=False)


def _settled(context: Context, run: Run, progress: StepProgress) -> bool:
    """Is the step done everywhere? If it was interrupted, what the nodes show goes into the journal first."""
    if progress.state is not StepState.INTENDED:
        return progress.state is StepState.DONE
    hosts = _observed(settings_of(context.ports, context.target, progress.step), progress.step)
    took_effect = all(host.done for host in hosts)
    context.ports.read.talk.say(
        f"step {progress.step.index} was interrupted: in effect on "
        f"{sum(host.done for host in hosts)} of {len(hosts)} nodes"
    )
    details = outcome_details(progress.step, hosts)
    context.ports.journal.append(Event.STEP_OBSERVED, run.plan.id, details)
    return took_effect


def _observed(settings: NodeSettings, step: RunStep) -> tuple[HostResult, ...]:
    return tuple(_observe(settings, change) for change in step.changes)


def _observe(settings: NodeSettings, change: Change) -> HostResult:
    known = settings.get(change.node)
    if known is None or isinstance(known, Silence):
        reason = known.reason if isinstance(known, Silence) else "it was not read"
        return HostResult(change.node, HostState.UNREACHABLE, message=reason)
    value = known.get(change.key)
    if same(value, change.new):
        return HostResult(change.node, HostState.CHANGED, change.old, value)
    return HostResult(change.node, HostState.NOT_REACHED, change.old, value)


def _unwind(context: Context, run: Run) -> Carried:
    with holding(context.ports, context.target, run.plan, context.who):
        applied = put_back(context.ports, context.target, run.plan)
    end(context, run.plan, applied.status)
    by = applied.superseded_by
    return Carried(run.plan, applied.status, undo_results=applied.undo_results, superseded_by=by)
