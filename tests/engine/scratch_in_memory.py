"""A rehearsal in memory: the fleet of `fleet_in_memory`, well until a fault is injected."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from fleet_in_memory import CONCEPTS, ORDINARY, SICK, STOPPED, Settings, World, world

from runbook.engine.drill import DrillOptions, Scene
from runbook.issues.high_formation_rate import CLUSTER_SIZE, RUNBOOK, SAMPLE_RATE, THRESHOLD
from runbook.model.evidence import Kept
from runbook.model.target import Node, Target

WELL: Settings = {THRESHOLD: 0.65, SAMPLE_RATE: 0.1, CLUSTER_SIZE: 3, CONCEPTS: True}
WATCH = timedelta(seconds=30)


class NoShelf:
    """Where this incident keeps no evidence."""

    def keep(self, run: str, name: str, document: object) -> Kept:
        raise AssertionError(f"{run} keeps {name}: {document}")


@dataclass
class MemoryScratch:
    """The port `ScratchFleet`; `reach` are the nodes that a fault reaches, whatever it was asked for."""

    inner: World
    reach: tuple[str, ...] | None = None
    injected: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    @property
    def target(self) -> Target:
        return self.inner.target

    def inject(self, fault: str, nodes: Sequence[Node]) -> None:
        names = tuple(node.name for node in nodes)
        self.injected.append((fault, names))
        for name in names if self.reach is None else self.reach:
            self.inner.fleet.settings[name].clear()
            self.inner.fleet.settings[name].update(SICK)


def scratch(names: Sequence[str] = ("a", "b", "c")) -> MemoryScratch:
    """A fleet that is well."""
    inner = world(names, **dict.fromkeys(names, WELL))
    inner.fleet.ill = lambda settings: settings not in (WELL, ORDINARY, STOPPED)
    return MemoryScratch(inner)


def scene(fleet: MemoryScratch, *, watch: timedelta = WATCH, allow_disruptive: bool = False) -> Scene:
    """A rehearsal of the first incident on that fleet."""
    options = DrillOptions("drill-1", "anna@bastion", timedelta(seconds=5), watch, allow_disruptive)
    return Scene(RUNBOOK, (RUNBOOK,), fleet.inner.ports, fleet, options, NoShelf())
