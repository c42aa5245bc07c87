"""A fleet in memory whose metrics follow its settings, over ports that can be made to fail at any call."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.journal import MemoryJournal
from runbook.adapters.memory.locks import MemoryLocks
from runbook.adapters.memory.nodes import MemoryNodes
from runbook.adapters.memory.plays import MemoryPlays
from runbook.adapters.memory.probes import MemoryProbes
from runbook.engine.carry import Carried, Context, carry_out
from runbook.engine.diagnose import diagnose
from runbook.engine.evidence import Looking, Shelf
from runbook.engine.history import runs_of
from runbook.engine.incident import ActOptions, run_plan
from runbook.engine.plan import make_plan
from runbook.engine.resume import resume
from runbook.engine.undo import undo, undo_plan
from runbook.issues.high_formation_rate import CLUSTER_SIZE, CONCEPTS, RUNBOOK, SAMPLE_RATE, THRESHOLD
from runbook.model.evidence import Kept
from runbook.model.finding import Plan
from runbook.model.measurement import Silence
from runbook.model.play import Collected, CollectRequest, HostResult, PlayRequest, PlayResult, TogetherRequest
from runbook.model.run import Run, RunPlan
from runbook.model.runbook import Evidence, Verify
from runbook.model.settings import Value
from runbook.model.target import Node, Target
from runbook.ports import ChangePorts, ReadPorts

RUN = "20261122T210000-aaaa"
UNDO = "20261122T220000-bbbb"
WATCH = timedelta(seconds=6)
SICK: dict[str, Value] = {THRESHOLD: 0.2, SAMPLE_RATE: 0.5, CLUSTER_SIZE: 2, CONCEPTS: True}
ORDINARY: dict[str, Value] = {**SICK, THRESHOLD: 0.65, SAMPLE_RATE: 0.05, CLUSTER_SIZE: 5}
STOPPED: dict[str, Value] = {**ORDINARY, CONCEPTS: False}
STEPS = 3  # the ordinary steps of the runbook
HEAP = Evidence("Heap dump", "collect_heap", apart=timedelta(seconds=5))

Settings = dict[str, Value]


class CrashError(BaseException):
    """What `kill -9` looks like from inside: nothing of ours handles it."""


class Tripwire:
    """Counts calls of every port and raises after the n-th one has taken effect, or in its place."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.trip_after: int | None = None
        self.error: Callable[[], BaseException] = CrashError

    def passed(self, name: str) -> None:
        """One more call was made."""
        self.calls.append(name)
        if len(self.calls) == self.trip_after:
            raise self.error()


class Wired:
    """A port whose every method reports to the tripwire after it returned."""

    def __init__(self, port: Any, name: str, wire: Tripwire) -> None:
        self._port, self._name, self._wire = port, name, wire

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._port, attribute)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            result = found(*arguments, **named)
            if isinstance(result, AbstractContextManager):
                return self._context(result, attribute)
            self._wire.passed(f"{self._name}.{attribute}")
            return result

        return call

    @contextmanager
    def _context(self, inner: AbstractContextManager[Any], attribute: str) -> Iterator[Any]:
        with inner as given:
            self._wire.passed(f"{self._name}.{attribute}")
            yield given
        self._wire.passed(f"{self._name}.{attribute} given back")


