"""Carry a run from where it stands to its end: steps, watch, and the emergency steps where they are allowed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial

from runbook.engine.apply import Applied, StepResult, apply, holding, nodes_named, note
from runbook.engine.evidence import Looking, collect_evidence, marks
from runbook.engine.history import details_of
from runbook.engine.overtaken import superseded_by
from runbook.engine.rails import check_history
from runbook.engine.watch import Watched, watch
from runbook.errors import InterruptedRunError, RunbookError, StorageError
from runbook.model.answer import Answer
from runbook.model.evidence import NodeEvidence
from runbook.model.journal import Event
from runbook.model.measurement import Baseline
from runbook.model.run import Run, RunPlan, RunStatus, RunStep
from runbook.model.runbook import Verify
from runbook.model.target import Target
from runbook.ports import ChangePorts

STATUS_OF_WATCH = {
    Answer.YES: RunStatus.RECOVERED,
    Answer.NO: RunStatus.NOT_RECOVERED,
    Answer.UNKNOWN: RunStatus.COULD_NOT_TELL,
}


@dataclass(frozen=True, slots=True)
class Carried:
    """A run at its end: how it ended, what each step did, and what the last watch saw."""

    plan: RunPlan
    status: RunStatus
    results: tuple[StepResult, ...] = ()
    undo_results: tuple[StepResult, ...] = ()
    watched: Watched | None = None
    superseded_by: str = ""
    evidence: tuple[NodeEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What carrying a run needs beside the run itself; `verify` None is a run without a watch.

    `looking` is what is collected from the nodes before the first step.
    """

    ports: ChangePorts
    target: Target
    who: str
    verify: Verify | None = None
    baseline: Baseline | None = None
    looking: Looking | None = None


@contextmanager
def alone(context: Context, plan: RunPlan) -> Iterator[None]:
    """Only one process carries a run at a time, and an interruption names the run and what to do about it."""
    with context.ports.locks.hold(f"run-{plan.id}", plan.id):
        try:
            yield
        except (KeyboardInterrupt, InterruptedRunError) as error:
            if _journaled(context, plan):
                raise _interrupted(plan, error) from error
            raise
        except RunbookError as error:
            if not error.run and _journaled(context, plan):
                error.run = plan.id
                first = "make room" if isinstance(error, StorageError) else error.hint
                error.hint = f"{first}; then: runbook resume {plan.id}".removeprefix("; ")
            raise


def _journaled(context: Context, plan: RunPlan) -> bool:
    try:
        return any(entry.run == plan.id for entry in context.ports.journal.entries())
    except RunbookError:
        return True  # the advice to resume may then be in vain, but leaving it out could strand the run


def _interrupted(plan: RunPlan, error: BaseException) -> InterruptedRunError:
    interruption = InterruptedRunError(
        f"run {plan.id} was interrupted",
        hint=f"runbook resume {plan.id}   (or: runbook undo {plan.id})",
        run=plan.id,
    )
    interruption.code = getattr(error, "code", interruption.code)
    return interruption


def carry_out(context: Context, plan: RunPlan) -> Carried:
    """Carry out a new run: ordinary steps, watch, emergency steps where allowed and needed, watch again.

    Raises:
        LockedError, StorageError: before anything was changed.
        InterruptedRunError: the run is in the journal and can be resumed.
    """
    with alone(context, plan):
        return carry(context, plan, plan.steps, new=True)


def carry(context: Context, plan: RunPlan, todo: Sequence[RunStep], *, new: bool) -> Carried:
    """Take the steps that are left, watch, and end the run in the journal.

    A new run is journaled with its whole plan once it has its locks and before anything is changed; from there on
    anyone can resume it.

    Raises:
        LockedError: another run holds the target or a node; a new run then leaves no trace.
        StorageError: an intent could not be journaled; nothing was changed for it.
    """
    # Where every ordinary value is in its place already, a watch before the emergency steps would only lose time.
    at_once = plan.allow_disruptive and all(step.emergency for step in plan.steps)
    first = [step for step in todo if at_once or not step.emergency]
    emergency = [step for step in todo if step not in first]
    carried = _phase(context, plan, first, new=new)
    if carried.status is RunStatus.NOT_RECOVERED and plan.allow_disruptive and emergency:
        context.ports.read.talk.say("not recovered: taking the emergency steps")
        later = _phase(context, plan, emergency, new=False)
        carried = replace(later, results=carried.results + later.results, evidence=carried.evidence)
    end(context, plan, carried.status)
    return carried


