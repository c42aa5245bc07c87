"""A whole migration, node after node: begun, resumed, taken back, finalized."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from runbook.engine.migrate.back import OvertakenError, Stands, back, overtaken, stands
from runbook.engine.migrate.fill import prepare
from runbook.engine.migrate.record import begun, details_of, migrations_of
from runbook.engine.migrate.switch import check_recall, switch
from runbook.engine.migrate.work import Context, Work
from runbook.engine.rails import check_reason
from runbook.errors import (
    InterruptedRunError,
    LockedError,
    PersonNeededError,
    RefusedError,
    RunbookError,
    StorageError,
    UnreachableError,
)
from runbook.model.generation import State
from runbook.model.journal import Event
from runbook.model.migration_run import MigrationPlan, MigrationRun, NodeProgress, Step
from runbook.model.run import ONLINE, RunStatus

LEASE = timedelta(seconds=60)
PASSING = (UnreachableError, StorageError, LockedError, InterruptedRunError)
"""What may be over by the next try: the run stays open, and nothing of it is thrown away."""


def migrate(context: Context, plan: MigrationPlan) -> MigrationRun:
    """Carry the plan out on every node, one after the other.

    Raises:
        LockedError: another run holds the target or a node; nothing was begun.
        RunbookError: of the only node, or of the first where no node was migrated; `run` names the run.
        InterruptedRunError: on the way; writes go on, and the run can be resumed or taken back.
    """
    if not plan.rollback:
        check_reason(context.target, plan.reason)
    with _alone(context, plan) as lost:
        started = {"form": ONLINE, "plan": details_of(plan), "environment": context.target.environment}
        context.ports.journal.append(Event.MIGRATION_STARTED, plan.id, started)
        return _each(context, plan, {each.node: begun(each) for each in plan.nodes}, lost, _forward)


def resume(context: Context, run: MigrationRun) -> MigrationRun:
    """Go on where each node really stands, in the direction in which the run was going; raises as `migrate`."""
    with _alone(context, run.plan) as lost:
        context.ports.journal.append(Event.MIGRATION_RESUMED, run.plan.id, {"back": run.back})
        return _each(context, run.plan, run.nodes, lost, _backward if run.back else _forward)


def go_back(context: Context, run: MigrationRun) -> MigrationRun:
    """Have each node serve again what it served before; raises as `migrate`."""
    with _alone(context, run.plan) as lost:
        if run.status is not RunStatus.OPEN:
            for progress in run.nodes.values():
                _check_way_back(Work(context, run.plan, progress, lost))
        context.ports.journal.append(Event.MIGRATION_RESUMED, run.plan.id, {"back": True})
        return _each(context, run.plan, run.nodes, lost, _backward)


def finalize(context: Context, run: MigrationRun) -> MigrationRun:
    """Drop what each node keeps of before: there is no way back afterwards.

    Raises:
        RefusedError: a node keeps nothing of this run.
    """
    with _alone(context, run.plan) as lost:
        works = [Work(context, run.plan, progress, lost) for progress in run.nodes.values()]
        kept = [_kept(work) for work in works]  # of all of them, before anything is dropped on one
        for work, generation in zip(works, kept, strict=True):
            _finalize(work, generation)
    return run_named(context, run.plan.id)


def work_on(context: Context, run: MigrationRun, node: str) -> Work:
    """That node's part, for a look at it; nothing is held."""
    return Work(context, run.plan, run.nodes[node], str)


def run_named(context: Context, run: str) -> MigrationRun:
    """The migration as the journal tells it now."""
    return migrations_of(context.ports.journal.entries())[run]


@contextmanager
def _alone(context: Context, plan: MigrationPlan) -> Iterator[Callable[[], str]]:
    """The run's own lock, the target's, and a lease on each node; an interruption says how to go on."""
    ports = context.ports
    nodes = tuple(node for node in context.target.nodes if node.name in {each.node for each in plan.nodes})
    with (
        ports.locks.hold(f"run-{plan.id}", plan.id),
        ports.locks.hold(f"target-{context.target.name}", plan.id),
        ports.nodes.lease(nodes, context.who, plan.id, LEASE) as lost,
    ):
        try:
            yield lost
        except (KeyboardInterrupt, InterruptedRunError) as error:
            raise _interrupted(context, plan, error) from error


def _interrupted(context: Context, plan: MigrationPlan, error: BaseException) -> InterruptedRunError:
    with suppress(RunbookError):
        if plan.id not in migrations_of(context.ports.journal.entries()):
            return InterruptedRunError("interrupted before anything was done")
    hint = f"runbook resume {plan.id}   (or: runbook undo {plan.id})"
    interruption = InterruptedRunError(f"migration {plan.id} was interrupted", hint=hint, run=plan.id)
    interruption.code = getattr(error, "code", interruption.code)
    return interruption


