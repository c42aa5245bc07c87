"""The journal folded into runs, and plans turned into the journal's details and back. Pure."""

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import asdict, replace
from typing import Any

from runbook.errors import DamagedError, UsageError
from runbook.model.finding import Change
from runbook.model.journal import Entry, Event, original
from runbook.model.play import AS_ASKED, HostState
from runbook.model.risk import Risk
from runbook.model.run import MIGRATION, ONLINE, Approval, Run, RunPlan, RunStatus, RunStep, StepProgress, StepState
from runbook.model.settings import Value, checked, same, setting_of


def details_of(plan: RunPlan) -> dict[str, Any]:
    """The plan as JSON, complete: `plan_of` gives the same plan back."""
    return asdict(plan)


def plan_of(details: Mapping[str, Any]) -> RunPlan:
    """The plan that was journaled.

    Raises:
        DamagedError: it does not read as a plan (a journal of another version, or edited and sealed again).
    """
    try:
        steps = tuple(_step_of(step) for step in details["steps"])
        return RunPlan(**{**details, "steps": steps})
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise DamagedError(f"the journal holds a plan that cannot be read: {error!r}") from error


def _step_of(details: Mapping[str, Any]) -> RunStep:
    setting = setting_of(details["key"])
    changes = tuple(
        Change(each["node"], each["key"], checked(setting, each["old"]), checked(setting, each["new"]))
        for each in details["changes"]
    )
    return RunStep(**{**details, "changes": changes})


def runs_of(entries: Iterable[Entry]) -> dict[str, Run]:
    """Every run of the journal by id, oldest first."""
    runs: dict[str, Run] = {}
    for entry in entries:
        fold(runs, entry)
    return runs


def fold(runs: MutableMapping[str, Run], adopted: Entry) -> None:
    """The runs after one more entry; those that it does not touch need not be there.

    Raises:
        DamagedError: a plan, an approval or a migration does not read as one.
        KeyError, TypeError, ValueError, IndexError, AttributeError: another entry does not.
    """
    entry = original(adopted)
    if entry.event is Event.RUN_STARTED:
        plan = plan_of(entry.details["plan"])
        approval = runs[plan.id].approval if plan.id in runs else None
        runs[plan.id] = replace(_begun(plan, entry), approval=approval)
    elif entry.event is Event.APPROVAL_ASKED:
        plan = plan_of(entry.details["plan"])
        runs[plan.id] = replace(_begun(plan, entry), status=RunStatus.WAITING, approval=_asked(entry))
    elif entry.event is Event.MIGRATION_STARTED and entry.details.get("form") == ONLINE:
        runs[entry.run] = _migrating(runs.get(entry.run), entry)
    elif entry.run in runs:
        runs[entry.run] = _after(runs[entry.run], entry)
        _mark_undone(runs, runs[entry.run])


def _begun(plan: RunPlan, entry: Entry) -> Run:
    return Run(plan, entry.who, entry.where, entry.at, tuple(StepProgress(step) for step in plan.steps))


def _migrating(run: Run | None, entry: Entry) -> Run:
    """A migration, alone or behind the brake of a rollback of the data."""
    told = entry.details["plan"]
    try:
        plan = RunPlan(entry.run, told["command"], MIGRATION, told["target"], told["reason"], ())
    except (KeyError, TypeError) as error:
        raise DamagedError(f"entry {entry.seq} of the journal begins no migration: {error!r}") from error
    run = _begun(plan, entry) if run is None else run
    return replace(run, status=RunStatus.OPEN, ended_at=None, migrates=True)


