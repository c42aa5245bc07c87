"""A fleet in memory for the validator: each node serves recalls at a rate, as well or as badly as is said."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.nodes import MemoryNodes
from runbook.adapters.memory.probes import Exposed, Labels, MemoryProbes
from runbook.engine.baseline import capture
from runbook.engine.validate.run import Scope, validate, watch
from runbook.model.concept import RecentConcept
from runbook.model.measurement import Baseline, Silence
from runbook.model.settings import defaults
from runbook.model.target import Node, Target
from runbook.model.validation import Validation
from runbook.model.validation_golden import Answered, GoldenQuery, Recalled
from runbook.ports import ReadPorts

WINDOW = timedelta(seconds=60)
BOUNDS = [0.0001 * 1.3**step for step in range(30)]
QUERY = GoldenQuery("a", "tenant-1", "x", "text", (1.0, 0.0), (("x", 1.0),), 1.0, "treatment")

GOOD = tuple(Recalled(QUERY, "treatment", 1.0, changed=False) for _ in range(50))


@dataclass
class Health:
    """How a node is: recalls a second, the typical latency, the share of failures, and so on."""

    rate: float = 40.0
    latency: float = 0.001
    slow: float = 0.0
    failing: float = 0.0
    memory: float = 100e6
    growth: float = 0.0
    cpu: float = 0.002
    confidence: float = 0.7
    fan: float = 12.0
    cycles: float = 2.0
    cycles_failing: float = 0.0
    started: float = 0.0
    silent: str = ""
    without: frozenset[str] = frozenset()
    more: Callable[[float, dict[tuple[str, Labels], float]], Exposed] = lambda _, shown: shown


class Talk:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def progress(self, label: str, done: float, total: float) -> None:
        """Nothing to show."""


def _latencies(at: float, health: Health, count: float) -> dict[tuple[str, Labels], float]:
    """A bell of latencies around the typical one; a little more or less from block to block, by no chance at all."""
    typical = math.log(health.latency) + 0.02 * math.sin(at * 1.7)
    shown = {}
    for bound in [*BOUNDS, math.inf]:
        share = 0.5 * (1 + math.erf((math.log(bound) - typical) / 0.35 / math.sqrt(2))) if bound < math.inf else 1.0
        if bound > 0.005:
            share = min(share, 1.0 - (health.slow if bound < 1.0 else 0.0))
        le = "+Inf" if math.isinf(bound) else f"{bound:.9g}"
        shown["engram_recall_duration_seconds_bucket", (("group", "treatment"), ("le", le))] = count * share
    return shown


@dataclass
class Scene:
    """Nodes by name, the ports that read them, and a baseline where one was captured."""

    health: dict[str, Health] = field(default_factory=lambda: {"a": Health(), "b": Health()})
    clock: MemoryClock = field(default_factory=MemoryClock)
    talk: Talk = field(default_factory=Talk)
    coherence: float = 0.8
    answered: Answered | str = field(default_factory=lambda: Answered(GOOD))

    def __post_init__(self) -> None:
        self._totals: dict[str, tuple[float, dict[tuple[str, Labels], float]]] = {}
        self.probes = MemoryProbes(self.clock, self._expose)

    @property
    def target(self) -> Target:
        return Target("fleet", "test", Path("hosts"), tuple(Node(name, f"http://{name}") for name in self.health))

    @property
    def ports(self) -> ReadPorts:
        formed = {
            name: tuple(RecentConcept(str(n), "s", "2025-01-01T00:00:00+00:00", 5, self.coherence) for n in range(40))
            for name in self.health
        }
        nodes = MemoryNodes({name: dict(defaults()) for name in self.health}, formed=formed)
        return ReadPorts(self.probes, nodes, self.clock, self.talk)

    def _expose(self, name: str, at: float) -> Exposed | Silence:
        health = self.health[name]
        if health.silent:
            return Silence(name, health.silent)
        before, totals = self._totals.get(name, (at, {}))
        if health.started and totals.get(("process_start_time_seconds", ())) != health.started:
            totals = {}
        passed = at - before
        rises = self._rises(at, health, passed)
        totals = {key: totals.get(key, 0.0) + rise for key, rise in rises.items()}
        totals["process_start_time_seconds", ()] = health.started
        self._totals[name] = (at, totals)
        shown = dict(totals)
        shown["process_resident_memory_bytes", ()] = health.memory + health.growth / 3600 * at
        shown["engram_concepts", (("space", "s"),)] = 40.0
        shown = {key: value for key, value in shown.items() if key[0] not in health.without}
        return health.more(at, shown)

    def _rises(self, at: float, health: Health, passed: float) -> dict[tuple[str, Labels], float]:
        recalls = health.rate * passed
        space: Labels = (("group", "treatment"), ("space", "s"))
        rises = _latencies(at, health, recalls)
        rises["engram_recall_total", space] = recalls
        rises["engram_recall_errors_total", space] = recalls * health.failing
        rises["engram_recall_confidence_sum", (("group", "treatment"),)] = recalls * health.confidence
        rises["engram_recall_confidence_count", (("group", "treatment"),)] = recalls
        rises["process_cpu_seconds_total", ()] = recalls * health.cpu
        cycles = health.cycles * passed
        rises["engram_consolidation_runs_total", (("outcome", "success"),)] = cycles * (1 - health.cycles_failing)
        rises["engram_consolidation_runs_total", (("outcome", "failure"),)] = cycles * health.cycles_failing
        for bound in (6.0, 12.0, 24.0, 48.0, 96.0, math.inf):
            le = "+Inf" if math.isinf(bound) else f"{bound:g}"
            rises["engram_concept_fan_out_bucket", (("le", le),)] = recalls if health.fan <= bound else 0.0
        return rises

    def baseline(self) -> Baseline:
        """Capture one; the validation comes a while later."""
        found, _ = capture(self.target, (), self.ports, WINDOW)
        self.clock.sleep(WINDOW.total_seconds())
        return found

    def sicken(self, name: str, **changes: object) -> None:
        """From now on a node is as is said."""
        self.health[name] = replace(self.health[name], **changes)  # type: ignore[arg-type]  # the test names the fields

    def scope(self, baseline: Baseline | None, soak: timedelta | None = None, *nodes: str) -> Scope:
        """The whole target, or some nodes of it."""
        chosen = tuple(node for node in self.target.nodes if not nodes or node.name in nodes)
        return Scope(self.target, chosen, baseline, WINDOW, soak)

    def validated(self, baseline: Baseline | None, soak: timedelta | None = None, *nodes: str) -> Validation:
        """Watch and judge."""
        scope = self.scope(baseline, soak, *nodes)
        return validate(self.ports, scope, watch(self.ports, scope), lambda: self.answered)


def outcomes(validation: Validation) -> Mapping[str, str]:
    """What came of each check that did not pass."""
    return {each.name: each.outcome.value for each in validation.checks if each.outcome.value != "PASS"}
