"""From a stage to what every node runs with in it, and to the steps that lead there. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from runbook.engine.evaluate import setting_text
from runbook.engine.settings_runs import SettingsPlan, plan_settings
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.rollout import RolloutPlan, Stage
from runbook.model.run import RunStep
from runbook.model.settings import Settings, Value, same

RATE = "dual_memory.treatment_rate"
SALT = "dual_memory.treatment_salt"
SPACES = "dual_memory.treatment_spaces"
NOBODY: Mapping[str, Value] = {RATE: 0.0, SPACES: ()}
"""What the assignment is where nobody is treated."""


def wanted(plan: RolloutPlan, stage: Stage) -> dict[str, Value]:
    """Every value of the stage, in the order in which they are set: the share last, so that nobody is treated early."""
    return {
        **stage.phase.flags,
        **stage.phase.settings,
        SALT: plan.salt,
        SPACES: tuple(stage.phase.spaces),
        RATE: stage.share,
    }


def steps_into(target: str, settings: NodeSettings, plan: RolloutPlan, stage: Stage) -> SettingsPlan:
    """What is to be set where. A share that is too high, or that another salt cuts otherwise, goes to nothing first."""
    values = wanted(plan, stage)
    if not any(_treats_others(known, values) for known in settings.values() if not isinstance(known, Silence)):
        return plan_settings(target, settings, values)
    first = plan_settings(target, settings, {RATE: 0.0})
    then = plan_settings(target, {name: _at_nothing(known) for name, known in settings.items()}, values)
    steps = (*first.steps, *(_numbered(step, len(first.steps)) for step in then.steps))
    return replace(then, steps=steps)


def unlike(settings: NodeSettings, values: Mapping[str, Value]) -> tuple[str, ...]:
    """Where a node that answers is not as it should be, in words."""
    return tuple(
        f"{name}: {key} is {_shown(known.get(key))}, not {_shown(value)}"
        for name, known in settings.items()
        if not isinstance(known, Silence)
        for key, value in values.items()
        if not same(known.get(key), value)
    )


def _shown(value: Value | None) -> str:
    return "unknown" if value is None else setting_text(value) or "(none)"


def silent(settings: NodeSettings) -> tuple[str, ...]:
    """The nodes that do not tell their settings, with the reasons."""
    return tuple(f"{name}: {known.reason}" for name, known in settings.items() if isinstance(known, Silence))


def _treats_others(known: Settings, values: Mapping[str, Value]) -> bool:
    rate, share = known.get(RATE), values[RATE]
    if not isinstance(rate, int | float) or not isinstance(share, int | float) or same(rate, 0.0):
        return False
    return (rate > share and not same(rate, share)) or not same(known.get(SALT), values[SALT])


def _at_nothing(known: Settings | Silence) -> Settings | Silence:
    return known if isinstance(known, Silence) or RATE not in known else {**known, RATE: 0.0}


def _numbered(step: RunStep, before: int) -> RunStep:
    return replace(step, index=step.index + before)
