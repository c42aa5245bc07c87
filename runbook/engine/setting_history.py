"""The journal folded into changes of settings: of incidents, of `flags` and `config`, of undos and rollbacks. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from runbook.engine.history import plan_of
from runbook.model.finding import Change
from runbook.model.journal import Entry, Event, original
from runbook.model.play import HostState
from runbook.model.run import RunPlan, RunStep
from runbook.model.setting_change import SettingChange
from runbook.model.settings import Value, same

Intended = Mapping[tuple[str, str], SettingChange]
"""The last change of each setting of each node, by node and key."""

_INTENTS = frozenset({Event.STEP_INTENT, Event.UNDO_INTENT})
_OUTCOMES = frozenset({Event.STEP_OUTCOME, Event.STEP_OBSERVED, Event.UNDO_OUTCOME})


_Placed = tuple[int, SettingChange]
"""A change with the place of its entry in the journal."""


@dataclass(slots=True)
class _Told:
    """A run while it is read: its plan, and the changes of which only the intent is known so far."""

    plan: RunPlan
    open: dict[int, list[_Placed]]


def changes_of(entries: Iterable[Entry], target: str) -> tuple[SettingChange, ...]:
    """Every change on that target, oldest first; those whose outcome is unknown stand where their intent does.

    Oldest is what the journal has first: a clock that was set back makes no newer change an older one.

    Raises:
        DamagedError: the journal holds a plan that cannot be read.
    """
    runs: dict[str, _Told] = {}
    found: list[_Placed] = []
    for place, entry in enumerate(map(original, entries)):
        if entry.event is Event.RUN_STARTED:
            plan = plan_of(entry.details["plan"])
            if plan.target == target:
                runs[plan.id] = _Told(plan, {})
        elif entry.run in runs and entry.event in _INTENTS | _OUTCOMES:
            found += _told(runs[entry.run], entry, place)
    doubtful = [change for run in runs.values() for changes in run.open.values() for change in changes]
    return _once(change for _, change in sorted([*found, *doubtful], key=lambda placed: placed[0]))


def _once(changes: Iterable[SettingChange]) -> tuple[SettingChange, ...]:
    """Each change of a run once: a rollback journals its outcome as often as it learns more."""
    seen: dict[tuple[object, ...], SettingChange] = {}
    for each in changes:
        seen.setdefault((each.run, each.node, each.key, each.old, each.new, each.put_back, each.in_doubt), each)
    return tuple(seen.values())


def last_of(changes: Iterable[SettingChange]) -> Intended:
    """What was last meant for each setting of each node."""
    return {(change.node, change.key): change for change in changes}


def _told(run: _Told, entry: Entry, place: int) -> list[_Placed]:
    index = entry.details["step"]
    step = run.plan.steps[index - 1]
    if entry.event in _INTENTS:
        run.open[index] = [(place, replace(each, in_doubt=True)) for each in _planned(run.plan, step, entry)]
        return []
    run.open.pop(index, None)
    return [(place, each) for each in _came_of_it(run.plan, step, entry)]


def _planned(plan: RunPlan, step: RunStep, entry: Entry) -> Iterator[SettingChange]:
    """Each change of the step; backwards where the entry is about putting back."""
    back = entry.event in {Event.UNDO_INTENT, Event.UNDO_OUTCOME}
    for change in step.changes:
        old, new = (change.new, change.old) if back else (change.old, change.new)
        yield _change(plan, entry, Change(change.node, change.key, old, new), back=back)


def _came_of_it(plan: RunPlan, step: RunStep, entry: Entry) -> Iterator[SettingChange]:
    """What each host of an outcome says: changed, maybe changed, or nothing."""
    planned = {change.node: change for change in _planned(plan, step, entry)}
    for host in entry.details["hosts"]:
        change = planned.get(host["host"])
        if change is None:
            continue
        old, read_back = _value(host["old"]), _value(host["read_back"])
        match HostState(host["state"]):
            case HostState.CHANGED:
                yield replace(change, old=change.old if old is None else old, new=_or(read_back, change.new))
            case HostState.UNREACHABLE if old is not None or entry.event is Event.STEP_OBSERVED:
                yield replace(change, in_doubt=True)  # lost after the change was sent
            case HostState.FAILED if old is not None and read_back is not None and not same(old, read_back):
                yield replace(change, old=old, new=read_back)
            case _:
                continue


def _change(plan: RunPlan, entry: Entry, change: Change, *, back: bool) -> SettingChange:
    return SettingChange(
        entry.at,
        f"{entry.who}@{entry.where}",
        plan.id,
        plan.command,
        plan.target,
        change.node,
        change.key,
        change.old,
        change.new,
        plan.reason,
        put_back=back,
    )


def _or(value: Value | None, otherwise: Value) -> Value:
    return otherwise if value is None else value


def _value(told: Any) -> Value | None:
    value: Value | None = tuple(told) if isinstance(told, list) else told
    return value
