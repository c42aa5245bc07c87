"""A rollout over ports in memory: a small plan, nodes that are dictionaries, the brake, rows, and a wire to trip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from fleet_in_memory import Wired, World, world

from runbook.adapters.memory.access import MemoryAccessLogs
from runbook.adapters.memory.brake import MemoryBrake
from runbook.adapters.memory.cells import MemoryCells, MemoryCellStore
from runbook.engine.brake_record import Rolled, Wish
from runbook.engine.history import runs_of
from runbook.engine.resume import resume
from runbook.engine.rollback import rollback
from runbook.engine.rollout.advance import Advanced, advance
from runbook.engine.rollout.crew import Acted, Crew
from runbook.engine.rollout.enter import start
from runbook.engine.rollout.eyes import Eyes
from runbook.engine.rollout.gates.asking import Answered, ask_now
from runbook.engine.rollout.revert import Why, revert
from runbook.engine.rollout.state import newest_of
from runbook.engine.rollout.watch import Until, Watched, Wishes, watch
from runbook.model.cells import NodeCells
from runbook.model.measurement import Silence
from runbook.model.metric import Metric
from runbook.model.rollout import Advance, Phase, Rollout, RolloutPlan, Standing, Trigger, Tripwire
from runbook.model.settings import Value, defaults
from runbook.model.target import Node, Way
from runbook.ports import BrakePorts

NAMES = ("a", "b", "c")
ROLLOUT = "20261122T210000-aaaa"
ENABLED, CONCEPTS, BLENDED = (f"dual_memory.{flag}" for flag in ("enabled", "enable_concepts", "use_blended_recall"))
WEIGHT = "dual_memory.semantic_weight"
RATE, SALT, SPACES = (f"dual_memory.treatment_{part}" for part in ("rate", "salt", "spaces"))
HOLD = timedelta(seconds=10)
errors = Metric("engram_recall_errors_total").part_of("engram_recall_total")
FAILING = Trigger("Recalls fail", errors.above(5.0), timedelta(seconds=4))
TRIPWIRE = Tripwire(window=timedelta(seconds=10), fewest=50)

SHADOW = Phase("shadow", "Shadow", "", {ENABLED: True, CONCEPTS: True, BLENDED: False}, minimum=HOLD)
RAMP = Phase(
    "ramp",
    "Ramp",
    "",
    {ENABLED: True, CONCEPTS: True, BLENDED: True},
    settings={WEIGHT: 0.1},
    spaces=("ours",),
    shares=(0.25, 0.5),
    hold=HOLD,
    triggers=(FAILING,),
    tripwire=TRIPWIRE,
)
PLAN = RolloutPlan(
    "small",
    "A small plan",
    (SHADOW, RAMP),
    bucket=timedelta(seconds=2),
    check_every=timedelta(seconds=2),
    approve_plan=False,
    salt="pepper",
)
BY_ITSELF = replace(PLAN, phases=tuple(replace(phase, advance=Advance.BY_ITSELF) for phase in PLAN.phases))


@dataclass
class Scene:
    """A fleet with a rollout; what it exposes of recalls can be changed at any time (recalls and failures a second)."""

    world: World
    plan: RolloutPlan = PLAN
    recalls: float = 100.0
    failing: dict[str, float] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)
    bundles: list[tuple[Standing, str]] = field(default_factory=list)
    asked: list[tuple[int, bool]] = field(default_factory=list)
    brake: MemoryBrake = field(init=False)
    cells: MemoryCells = field(init=False)
    eyes: Eyes = field(init=False)
    logs: MemoryAccessLogs = field(init=False)
    ids: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.brake = MemoryBrake(self.world.fleet.settings)
        self.cells = MemoryCells({name: NodeCells(name, 2, ()) for name in NAMES})
        wire = self.world.wire
        self.logs = MemoryAccessLogs()
        self.eyes = Eyes(Wired(self.cells, "cells", wire), Wired(MemoryCellStore(), "rows", wire))
        self._counts: dict[str, tuple[float, float, float]] = {}

    @property
    def crew(self) -> Crew:
        bundle = Wired(self, "shelf", self.world.wire).keep
        return Crew(self.world.ports, self.world.target, "anna@bastion", self._new_id, self.pull, bundle)

    @property
    def rollout(self) -> Rollout:
        found = newest_of([*self.world.journal.entries(), *self.world.journal.waiting()], "fleet")
        assert found is not None
        return found

    @property
    def settings(self) -> dict[str, dict[str, Value]]:
        return self.world.settings

    def rates(self) -> set[Value]:
        return {values[RATE] for values in self.settings.values()}

    def split_by(self, *names: str) -> None:
        """From now on the inventory has these splitters."""
        splitters = tuple(Node(name, f"http://{name}", Way.NGINX) for name in names)
        self.world.target = replace(self.world.target, splitters=splitters)
        self.eyes = replace(self.eyes, logs=Wired(self.logs, "logs", self.world.wire) if names else None)

    def keep(self, rollout: Rollout, why: str) -> None:
        """The shelf of the evidence."""
        self.bundles.append((rollout.standing, why))

    def wait(self, length: timedelta = HOLD) -> None:
        self.world.ports.read.clock.sleep(length.total_seconds())

    def start(self) -> Acted:
        return start(self.crew, self.plan, ROLLOUT, "test")

    def advance(self) -> Advanced:
        return advance(self.crew, ROLLOUT, self.ask)

    def abort(self, why: str = "enough") -> Acted:
        return revert(self.crew, self.rollout, Why("person", why, Standing.ABORTED, 5.0))

    def watch(self, until: Until = Until.END, seconds: float = 600, *, once: bool = False) -> Watched:
        wishes = Wishes(until, timedelta(seconds=seconds), once)
        return watch(self.crew, self.eyes, self.rollout, wishes, lambda _: None)

    def resume_runs(self) -> None:
        """What a person does who sees only the runs: `runbook resume` of every one that has not ended."""
        for run in runs_of(self.world.journal.entries()).values():
            if run.resumable:
                resume(replace(self.world.context, verify=None), run)

    def expose(self, name: str, at: float) -> Mapping[Any, float] | Silence:
        """Counters that rise with the time."""
        if name in self.silent:
            return Silence(name, self.silent[name])
        before, seen, failed = self._counts.get(name, (at, 0.0, 0.0))
        seen += (at - before) * self.recalls
        failed += (at - before) * self.failing.get(name, 0.0)
        self._counts[name] = (at, seen, failed)
        shown: dict[Any, float] = {("process_start_time_seconds", ()): 1000.0}
        for group in ("control", "treatment"):
            labels = (("group", group), ("space", "x"))
            shown["engram_recall_total", labels] = seen / 2
            shown["engram_recall_errors_total", labels] = failed / 2
            for bound, share in (("0.005", 0.995), ("0.1", 1.0), ("+Inf", 1.0)):
                key = ("engram_recall_duration_seconds_bucket", (("group", group), ("le", bound)))
                shown[key] = seen / 2 * share
        return shown

    def ask(self, rollout: Rollout) -> Answered:
        answered = ask_now(self.crew, self.eyes, rollout)
        self.asked.append((rollout.stage, all(gate.open for gate in answered.gates)))
        return answered

    def _new_id(self) -> str:
        return f"20261122T220000-{next(self.ids):04x}"

    def pull(self, wish: Wish) -> Rolled:
        """The brake, as a command would pull it."""
        ports, wire = self.world.ports, self.world.wire
        brake: Any = Wired(self.brake, "brake", wire)
        chosen = BrakePorts(
            brake, lambda: ports.journal, lambda: ports.plays, ports.read.clock, ports.read.talk, lambda: 1.0
        )
        return rollback(chosen, self.world.target, wish)


def scene(plan: RolloutPlan = PLAN, splitters: Sequence[str] = (), **values: Value) -> Scene:
    """Three nodes as they are by default: everything is on, and everybody treated. Splitters split nothing yet."""
    made = Scene(world(NAMES, **{name: {**defaults(), **values} for name in NAMES}), plan)
    made.world.fleet.settings |= {name: {RATE: 0.0, SALT: "new", SPACES: ()} for name in splitters}
    made.split_by(*splitters)
    made.world.ports.read.probes._port.expose = made.expose  # type: ignore[attr-defined]  # behind the wire
    return made


def walked(stage: int, plan: RolloutPlan = PLAN, splitters: Sequence[str] = ()) -> Scene:
    """A rollout that has come to that stage."""
    made = scene(plan, splitters)
    made.start()
    for _ in range(stage):
        made.wait()
        made.advance()
    assert made.rollout.stage == stage
    made.world.wire.calls.clear()
    made.bundles.clear()
    return made
