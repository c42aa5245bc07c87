"""From what settings should be to the plan of a run that makes them so; `carry_out` takes it from there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbook.model.finding import Change, Skipped
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.risk import Risk
from runbook.model.run import RunPlan, RunStep
from runbook.model.settings import CATALOGUE, Kind, Settings, Value, same

ISSUE = "settings"
"""What stands in a run's plan where an incident has its name."""

Playbooks = Mapping[Kind, tuple[str, str]]
"""The play that sets a setting of that kind, and the one that puts it back."""

ON_NODES: Playbooks = {
    Kind.FEATURE: ("set_features", "restore_features"),
    Kind.CONFIG: ("set_config", "restore_config"),
}


@dataclass(frozen=True, slots=True)
class SettingsPlan:
    """What would be changed; the nodes that have the value already, and those that could not be asked, with reasons."""

    target: str
    steps: tuple[RunStep, ...]
    already: tuple[Skipped, ...]
    left_out: tuple[Skipped, ...]

    @property
    def risk(self) -> Risk:
        """The highest risk among the steps."""
        return max(
            (risk_of(change.key, change.new) for step in self.steps for change in step.changes), default=Risk.LOW
        )


def risk_of(key: str, value: Value) -> Risk:
    """Switching a feature off is disruptive, switching one on may be noticed, tuning a value is neither."""
    if CATALOGUE[key].kind is Kind.CONFIG:
        return Risk.LOW
    return Risk.MEDIUM if value is True else Risk.DISRUPTIVE


def plan_settings(
    target: str, settings: NodeSettings, wanted: Mapping[str, Value], playbooks: Playbooks = ON_NODES
) -> SettingsPlan:
    """One step for each setting, in the order in which they were said, on the nodes that were read."""
    steps: list[RunStep] = []
    already: list[Skipped] = []
    left_out: list[Skipped] = []
    for key, value in wanted.items():
        title = f"Set {key} to {_written(value)}"
        changes: list[Change] = []
        for node, known in settings.items():
            old = _old(known, key)
            if isinstance(old, Silence):
                left_out.append(Skipped(title, node, old.reason))
            elif same(old, value):
                already.append(Skipped(title, node, f"{key} is {_written(value)} already"))
            else:
                changes.append(Change(node, key, old, value))
        if changes:
            do, undo = playbooks[CATALOGUE[key].kind]
            steps.append(RunStep(len(steps) + 1, title, do, undo, key, tuple(changes)))
    return SettingsPlan(target, tuple(steps), tuple(already), tuple(left_out))


def run_plan(plan: SettingsPlan, run_id: str, command: str, reason: str) -> RunPlan:
    """The run that takes the plan's steps; it is not watched."""
    return RunPlan(run_id, command, ISSUE, plan.target, reason, plan.steps)


def disagreeing(settings: NodeSettings, keys: Sequence[str]) -> tuple[str, ...]:
    """The settings in which the answering nodes differ."""
    answering = [known for known in settings.values() if not isinstance(known, Silence)]
    found = []
    for key in keys:
        values = [known[key] for known in answering if key in known]
        if any(not same(value, values[0]) for value in values):
            found.append(key)
    return tuple(found)


def _old(known: Settings | Silence, key: str) -> Value | Silence:
    if isinstance(known, Silence):
        return known
    return known[key] if key in known else Silence("", f"it does not tell {key}")


def _written(value: Value) -> str:
    """The value as a person types it."""
    match value:
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(value) or "(none)"
        case _:
            return str(value)