class SilentTalk:
    """The port `Talk`; what was said can be looked at."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def progress(self, label: str, done: float, total: float) -> None:
        """Nothing to show."""


@dataclass
class WatchedPlays:
    """The port `Plays`; `before` is called with every request, so that the world can change under it."""

    inner: MemoryPlays
    before: Callable[[PlayRequest], None] = lambda _: None
    before_together: Callable[[TogetherRequest], None] = lambda _: None

    def run(self, request: PlayRequest, progress: Callable[[str], None]) -> PlayResult:
        self.before(request)
        return self.inner.run(request, progress)

    def run_together(
        self, request: TogetherRequest, progress: Callable[[str], None]
    ) -> Mapping[str, tuple[HostResult, ...]]:
        self.before_together(request)
        return self.inner.run_together(request, progress)

    def collect(self, request: CollectRequest, progress: Callable[[str], None]) -> tuple[Collected, ...]:
        return self.inner.collect(request, progress)

    def ready(self) -> None:
        self.inner.ready()

    def stop_orphans(self, mark: str) -> int:
        return self.inner.stop_orphans(mark)

    def end(self, mark: str) -> int:
        return self.inner.end(mark)


@dataclass
class MemoryShelf:
    """Keeps what runs collected in a dictionary, by run and name."""

    kept: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def keep(self, run: str, name: str, document: Mapping[str, Any]) -> Kept:
        self.kept[run, name] = dict(document)
        return Kept(f"{run}/{name}", "0" * 64)


@dataclass
class Fleet:
    """Nodes whose counters rise fast while `ill` says that their settings are bad."""

    settings: dict[str, Settings]
    ill: Callable[[Settings], bool] = lambda settings: settings not in (ORDINARY, STOPPED)
    dead: dict[str, str] = field(default_factory=dict)
    counts: dict[str, tuple[float, float, float]] = field(default_factory=dict)

    def expose(self, name: str, at: float) -> dict[tuple[str, tuple[tuple[str, str], ...]], float] | Silence:
        if name in self.dead:
            return Silence(name, self.dead[name])
        ill = self.ill(self.settings[name])
        before, formed, resident = self.counts.get(name, (at, 0.0, 1e9))
        passed = at - before
        formed += passed * (400 if ill else 12) / 60
        resident += passed * (1e6 if ill else 0.0)
        self.counts[name] = (at, formed, resident)
        return {
            ("engram_concepts_formed_total", (("space", "default"),)): formed,
            ("process_resident_memory_bytes", ()): resident,
            ("process_start_time_seconds", ()): 1000.0,
        }


@dataclass
class World:
    """Everything that a command would compose, in memory."""

    fleet: Fleet
    target: Target
    admin: MemoryNodes
    plays: WatchedPlays
    journal: MemoryJournal
    ports: ChangePorts
    wire: Tripwire
    talk: SilentTalk
    locks: MemoryLocks
    verify: Verify | None = RUNBOOK.verify
    looking: Looking | None = None

    @property
    def settings(self) -> dict[str, Settings]:
        """What every node runs with now."""
        return {name: dict(values) for name, values in self.fleet.settings.items()}

    @property
    def context(self) -> Context:
        return Context(self.ports, self.target, "anna@bastion", self.verify, looking=self.looking)

    def looks_into(self, shelf: Shelf) -> None:
        """From now on a run collects the heaps of its nodes first, and keeps them there."""
        self.looking = Looking(HEAP, Wired(shelf, "shelf", self.wire))
        for name in self.fleet.settings:
            self.plays.inner.documents[HEAP.playbook, name] = {"resident_bytes": 100, "components": {"cache": 60}}

    def with_(self, **ports: Any) -> None:
        """Other ports from here on, such as a journal that fails."""
        self.ports = replace(self.ports, **ports)

    def diagnosed(self) -> Plan:
        diagnosis, settings = diagnose(RUNBOOK, self.target, self.ports.read, None, timedelta(seconds=2))
        return make_plan(RUNBOOK, diagnosis, settings, None)

    def act(self, *, disruptive: bool = False, plan: Plan | None = None) -> Carried:
        plan = plan or self.diagnosed()
        chosen = plan.steps if disruptive else plan.ordinary
        options = ActOptions(RUN, "high-formation-rate --act", "test", WATCH, disruptive)
        return carry_out(self.context, run_plan(plan, self.target.name, chosen, options))

    def runs(self) -> dict[str, Run]:
        return runs_of(self.journal.entries())

    def resume(self, run: str = RUN) -> Carried:
        context = self.context
        found = self.runs()[run]
        return resume(replace(context, verify=None) if found.plan.undoes else context, found)

    def undo_plan(self, run: str = RUN, new: str = UNDO) -> RunPlan:
        return undo_plan(self.runs()[run], new, "undone by test")

    def undo(self, run: str = RUN, new: str = UNDO, *, force: bool = False) -> Carried:
        plan = self.undo_plan(run, new)
        return undo(replace(self.context, verify=None), plan, force=force)


def world(names: Sequence[str] = ("a", "b", "c", "d", "e", "f"), **settings: Settings) -> World:
    """A fleet of sick nodes, those named in `settings` with settings of their own."""
    fleet = Fleet({name: dict(settings.get(name, SICK)) for name in names})
    target = Target("fleet", "test", Path("inventory"), tuple(Node(name, f"http://{name}") for name in names))
    clock, wire, talk, locks = MemoryClock(), Tripwire(), SilentTalk(), MemoryLocks()
    admin = MemoryNodes(fleet.settings)
    plays = WatchedPlays(MemoryPlays(fleet.settings))
    journal = MemoryJournal(clock, "anna", "bastion")

    def wired(port: Any, name: str) -> Any:
        return Wired(port, name, wire)

    probes = MemoryProbes(clock, fleet.expose)
    read = ReadPorts(wired(probes, "probes"), wired(admin, "nodes"), wired(clock, "clock"), wired(talk, "talk"))
    ports = ChangePorts(read, wired(plays, "plays"), wired(journal, "journal"), wired(locks, "locks"))
    return World(fleet, target, admin, plays, journal, ports, wire, talk, locks)
