"""The journal folded into migrations, and their plans turned into its details and back. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

from runbook.errors import DamagedError
from runbook.model.journal import Entry, Event, original
from runbook.model.migration import Concepts
from runbook.model.migration_run import MigrationPlan, MigrationRun, NodePlan, NodeProgress, Step
from runbook.model.run import ONLINE, RunStatus

_TAKES: Mapping[Step, Mapping[str, str]] = {
    Step.BACKUP: {"sequence": "sequence", "carried": "sequence", "sha256": "sha256", "residue": "residue"},
    Step.CONVERT: {"data": "data", "digest": "digest", "records": "records"},
    Step.FILL: {"staging": "generation"},
    Step.DELTA: {"carried": "until"},
    Step.ACTIVATE: {"switched": "sequence", "back_carried": "sequence"},
    Step.RECALL: {"overlap": "overlap"},
    Step.UNFREEZE: {"refused_ms": "refused_ms"},
    Step.BACK_DELTA: {"back_carried": "until"},
}
"""What a node's progress takes over of each step's details."""


def details_of(plan: MigrationPlan) -> dict[str, Any]:
    """The plan as JSON, complete: `plan_of` gives the same plan back."""
    return asdict(plan)


def plan_of(details: Mapping[str, Any]) -> MigrationPlan:
    """The plan that was journaled.

    Raises:
        DamagedError: it does not read as a plan.
    """
    try:
        nodes = tuple(NodePlan(**each) for each in details["nodes"])
        return MigrationPlan(**{**details, "nodes": nodes, "concepts": Concepts(details["concepts"])})
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"the journal holds a migration that cannot be read: {error!r}") from error


def migrations_of(entries: Iterable[Entry]) -> dict[str, MigrationRun]:
    """Every migration of the journal by the id of its run, oldest first.

    Raises:
        DamagedError: one does not read.
    """
    found: dict[str, MigrationRun] = {}
    for entry in map(original, entries):
        if entry.event is Event.MIGRATION_STARTED and entry.details.get("form") == ONLINE:
            found[entry.run] = _begun(plan_of(entry.details["plan"]), entry)
        elif entry.run in found:
            found[entry.run] = _after(found[entry.run], entry)
    return found


def _begun(plan: MigrationPlan, entry: Entry) -> MigrationRun:
    nodes = {each.node: begun(each) for each in plan.nodes}
    return MigrationRun(plan, entry.who, entry.where, entry.at, nodes)


def begun(plan: NodePlan) -> NodeProgress:
    """A node of which nothing is journaled yet."""
    return NodeProgress(plan, plan.sequence, plan.sha256, plan.residue, carried=plan.sequence)


def _after(run: MigrationRun, entry: Entry) -> MigrationRun:
    details = entry.details
    match entry.event:
        case Event.MIGRATION_STEP:
            try:
                stepped_node = stepped(run.nodes[details["node"]], details)
            except (KeyError, TypeError, ValueError) as error:
                raise DamagedError(f"entry {entry.seq} of the journal is no step: {error!r}") from error
            final = run.finalized or stepped_node.done >= {Step.FINALIZE}
            return replace(run, nodes=run.nodes | {details["node"]: stepped_node}, finalized=final)
        case Event.MIGRATION_RESUMED:
            return replace(run, status=RunStatus.OPEN, ended_at=None, back=run.back or bool(details.get("back")))
        case Event.MIGRATION_ENDED:
            return replace(run, status=RunStatus(details["status"]), ended_at=entry.at)
        case _:
            return run


def stepped(progress: NodeProgress, details: Mapping[str, Any]) -> NodeProgress:
    """The node after one more entry; with `problem`, the step failed."""
    step = Step(details["step"])
    if "problem" in details:
        return replace(progress, problem=str(details["problem"]))
    progress = replace(progress, intended=progress.intended | {step}, problem="")
    if step in {Step.FILL, Step.ACTIVATE}:  # forward again, after it was put back
        progress = replace(progress, done=progress.done - {Step.BACK})
    if not details["done"]:
        match step:
            case Step.FILL:
                return replace(progress, before=tuple(details["before"]))
            case Step.ACTIVATE:
                return replace(progress, expected=details["expected"])
            case _:
                return progress
    return replace(progress, **{"done": progress.done | {step}, **_news(progress, step, details)})


def _news(progress: NodeProgress, step: Step, details: Mapping[str, Any]) -> dict[str, Any]:
    news = {field: details[name] for field, name in _TAKES.get(step, {}).items()}
    if step is Step.DELTA:
        return news | {"deltas": progress.deltas + 1}
    if step is Step.ACTIVATE:
        return news | {"overlap": None, "exact": None, "records": details.get("records", progress.records)}
    if step is Step.RECALL:
        return news | {"exact": details.get("exact")}
    if step is Step.BACK:
        return {"done": (progress.done | {step}) - {Step.ACTIVATE, Step.RECALL, Step.UNFREEZE}}
    if step is Step.DROP:
        again = {Step.FILL, Step.RESIDUE, Step.VERIFY, Step.DELTA}
        left = {"intended": progress.intended - again, "done": (progress.done | {step}) - again}
        return {**left, "staging": "", "carried": progress.sequence}
    return news