def _phase(context: Context, plan: RunPlan, steps: Sequence[RunStep], *, new: bool) -> Carried:
    applied = _take_all(context, plan, steps, new=new)
    if applied.status is not RunStatus.DONE or context.verify is None or not plan.watch_seconds:
        return _without_watch(plan, applied)
    watched = _watch(context, plan, context.verify)
    if watched.superseded_by:
        by = watched.superseded_by
        done = Carried(plan, RunStatus.SUPERSEDED, applied.results, watched=watched, superseded_by=by)
    else:
        done = Carried(plan, STATUS_OF_WATCH[watched.answer], applied.results, watched=watched)
    return replace(done, evidence=applied.evidence)


def _without_watch(plan: RunPlan, applied: Applied) -> Carried:
    by = applied.superseded_by
    results = applied.results, applied.undo_results
    return Carried(plan, applied.status, *results, superseded_by=by, evidence=applied.evidence)


def _take_all(context: Context, plan: RunPlan, steps: Sequence[RunStep], *, new: bool) -> Applied:
    if not steps and not new:
        return Applied(RunStatus.DONE, ())
    context.ports.plays.ready()
    with holding(context.ports, context.target, plan, context.who) as lost:
        if new:
            # Asked before, too; here nobody else can act on the target between the answer and the first step.
            check_history(context.target, plan, context.ports.journal, context.ports.read.clock)
            started = {"plan": details_of(plan), "environment": context.target.environment}
            context.ports.journal.append(Event.RUN_STARTED, plan.id, started)
        evidence = _look(context, plan) if new else ()
        return replace(apply(context.ports, context.target, plan, steps, lost), evidence=evidence)


def _look(context: Context, plan: RunPlan) -> tuple[NodeEvidence, ...]:
    if context.looking is None or not plan.steps:
        return ()
    nodes = nodes_named(context.target, {change.node for step in plan.steps for change in step.changes})
    return collect_evidence(context.ports, context.looking, plan, [node.name for node in nodes])


def _watch(context: Context, plan: RunPlan, verify: Verify) -> Watched:
    journal = context.ports.journal
    nodes = nodes_named(context.target, {change.node for step in plan.steps for change in step.changes})
    journal.append(Event.WATCH_STARTED, plan.id, {"seconds": plan.watch_seconds})
    length = timedelta(seconds=plan.watch_seconds)
    overtaken = partial(superseded_by, journal, plan.id)
    verify = replace(verify, limits=plan.limits)
    watched = watch(context.ports.read, verify, nodes, context.baseline, length, overtaken)
    findings = [asdict(finding) for finding in watched.findings]
    journal.append(
        Event.WATCH_ENDED,
        plan.id,
        {"answer": watched.answer.value, "seconds": round(watched.seconds, 3), "findings": findings},
    )
    return watched


def end_orphans(context: Context, run: Run) -> None:
    """End what a killed play of the run left running, so that it changes nothing behind our back, nor reads forever."""
    left = [(mark, "the look before the steps") for mark in marks(run.plan.id)]
    left += [(progress.mark, f"step {progress.step.index}") for progress in run.steps if progress.mark]
    for mark, what in left:
        count = context.ports.plays.stop_orphans(mark)
        if count:
            context.ports.read.talk.say(f"ended {count} processes left by {what}")


def end(context: Context, plan: RunPlan, status: RunStatus) -> None:
    """Journal how the run ended."""
    details = {"status": status.value, "exit_code": int(status.exit_code)}
    if status in {RunStatus.UNDONE, RunStatus.PERSON_NEEDED, RunStatus.SUPERSEDED}:
        note(context.ports, Event.RUN_ENDED, plan, details)
    else:
        context.ports.journal.append(Event.RUN_ENDED, plan.id, details)