def _asked(entry: Entry) -> Approval:
    details = entry.details
    try:
        return Approval(entry, Risk[details["risk"].upper()], tuple(details["why"]), float(details["seconds"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedError(f"entry {entry.seq} of the journal asks for no approval: {error!r}") from error


def _mark_undone(runs: MutableMapping[str, Run], run: Run) -> None:
    """An undo that is done takes its run out of effect; undone itself, it brings that one back, and so on.

    A run that undoes itself, by itself or through others, was written by nobody's tool: it ends there.
    """
    passed = {run.plan.id}
    while run.plan.undoes in runs and run.plan.undoes not in passed and run.status is RunStatus.DONE:
        by = "" if run.undone_by else run.plan.id
        runs[run.plan.undoes] = run = replace(runs[run.plan.undoes], undone_by=by)
        passed.add(run.plan.id)


# What each event makes of a step, by whether its details say `done`; an intent says nothing of the kind.
_STATES: dict[Event, dict[bool | None, StepState]] = {
    Event.STEP_INTENT: {None: StepState.INTENDED},
    Event.STEP_OUTCOME: {True: StepState.DONE, False: StepState.FAILED},
    Event.STEP_OBSERVED: {True: StepState.DONE, False: StepState.PENDING},
    Event.UNDO_INTENT: {None: StepState.UNDOING},
    Event.UNDO_OUTCOME: {True: StepState.UNDONE, False: StepState.UNDO_FAILED},
}


def _after(run: Run, entry: Entry) -> Run:
    details = entry.details
    if entry.event in _STATES:
        news: dict[str, Any] = {"state": _STATES[entry.event][details.get("done")], "mark": details.get("mark", "")}
        if entry.event is Event.STEP_INTENT:
            news["spared"] = ()  # whatever an earlier try left alone, this one may change
        if "hosts" in details:
            news |= _told(run, entry)
        return _with(run, details, **news)
    match entry.event:
        case Event.RUN_ENDED | Event.RUN_SUPERSEDED | Event.MIGRATION_ENDED:
            return _ended(run, entry)
        case Event.RUN_RESUMED | Event.MIGRATION_RESUMED:
            return replace(run, status=RunStatus.OPEN, ended_at=None)
        case Event.APPROVAL_GIVEN if run.approval is not None:
            given = replace(run.approval, given=entry, digest=details["digest"], seconds=float(details["seconds"]))
            return replace(run, approval=given)
        case Event.APPROVAL_WITHDRAWN:
            return replace(run, status=RunStatus.WITHDRAWN, ended_at=entry.at)
        case _:
            return run


def _ended(run: Run, entry: Entry) -> Run:
    """By itself, or because the brake overtook it; neither a run that had ended, nor one that sets nothing.

    A brake that did not go everywhere has not ended for this: a later one that did brings it to its end.
    """
    going_on = run.status is RunStatus.OPEN or (run.status is RunStatus.PARTIAL and run.is_brake)
    if entry.event is Event.RUN_SUPERSEDED and (not going_on or run.migrates):
        return run
    return replace(run, status=RunStatus(entry.details.get("status", "superseded")), ended_at=entry.at)


def _told(run: Run, entry: Entry) -> dict[str, Any]:
    """What an outcome adds: nodes once known as changed stay so until they are put back."""
    before = run.steps[entry.details["step"] - 1]
    hosts = {host["host"]: HostState(host["state"]) for host in entry.details["hosts"]}
    messages = tuple((host["host"], host["message"]) for host in entry.details["hosts"] if host["message"])
    changed, spared = before.changed, before.spared
    match entry.event:
        case Event.UNDO_OUTCOME:
            changed = tuple(host for host, state in hosts.items() if state not in AS_ASKED)
        case Event.STEP_OBSERVED:
            # A node that is silent after an interruption may have taken the value.
            changed += tuple(
                host for host, state in hosts.items() if state in {HostState.CHANGED, HostState.UNREACHABLE}
            )
        case _:
            changed += tuple(host for host, state in hosts.items() if state is HostState.CHANGED)
            found = {change.node: change.old for change in before.step.changes}
            spared += tuple(
                host["host"] for host in entry.details["hosts"] if _untouched(host, found.get(host["host"]))
            )
            spared = tuple(host for host in spared if host not in changed)
    return {"changed": tuple(dict.fromkeys(changed)), "spared": tuple(dict.fromkeys(spared)), "messages": messages}


def _untouched(host: Mapping[str, Any], expected: Value | None) -> bool:
    """Was nothing sent to the host? A play reads before it writes, so one that was not even read was not written to.

    Nor was one whose value was not the expected one: compare and set stopped there.
    """
    old = tuple(host["old"]) if isinstance(host["old"], list) else host["old"]
    state = HostState(host["state"])
    never_read = state is HostState.UNREACHABLE and old is None
    conflict = state is HostState.FAILED and old is not None and host["read_back"] is None and not same(old, expected)
    return never_read or conflict or state in {HostState.UNCHANGED, HostState.NOT_REACHED}


def _with(run: Run, details: Mapping[str, Any], **news: Any) -> Run:
    index = details["step"] - 1
    changed = replace(run.steps[index], **news)
    return replace(run, steps=(*run.steps[:index], changed, *run.steps[index + 1 :]))
