"""From a stage to what every node and every splitter runs with in it, and to the steps that lead there. Pure.

Where splitters stand in front of the nodes, they hold salt, named spaces and share, and the nodes treat nobody of
their own accord: what a splitter's header says wins there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from runbook.engine.evaluate import setting_text
from runbook.engine.rollout.splitters import gone
from runbook.engine.settings_runs import ON_NODES, Playbooks, SettingsPlan, plan_settings
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.rollout import Rollout, RolloutPlan, Stage
from runbook.model.run import RunStep
from runbook.model.settings import Kind, Settings, Value, same
from runbook.model.target import Target

RATE = "dual_memory.treatment_rate"
SALT = "dual_memory.treatment_salt"
SPACES = "dual_memory.treatment_spaces"
NOBODY: Mapping[str, Value] = {RATE: 0.0, SPACES: ()}
"""What the assignment is where nobody is treated."""
UNSPLIT = "restore_split"
"""The play that puts one of these three back on every splitter at once; the one that sets them goes in waves."""
ON_SPLITTERS: Playbooks = {Kind.CONFIG: ("split_traffic", UNSPLIT)}

Wanted = Mapping[str, Mapping[str, Value]]
"""What every node and every splitter is to run with, by its name."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The nodes of a target, or its splitters: how they are set, what they run with, and what they are to run with."""

    playbooks: Playbooks
    settings: NodeSettings
    values: Mapping[str, Value]

    def plan(self, target: str, settings: NodeSettings, values: Mapping[str, Value]) -> SettingsPlan:
        found = plan_settings(target, settings, values, self.playbooks)
        if self.playbooks is ON_NODES:
            return found
        return replace(found, steps=tuple(replace(each, title=on_splitters(each.title)) for each in found.steps))


def on_splitters(title: str) -> str:
    """The title of a step that is taken there."""
    return f"{title} on what splits the traffic"


def wanted(target: Target, plan: RolloutPlan, stage: Stage) -> Wanted:
    """Every value of the stage by host, in the order in which they are set: the share last, and nobody is early."""
    nodes, splitters = _values(target, plan, stage)
    return {node.name: nodes for node in target.nodes} | {each.name: splitters for each in target.splitters}


def steps_into(target: Target, settings: NodeSettings, plan: RolloutPlan, stage: Stage) -> SettingsPlan:
    """What is to be set where, nodes before splitters.

    A share that is too high, or that another salt cuts otherwise, goes to nothing first.
    """
    return _steps(target.name, tuple(_parts(target, settings, _values(target, plan, stage))))


def steps_on_splitters(target: Target, settings: NodeSettings, plan: RolloutPlan, stage: Stage) -> SettingsPlan:
    """What is to be set on the splitters alone, of those that were read."""
    return _steps(target.name, (_Part(ON_SPLITTERS, settings, _values(target, plan, stage)[1]),))


def _steps(target: str, parts: Sequence[_Part]) -> SettingsPlan:
    first = [part.plan(target, part.settings, {RATE: 0.0}) for part in parts if _treats_anyone_else(part)]
    then = [part.plan(target, _foreseen(part), part.values) for part in parts]
    return SettingsPlan(
        target,
        steps=tuple(_numbered(step for found in (*first, *then) for step in found.steps)),
        already=tuple(each for found in then for each in found.already),
        left_out=tuple(each for found in then for each in found.left_out),
    )


def unlike(settings: NodeSettings, values: Wanted) -> tuple[str, ...]:
    """Where a node or splitter that answers is not as it should be, in words."""
    return tuple(
        f"{name}: {key} is {_shown(known.get(key))}, not {_shown(value)}"
        for name, known in settings.items()
        if not isinstance(known, Silence)
        for key, value in values[name].items()
        if not same(known.get(key), value)
    )


def drift(target: Target, rollout: Rollout, settings: NodeSettings) -> tuple[str, ...]:
    """Where a fleet is not as the rollout's stage wants it, in words; what splits the traffic has to be the same."""
    return (*gone(rollout, target), *unlike(settings, wanted(target, rollout.plan, rollout.current)))


def silent(settings: NodeSettings) -> tuple[str, ...]:
    """The nodes and splitters that do not tell their settings, with the reasons."""
    return tuple(f"{name}: {known.reason}" for name, known in settings.items() if isinstance(known, Silence))


def _values(target: Target, plan: RolloutPlan, stage: Stage) -> tuple[Mapping[str, Value], Mapping[str, Value]]:
    """Those of a node, and those of a splitter."""
    split: dict[str, Value] = {SALT: plan.salt, SPACES: tuple(stage.phase.spaces), RATE: stage.share}
    nodes: dict[str, Value] = {**stage.phase.flags, **stage.phase.settings}
    if target.splitters:
        return {**nodes, SPACES: (), RATE: 0.0}, split
    return {**nodes, **split}, {}


def _parts(
    target: Target, settings: NodeSettings, values: tuple[Mapping[str, Value], Mapping[str, Value]]
) -> Iterator[_Part]:
    playbooks = (ON_NODES, ON_SPLITTERS)
    for hosts, how, mine in zip((target.nodes, target.splitters), playbooks, values, strict=True):
        if hosts:
            yield _Part(how, {each.name: settings[each.name] for each in hosts}, mine)


def _shown(value: Value | None) -> str:
    return "unknown" if value is None else setting_text(value) or "(none)"


def _treats_anyone_else(part: _Part) -> bool:
    return any(_treats_others(known, part.values) for known in part.settings.values() if not isinstance(known, Silence))


def _treats_others(known: Settings, values: Mapping[str, Value]) -> bool:
    """Whom the stage does not treat. A node behind splitters is told no salt: there it treats nobody."""
    rate, share = known.get(RATE), values[RATE]
    if not isinstance(rate, int | float) or not isinstance(share, int | float) or same(rate, 0.0):
        return False
    return (rate > share and not same(rate, share)) or not same(known.get(SALT), values.get(SALT))


def _foreseen(part: _Part) -> NodeSettings:
    """What the part runs with once its share is at nothing, where it goes there first."""
    if not _treats_anyone_else(part):
        return part.settings
    return {name: _at_nothing(known) for name, known in part.settings.items()}


def _at_nothing(known: Settings | Silence) -> Settings | Silence:
    return known if isinstance(known, Silence) or RATE not in known else {**known, RATE: 0.0}


def _numbered(steps: Iterable[RunStep]) -> Iterator[RunStep]:
    return (replace(step, index=index) for index, step in enumerate(steps, start=1))
