"""Carry out steps: intent, play, a look at the nodes, outcome; and put back what was done when one fails.

Nothing is changed before its intent is in the journal. Whether a step took effect is never guessed: the nodes are read.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from runbook.engine.history import runs_of
from runbook.engine.outcome import outcome_details
from runbook.engine.overtaken import superseded_by
from runbook.errors import DamagedError, LockedError, NotSupportedError, StorageError, UsageError
from runbook.model.evidence import NodeEvidence
from runbook.model.finding import Change
from runbook.model.journal import Event
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.play import HostResult, HostState, PlayRequest
from runbook.model.run import RunPlan, RunStatus, RunStep, StepProgress, StepState
from runbook.model.settings import Value, same
from runbook.model.target import Node, Target
from runbook.ports import ChangePorts

LEASE = timedelta(seconds=60)
UNWINDING = frozenset({StepState.FAILED, StepState.UNDOING, StepState.UNDO_FAILED})
"""A step in one of these states: its run was putting back what it had done."""


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step as it came out on each host."""

    step: RunStep
    hosts: tuple[HostResult, ...]
    undone: bool = False

    @property
    def done(self) -> bool:
        """Is every host now as the step wanted it?"""
        return all(result.done for result in self.hosts)


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of the steps: DONE, UNDONE (put back), PARTIAL (of an undo), PERSON_NEEDED, or SUPERSEDED."""

    status: RunStatus
    results: tuple[StepResult, ...]
    undo_results: tuple[StepResult, ...] = ()
    superseded_by: str = ""
    evidence: tuple[NodeEvidence, ...] = ()


@contextmanager
def holding(ports: ChangePorts, target: Target, plan: RunPlan, who: str) -> Iterator[Callable[[], str]]:
    """The local lock of the target and a lease on each node that the run changes, or whose traffic it splits.

    An undo takes over the lease of the run that it undoes: that one is dead, or the run's own lock would have said so.
    """
    names = {change.node for step in plan.steps for change in step.changes}
    nodes, run = nodes_named(target, target.concerned(names)), plan.undoes or plan.id
    with ports.locks.hold(f"target-{target.name}", plan.id), ports.read.nodes.lease(nodes, who, run, LEASE) as lost:
        yield lost


def nodes_named(target: Target, names: Collection[str]) -> tuple[Node, ...]:
    """The target's nodes and splitters of those names, in the target's order."""
    return tuple(host for host in target.hosts if host.name in names)


def apply(
    ports: ChangePorts, target: Target, plan: RunPlan, steps: Sequence[RunStep], lost: Callable[[], str] = str
) -> Applied:
    """Take the steps in order. When one fails, what it and the earlier ones did is put back, last first.

    The steps of an undo are not put back when one fails: the rest is still tried, and what is left is reported.
    Once the emergency brake has overtaken the run, no step is taken any more and nothing is put back.

    Raises:
        StorageError: an intent could not be journaled; nothing was changed for it.
        LockedError: another run has the lease of a node by now, as `lost` tells; no further step was taken.
        InterruptedRunError: cancelled in the middle; the journal knows where.
    """
    results: list[StepResult] = []
    for step in steps:
        by = superseded_by(ports.journal, plan.id)
        if by:
            return Applied(RunStatus.SUPERSEDED, tuple(results), superseded_by=by)
        if lost():
            raise LockedError(f"step {step.index} was not taken: {lost()}", hint="see what the other run does there")
        result = take(ports, target, plan, step)
        results.append(result)
        if not result.done and not plan.undoes:
            return replace(put_back(ports, target, plan), results=tuple(results))
    by = superseded_by(ports.journal, plan.id)  # in the middle of the last step
    done = RunStatus.DONE if all(result.done for result in results) else RunStatus.PARTIAL
    return Applied(RunStatus.SUPERSEDED if by else done, tuple(results), superseded_by=by)


def take(ports: ChangePorts, target: Target, plan: RunPlan, step: RunStep) -> StepResult:
    """One step, forward."""
    news = {change.node: change.new for change in step.changes}
    olds = {change.node: change.old for change in step.changes}
    mark = f"{plan.id}.{step.index}"
    ports.read.talk.say(f"step {step.index}: {step.title} ({step.key})")
    ports.journal.append(Event.STEP_INTENT, plan.id, {**_intent(step, step.do, mark), "changes": _plain(step.changes)})
    request = PlayRequest(step.do, tuple(news), step.key, news, mark, expected=olds)
    try:
        hosts = confirmed(ports, target, step, _played(ports, target, request))
    except (NotSupportedError, UsageError) as error:  # the play never began: nothing was touched for this step
        why = f"{error.message} ({error.hint})" if error.hint else error.message
        hosts = tuple(HostResult(node, HostState.NOT_REACHED, message=why) for node in news)
    result = StepResult(step, hosts)
    if result.done:
        ports.journal.append(Event.STEP_OUTCOME, plan.id, outcome_details(step, hosts))
    else:
        note(ports, Event.STEP_OUTCOME, plan, outcome_details(step, hosts))
    return result


def put_back(ports: ChangePorts, target: Target, plan: RunPlan) -> Applied:
    """Undo what the run did so far, last step first, before an interruption too: the journal knows what that was."""
    steps = _steps_so_far(ports, plan)
    left = [progress for progress in reversed(steps) if progress.applied or progress.state in UNWINDING]
    undone: list[StepResult] = []
    for progress in left:
        by = _superseded(ports, plan)
        if by:
            return Applied(RunStatus.SUPERSEDED, (), tuple(undone), superseded_by=by)
        undone.append(_put_back_one(ports, target, plan, progress))
    status = RunStatus.UNDONE if all(each.done for each in undone) else RunStatus.PERSON_NEEDED
    return Applied(status, (), tuple(undone))


def _steps_so_far(ports: ChangePorts, plan: RunPlan) -> tuple[StepProgress, ...]:
    """How far the run got, as the journal tells it; where it tells nothing, any step may have taken effect: look."""
    try:
        return runs_of(entry for entry in ports.journal.entries() if entry.run == plan.id)[plan.id].steps
    except (StorageError, DamagedError, LockedError) as error:
        ports.read.talk.say(f"the journal cannot be read ({error.message}): the nodes tell what has to go back")
        return tuple(StepProgress(step, StepState.FAILED) for step in plan.steps)


def _superseded(ports: ChangePorts, plan: RunPlan) -> str:
    """Who overtook the run, while it is putting things back: a journal that cannot be read must not keep it from it."""
    try:
        return superseded_by(ports.journal, plan.id)
    except (StorageError, DamagedError, LockedError):
        return ""


def note(ports: ChangePorts, event: Event, plan: RunPlan, details: dict[str, Any]) -> None:
    """Journal a part of a rollback, else keep it in the second place, else tell it.

    A journal that refuses must not keep what was done in effect.
    """
    try:
        ports.journal.append(event, plan.id, details)
    except (StorageError, DamagedError, LockedError) as error:
        try:
            place = ports.journal.rescue(event, plan.id, details, error.message)
        except StorageError as refused:
            why = f"{error.message}; {refused.message}"
            ports.read.talk.say(f"NOT JOURNALED ({why}): {event.value} {plan.id} {details}")
        else:
            ports.read.talk.say(f"NOT IN THE JOURNAL YET ({error.message}): {event.value} {plan.id} waits in {place}")


def _put_back_one(ports: ChangePorts, target: Target, plan: RunPlan, progress: StepProgress) -> StepResult:
    """Undo one step wherever a look at the nodes finds its value, or finds nothing out.

    A node with a third value is left alone, and told: it is not as it was before.
    """
    step = progress.step
    touched, astray = _in_effect(ports, target, progress)
    if not touched:
        note(ports, Event.UNDO_OUTCOME, plan, outcome_details(step, astray))
        return StepResult(step, astray, undone=True)
    olds = {change.node: change.old for change in touched}
    news = {change.node: change.new for change in touched}
    mark = f"{plan.id}.{step.index}.undo"
    ports.read.talk.say(f"putting back step {step.index}: {step.title} ({step.key})")
    note(ports, Event.UNDO_INTENT, plan, _intent(step, step.undo, mark))
    request = PlayRequest(step.undo, tuple(olds), step.key, olds, mark, expected=news)
    back = replace(step, changes=tuple(Change(each.node, each.key, each.new, each.old) for each in touched))
    hosts = confirmed(ports, target, back, _played(ports, target, request)) + astray
    note(ports, Event.UNDO_OUTCOME, plan, outcome_details(step, hosts))
    return StepResult(step, hosts, undone=True)


def _in_effect(
    ports: ChangePorts, target: Target, progress: StepProgress
) -> tuple[tuple[Change, ...], tuple[HostResult, ...]]:
    """The changes that are in effect or may be, and the nodes that show neither the new value nor the old one."""
    settings = settings_of(ports, target, progress.step)
    shown = [(each, _shows(settings, each.node, each.key)) for each in progress.applied]
    touched = tuple(each for each, value in shown if value is None or same(value, each.new))
    astray = tuple(_astray(each, value) for each, value in shown if each not in touched and not same(value, each.old))
    return touched, astray


def _astray(change: Change, value: Value | None) -> HostResult:
    message = f"{change.key} is {value}: neither what the run set nor what it had found; left alone"
    return HostResult(change.node, HostState.FAILED, read_back=value, message=message)


def _played(ports: ChangePorts, target: Target, request: PlayRequest) -> tuple[HostResult, ...]:
    """The play on the hosts that the target still has; one that left the inventory must not keep the others from it."""
    here = tuple(host for host in request.hosts if target.host(host) is not None)
    played = ports.plays.run(replace(request, hosts=here), ports.read.talk.say).hosts if here else ()
    gone = [host for host in request.hosts if host not in here]
    message = "it is not in the inventory any more"
    return played + tuple(HostResult(host, HostState.UNREACHABLE, message=message) for host in gone)


def settings_of(ports: ChangePorts, target: Target, *steps: RunStep) -> NodeSettings:
    """What the nodes of these steps run with now."""
    names = {change.node for step in steps for change in step.changes}
    return ports.read.nodes.settings(nodes_named(target, names))


def _shows(settings: NodeSettings, node: str, key: str) -> Value | None:
    known = settings.get(node)
    return None if known is None or isinstance(known, Silence) else known.get(key)


def confirmed(
    ports: ChangePorts, target: Target, step: RunStep, played: Sequence[HostResult]
) -> tuple[HostResult, ...]:
    """The play's results, each checked against what the node itself says now."""
    return checked_by(settings_of(ports, target, step), step, played)


def checked_by(settings: NodeSettings, step: RunStep, played: Sequence[HostResult]) -> tuple[HostResult, ...]:
    """The same, by settings that were read after it; one that is not among them has the play's own word."""
    wanted = {change.node: change.new for change in step.changes}
    return tuple(_check_host(result, settings, step.key, wanted) for result in played)


def _check_host(result: HostResult, settings: NodeSettings, key: str, wanted: Mapping[str, object]) -> HostResult:
    shown = _shows(settings, result.host, key)
    if result.done and shown is not None and not same(shown, wanted[result.host]):
        message = f"the play reports success, but the node says {key} = {shown}"
        return replace(result, state=HostState.FAILED, read_back=shown, message=message)
    return result


def _intent(step: RunStep, playbook: str, mark: str) -> dict[str, Any]:
    return {"step": step.index, "title": step.title, "playbook": playbook, "mark": mark}


def _plain(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [{"node": each.node, "key": each.key, "old": each.old, "new": each.new} for each in changes]