def _each(
    context: Context,
    plan: MigrationPlan,
    nodes: dict[str, NodeProgress],
    lost: Callable[[], str],
    part: Callable[[Context, Work], None],
) -> MigrationRun:
    problems: list[RunbookError] = []
    for progress in nodes.values():
        work = Work(context, plan, progress, lost)
        try:
            part(context, work)
        except InterruptedRunError:
            raise
        except RunbookError as error:
            _note_problem(work, error)
            problems.append(error)
    status = _status(problems, len(nodes), going_back=part is _backward)
    if status is not RunStatus.OPEN:
        details = {"status": status.value, "exit_code": int(status.exit_code)}
        context.ports.journal.append(Event.MIGRATION_ENDED, plan.id, details)
    if status in {RunStatus.DONE, RunStatus.REVERTED, RunStatus.UNDONE}:
        context.ports.bench.discard(Path(plan.work))
    if len(problems) == len(nodes):
        raise _told(problems[0], plan, status)
    return run_named(context, plan.id)


def _status(problems: list[RunbookError], nodes: int, *, going_back: bool) -> RunStatus:
    """Of the run as a whole; OPEN where all that is left can be tried again."""
    if not problems:
        return RunStatus.REVERTED if going_back else RunStatus.DONE
    if any(isinstance(each, PersonNeededError) for each in problems):
        return RunStatus.PERSON_NEEDED
    if any(isinstance(each, OvertakenError) for each in problems):
        return RunStatus.SUPERSEDED
    if len(problems) < nodes:
        return RunStatus.PARTIAL
    passing = going_back or any(isinstance(each, PASSING) for each in problems)
    return RunStatus.OPEN if passing else RunStatus.UNDONE


def _told(error: RunbookError, plan: MigrationPlan, status: RunStatus) -> RunbookError:
    error.run = plan.id
    if status is RunStatus.OPEN:
        error.hint = f"{error.hint}; then: runbook resume {plan.id}   (or: runbook undo {plan.id})".removeprefix("; ")
    return error


def _note_problem(work: Work, error: RunbookError) -> None:
    work.say(f"NOT DONE: {error.message}")
    with suppress(RunbookError):  # what refuses here is told by the error itself
        work.failed(Step.BACK, error.message)


def _forward(context: Context, work: Work) -> None:
    del context
    if work.progress.whole:
        return
    try:
        if not _settled(work):
            prepare(work)
            switch(work)
        work.ports.bench.discard(work.folder)
    except (*PASSING, OvertakenError):
        raise
    except RunbookError as error:
        _put_back(work, error)
        raise


def _put_back(work: Work, error: RunbookError) -> None:
    """What failed for good leaves nothing behind: the old generation is served, and no staging one is left."""
    work.say(f"{error.message}: putting back")
    try:
        back(work)
    except RunbookError as worse:
        raise PersonNeededError(
            f"{error.message}; and it could not be put back: {worse.message}",
            hint=f"{worse.hint}; then: runbook undo {work.plan.id}".removeprefix("; "),
            run=work.plan.id,
        ) from error


def _settled(work: Work) -> bool:
    """Is the node switched already? What an earlier try left in doubt is looked up on the node, and journaled."""
    holdings, progress = work.node.holdings(), work.progress
    if holdings.node != progress.plan.identity:
        told = f"another node answers as {work.name}: {holdings.node}, not {progress.plan.identity}"
        raise UnreachableError(told, hint="was its data folder replaced?")
    if Step.FREEZE in progress.intended:
        work.node.unfreeze()
    match stands(work, holdings):
        case Stands.BEFORE:
            if progress.staging and holdings.named(progress.staging) is None:
                work.say(f"the staging generation {progress.staging} is gone: filling another one")
                work.did(Step.DROP, generation=progress.staging)
            return False
        case Stands.SWITCHED:
            if Step.ACTIVATE not in progress.done:
                facts = {"sequence": progress.expected, "records": holdings.active.records}
                work.did(Step.ACTIVATE, generation=progress.staging, **facts)
            if Step.RECALL in progress.done:
                check_recall(work)
            else:
                work.say("switched before the interruption: what comes to mind since was not compared with before")
            work.did(Step.UNFREEZE, refused_ms=None)
            return True
        case Stands.ELSEWHERE:
            raise overtaken(work)


def _backward(context: Context, work: Work) -> None:
    del context
    if Step.BACK not in work.progress.done:
        back(work)


def _check_way_back(work: Work) -> None:
    """Before a run that has ended is opened again."""
    if stands(work, work.node.holdings()) is Stands.ELSEWHERE:
        raise overtaken(work)


def _kept(work: Work) -> str:
    """What the node keeps of this run; empty where that was dropped before."""
    holdings, progress = work.node.holdings(), work.progress
    kept = holdings.of(State.KEPT)
    ours = {progress.plan.generation, progress.staging}
    if kept is not None and kept.id in ours and holdings.active.id in ours:
        return kept.id
    if Step.FINALIZE in progress.intended:  # killed between the deed and its record, or on another node
        return ""
    raise RefusedError(
        f"{work.name} keeps nothing of run {work.plan.id}: there is nothing to finalize",
        hint=f"runbook migrate status {work.plan.id} shows where each node stands; nothing was dropped",
    )


def _finalize(work: Work, generation: str) -> None:
    if generation:
        work.intend(Step.FINALIZE, generation=generation)
        work.node.drop(generation)
    if Step.FINALIZE not in work.progress.done:
        work.did(Step.FINALIZE, generation=generation)
