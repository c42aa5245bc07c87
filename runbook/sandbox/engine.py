"""One node, put together: what the HTTP layer, the faults and the background tasks work with."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from uuid import uuid4

from runbook.errors import StorageError
from runbook.model.settings import Kind, Value
from runbook.sandbox import process, supervisor
from runbook.sandbox.access import Access
from runbook.sandbox.cells import Cells
from runbook.sandbox.consolidation import Consolidation, Cycle
from runbook.sandbox.folder import Folder
from runbook.sandbox.generations import Generations
from runbook.sandbox.graph import Cue, DualMemoryGraph, Graph, MemoryGraph, Recalled
from runbook.sandbox.holdings import Holdings
from runbook.sandbox.lease import Leases
from runbook.sandbox.memory import Memory
from runbook.sandbox.metrics import Instruments
from runbook.sandbox.records import now
from runbook.sandbox.store import Store
from runbook.sandbox.tuning import Settings

FLUSH_SECONDS = 2.0
DEFAULT_SPACE = "default"
"""Made with the node, so that its counters are known to be zero from the start."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a node is started.

    `settings` win over the stored ones; without `runtime_settings` nobody can change or ask for them over HTTP. `alone`
    is a node that has its process for itself.
    """

    consolidation_seconds: float = 1.0
    cell_seconds: int = 3600
    settings: Mapping[str, Value] = field(default_factory=dict)
    runtime_settings: bool = True
    alone: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """A recall, the group that answered, and how long the search took."""

    group: str
    recalled: Recalled
    seconds: float


class Engine:
    """The parts of one node. Opening it reads the whole memory.

    Raises:
        LockedError: another process serves the folder.
        StorageError: the folder or the database cannot be used.
    """

    def __init__(self, path: Path, options: Options | None = None) -> None:
        self.options = options or Options()
        self.folder = Folder(path)
        self.token = self.folder.token()
        self.started_at = now()
        self.id = str(uuid4())
        self.generations = Generations(path)
        self.store = Store(self.generations.active)
        self.memory = Memory(self.store)
        self.settings = Settings(self.store, self.options.settings, single=self.memory.single)
        self.holdings = Holdings(self.generations, self.store, self.memory, self.settings)
        self.access = Access(self.store)
        self.cells = Cells(self.store, self.options.cell_seconds)
        self.leases = Leases()
        self.instruments = Instruments(self)
        self.consolidation = Consolidation(self.memory)
        self.restarts = False  # the server is to end, and to start again under a supervisor
        self._cycle_lock = threading.Lock()
        self._stop = threading.Event()
        if DEFAULT_SPACE not in self.memory.spaces:
            self.memory.create_space(DEFAULT_SPACE).result()
        for name in self.memory.spaces:
            self.instruments.space(name)

    def graph(self, space: str, named: str = "") -> tuple[str, Graph]:
        """The group of the space, or the one that a proxy named, and the memory that answers for it."""
        tuning = self.settings.tuning
        group = tuning.group(space, named)
        weight, size = tuning.semantic_weight, tuning.concept_cache_size
        if group == "control":
            return group, MemoryGraph(self.memory, semantic_weight=weight, cache_size=size)
        blended = tuning.use_blended_recall
        return group, DualMemoryGraph(self.memory, blended=blended, semantic_weight=weight, cache_size=size)

    async def create_space(self, name: str) -> int:
        """Make the space, or find it; when it was created (microseconds since 1970)."""
        created_at = await asyncio.wrap_future(self.memory.create_space(name))
        self.instruments.space(name)
        return created_at

    def recall(self, space: str, cue: Cue, named: str = "") -> Answer:
        """What comes to mind, and who answered; nothing is counted yet. `named` is the group that a proxy says.

        Raises:
            KeyError: there is no such space.
        """
        started = perf_counter()
        group, graph = self.graph(space, named)
        return Answer(group, graph.recall(space, cue), perf_counter() - started)

    def recall_failed(self, space: str, group: str) -> None:
        """Count a recall of the group that was answered with an error."""
        self.instruments.recalls.labels(group, space).inc()
        self.instruments.recall_errors.labels(group, space).inc()
        self.cells.failed(space, group)

    def recall_answered(self, space: str, answer: Answer, seconds: float) -> None:
        """Count a recall, which took so long altogether, and note what came to mind."""
        counted, group, recalled = self.instruments, answer.group, answer.recalled
        counted.recalls.labels(group, space).inc()
        counted.recall_seconds.labels(group).observe(seconds)
        if recalled.confidence is not None:
            counted.confidence.labels(group).observe(recalled.confidence)
        if recalled.semantic_share is not None:
            counted.semantic_share.observe(recalled.semantic_share)
        for fan in recalled.fans:
            counted.fan_out.observe(fan)
        self.cells.recalled(space, group, seconds, recalled.confidence)
        ids = [result.episode.id for result in recalled.results]
        self.access.recalled(space, ids, recalled.concepts, recalled.bindings)

    def consolidate(self) -> Cycle:
        """Run one cycle now, in this thread, and count it.

        Raises:
            StorageError: the disk refused.
            FrozenError: nothing may be written now.
        """
        with self._cycle_lock:
            self.memory.gate.check()
            try:
                cycle = self.consolidation.cycle(self.settings.tuning)
            except BaseException:
                self.instruments.cycles.labels("failure").inc()
                raise
        self.instruments.cycles.labels("success").inc()
        self.instruments.consolidation.observe(cycle.seconds)
        for formed in cycle.formed:
            self.instruments.formed.labels(formed.space).inc()
            self.instruments.coherence.observe(formed.concept.coherence)
        return cycle

    async def freeze(self, ttl_seconds: float) -> int:
        """Write nothing for so long; the sequence number of the last change before. Asked again, it lasts longer.

        What recall leaves behind waits meanwhile, so that the sequence stands still.
        """
        standing = self.memory.gate.seconds > 0
        if not standing:
            self.access.flush()
        self.memory.gate.shut(ttl_seconds)
        return await asyncio.to_thread(self._drained)

    def _drained(self) -> int:
        with self._cycle_lock:  # a cycle that began before has ended
            return self.store.alone(lambda: self.store.sequence).result()

    def activate(self, generation: str, if_sequence: int) -> int:
        """Serve another generation, in one step; the sequence number from which it goes on.

        Raises:
            GenerationError, SequenceError: there is none of that name that could be; or something was written since.
            StorageError: the disk refused, and the old one is served.
        """
        with self._cycle_lock:
            sequence = self.holdings.activate(generation, if_sequence)
        for name in list(self.memory.spaces):
            self.instruments.space(name)
        return sequence

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Background work goes on while the context lasts; at the end everything is written and closed."""
        thread = threading.Thread(target=self._consolidate_always, name="consolidation", daemon=True)
        thread.start()
        flusher = asyncio.create_task(self._flush_always())
        try:
            yield
        finally:
            self._stop.set()
            flusher.cancel()
            await asyncio.to_thread(thread.join)
            self.close()

    def close(self) -> None:
        """Write what waits, and let go of the folder."""
        self.access.flush()
        self.cells.flush()
        self.store.close()
        self.folder.close()

    def _consolidate_always(self) -> None:
        while not self._stop.wait(0.01 if self._behind() else self.options.consolidation_seconds):
            if self.memory.gate.seconds:
                continue
            try:
                self.consolidate()
            except StorageError as error:
                logging.getLogger(__name__).warning("consolidation failed: %s", error)
            except Exception:
                logging.getLogger(__name__).exception("consolidation failed")  # the next cycle may do better

    def _behind(self) -> bool:
        return self.settings.tuning.forms_concepts and self.consolidation.backlog()

    async def _flush_always(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            if not self.memory.gate.seconds:
                self.access.flush()
            self.cells.flush()
            with self.memory.lock:
                self.memory.cache.shrink(self.settings.tuning.concept_cache_size)

    # What metrics measure at the moment of a scrape.

    def sizes(self) -> dict[str, dict[str, int]]:
        """Per space: episodes, concepts, bindings, orphans, pending."""
        with self.memory.lock:
            return {
                name: {
                    "episodes": len(space.episodes),
                    "concepts": len(space.concepts),
                    "bindings": space.binding_count,
                    "orphans": len(space.orphans),
                    "pending": len(space.pending),
                }
                for name, space in self.memory.spaces.items()
            }

    def resident_bytes(self) -> dict[str, int]:
        """Measured bytes by component."""
        with self.memory.lock:
            parts = [space.resident_bytes() for space in self.memory.spaces.values()]
            total = {
                name: sum(part[name] for part in parts) for name in ("vectors", "episodes", "concepts", "bindings")
            }
            return {**total, "cache": self.memory.cache.resident_bytes}

    def entries(self) -> dict[str, int]:
        """How many things each component holds: rows, episodes, concepts, bindings, cached concepts."""
        with self.memory.lock:
            spaces = self.memory.spaces.values()
            return {
                "vectors": sum(len(space.vectors) - len(space.held) for space in spaces),
                "episodes": sum(len(space.episodes) for space in spaces),
                "concepts": sum(len(space.concepts) for space in spaces),
                "bindings": sum(space.binding_count for space in spaces),
                "cache": len(self.memory.cache),
            }

    def cached(self) -> tuple[int, int]:
        """Entries and bytes of the concept cache."""
        with self.memory.lock:
            return len(self.memory.cache), self.memory.cache.resident_bytes

    def oom_kills(self) -> int | None:
        """How often the node was killed for want of memory: by the kernel, by its supervisor; None where not told."""
        told = [kills for kills in (process.oom_kills(), supervisor.kills_of(self.folder.path)) if kills is not None]
        return sum(told) if told else None

    def memory_limit_bytes(self) -> int | None:
        """What the node may use at most; None where nobody tells."""
        limits = (process.memory_limit_bytes(), supervisor.limit_of(self.folder.path))
        return min((limit for limit in limits if limit is not None), default=None)

    def values(self, kind: Kind) -> dict[str, Value]:
        """The settings that the node runs with."""
        return self.settings.of(kind)
