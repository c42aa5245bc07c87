"""Which group a space is in now, and at which stage of a plan it will be treated. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runbook.model.assignment import first_step, in_treatment, place
from runbook.model.cells import CONTROL, TREATMENT
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.rollout import Rollout, Stage
from runbook.model.settings import Settings

HASHES = 1 << 32
_KEYS = ("dual_memory.treatment_rate", "dual_memory.treatment_salt", "dual_memory.treatment_spaces")
_ENABLED = "dual_memory.enabled"


@dataclass(frozen=True, slots=True)
class Regime:
    """How the nodes assign at one moment: the salt, the share (0..1), and who is treated by name."""

    salt: str
    share: float
    always: frozenset[str] = frozenset()

    def group(self, space: str) -> str:
        """The group of that space."""
        treated = in_treatment(space, salt=self.salt, share=self.share, always=self.always)
        return TREATMENT if treated else CONTROL


@dataclass(frozen=True, slots=True)
class Assigned:
    """One space: where its hash lies (0..1), from which share on it is treated (in steps of 0.01 %), and when.

    `group` is None where it is not known what the nodes do now; `stage` is None where no stage of the plan treats it.
    `named` are the stages that treat it by its name.
    """

    space: str
    position: float
    steps: int
    group: str | None
    stage: str | None
    named: tuple[str, ...]


def assigned(space: str, salt: str, stages: Sequence[Stage], now: Regime | None) -> Assigned:
    """That space, under that salt, over those stages."""
    hashed = place(space, salt)
    named = tuple(stage.name for stage in stages if space in stage.phase.spaces)
    first = next((stage.name for stage in stages if _treats(stage, space, salt)), None)
    return Assigned(space, hashed / HASHES, first_step(hashed), None if now is None else now.group(space), first, named)


def never(space: Assigned) -> Assigned:
    """The same for a space that is control whatever its hash and its name say."""
    return replace(space, group=None if space.group is None else CONTROL, stage=None, named=())


def regime_of(rollout: Rollout) -> Regime | None:
    """How the nodes assign in that rollout: by the last stage that was entered; None before the first was."""
    if not rollout.entered:
        return None
    stage = rollout.plan.stages[rollout.entered[-1].stage]
    return Regime(rollout.plan.salt, stage.share, frozenset(stage.phase.spaces))


def split_by(splits: Mapping[str, Settings | Silence], nodes: Mapping[str, Settings | Silence]) -> NodeSettings:
    """What each splitter splits by, as `regimes` reads it: where no node has the dual memory on, nobody is treated."""
    on = [each.get(_ENABLED) for each in nodes.values() if not isinstance(each, Silence)]
    off = bool(on) and not any(each is not False for each in on)
    return {
        name: {**known, _ENABLED: False} if off and not isinstance(known, Silence) else known
        for name, known in splits.items()
    }


def regimes(settings: Mapping[str, Settings | Silence]) -> dict[str, Regime]:
    """How each node or splitter that answers assigns by its own settings; who does not tell all of them is missing."""
    found = {name: _regime(known) for name, known in settings.items() if not isinstance(known, Silence)}
    return {name: regime for name, regime in found.items() if regime is not None}


def _regime(settings: Settings) -> Regime | None:
    """Without the dual memory nobody is treated, whatever the share is."""
    rate, salt, spaces = (settings.get(key) for key in _KEYS)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not isinstance(salt, str):
        return None
    always = spaces if isinstance(spaces, tuple | list) else ()
    if settings.get(_ENABLED) is False:
        return Regime(salt, 0.0)
    return Regime(salt, float(rate), frozenset(always))


def _treats(stage: Stage, space: str, salt: str) -> bool:
    return in_treatment(space, salt=salt, share=stage.share, always=stage.phase.spaces)
