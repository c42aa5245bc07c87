"""A node in this process, and everything that a migration of it needs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded_data import EmbeddedData, WholeConverter
from fleet_in_memory import CrashError, SilentTalk, Tripwire, Wired
from whole_data import SPACE, read

from runbook.adapters.archives.bench import FileBench
from runbook.adapters.archives.kept import KeptArchives
from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.journal import MemoryJournal
from runbook.adapters.memory.locks import MemoryLocks
from runbook.adapters.memory.nodes import MemoryNodes
from runbook.engine.migrate.preflight import from_backup, from_itself, look
from runbook.engine.migrate.record import migrations_of
from runbook.engine.migrate.work import Context, MigrationPorts
from runbook.material import migration
from runbook.model.migration import Concepts, Record
from runbook.model.migration_run import DUAL, SINGLE, MigrationPlan, MigrationRun
from runbook.model.run import RunStatus
from runbook.model.settings import Value
from runbook.model.target import Node, Target
from runbook.sandbox.embedding import embed
from runbook.sandbox.engine import Engine, Options
from runbook.sandbox.exporting import Export
from runbook.sandbox.graph import Cue
from runbook.sandbox.records import Episode

EAGER: dict[str, Value] = {
    "dual_memory.enabled": True,
    "dual_memory.enable_concepts": True,
    "dual_memory.concept_sample_rate": 1.0,
    "dual_memory.coherence_threshold": 0.2,
    "dual_memory.min_cluster_size": 2,
}
RUN = "20261122T210000-aaaa"
TOPICS = ("heron", "river", "ledger", "anvil", "comet", "violin")


class Killed(Tripwire):
    """After `kill -9` nothing is called any more: no `finally` of ours can do anything."""

    dead = False

    def passed(self, name: str) -> None:
        """One more call was made."""
        try:
            super().passed(name)
        except CrashError:
            self.dead = True
            raise


class Mortal(Wired):
    """A port that is not there any more once the process is dead."""

    def __getattr__(self, attribute: str) -> Any:
        if self._wire.dead:
            raise CrashError
        return super().__getattr__(attribute)


class QuietTalk(SilentTalk):
    """What was said can be looked at."""

    def moved(self, label: str, done: int, total: int | None) -> None:
        """Nothing to show."""


@dataclass
class Scene:
    """One node and the files around it; `wire` can cut everything off after any call of any port."""

    folder: Path
    engine: Engine
    wire: Killed = field(default_factory=Killed)
    talk: QuietTalk = field(default_factory=QuietTalk)
    clock: MemoryClock = field(default_factory=MemoryClock)

    def __post_init__(self) -> None:
        self.journal = MemoryJournal(self.clock)
        self.data = EmbeddedData(self.engine)
        self.locks = MemoryLocks()
        self.nodes = MemoryNodes({"n1": {}})
        self.converter = WholeConverter()
        ports = MigrationPorts(
            nodes=self._wired(self.nodes, "nodes"),
            data=lambda _: self._wired(self.data, "data"),
            archives=self._wired(KeptArchives(), "archives"),
            bench=self._wired(FileBench(), "bench"),
            converter=self._wired(self.converter, "converter"),
            journal=self._wired(self.journal, "journal"),
            locks=self._wired(self.locks, "locks"),
            clock=self.clock,
            talk=self.talk,
        )
        target = Target("test", "test", Path("hosts"), (Node("n1", "http://127.0.0.1:9"),))
        self.context = Context(ports, target, "ann@here")

    def _wired(self, port: Any, name: str) -> Any:
        return Mortal(port, name, self.wire)

    def remember(self, id_: str, content: str) -> None:
        """Durably."""
        episode = Episode(SPACE, id_, content, 1, embed(content).tobytes(), 1)
        assert self.engine.memory.remember([episode]).result() == [True]

    def forget(self, *ids: str) -> None:
        """Durably."""
        assert set(self.engine.memory.forget(SPACE, list(ids)).result()) == set(ids)

    def export(self, kind: str = DUAL, since: int | None = None, generation: str | None = None) -> bytes:
        """The archive of what is served, or of another generation."""
        return b"".join(Export(self.engine.holdings.origin(generation), kind, since))

    def digest(self, kind: str = DUAL) -> str:
        """Of the content that is served."""
        return str(read(self.export(kind))[0].digest)

    def records(self) -> list[Record]:
        """All that is served."""
        return read(self.export(self.data.holdings().active.kind))[1]

    def ids(self) -> set[str]:
        """Of every text that is served."""
        return {each["id"] for each in self.records() if each["type"] in {"episode", "memory"}}

    def recall(self, text: str) -> None:
        """As a client does, which leaves its traces."""
        answer = self.engine.recall(SPACE, Cue(embed(text), 3))
        self.engine.recall_answered(SPACE, answer, 0.0)
        self.engine.access.flush()

    def plan(self, to: str = SINGLE, *, concepts: Concepts = Concepts.DROP, run: str = RUN) -> MigrationPlan:
        """From a fresh backup, or from the node itself."""
        source = DUAL if to == SINGLE else SINGLE
        holdings = look(self.context, "n1", source, to)
        if to == SINGLE:
            backup = self.folder / "backup.json"
            backup.write_bytes(self.export())
            ready = from_backup("n1", backup, KeptArchives().read(backup), holdings)
        else:
            ready = from_itself("n1", self.folder / f"{run}.json", holdings)
        work = str(self.folder / "work" / run)
        name = migration(to).name
        return MigrationPlan(
            run, f"migrate --to {to}", "test", name, source, to, (ready.plan,), work, "0", concepts, reason="test"
        )

    def run(self, run: str = RUN) -> MigrationRun:
        """As the journal tells it."""
        return migrations_of(self.journal.entries())[run]

    def begun(self, run: str) -> bool:
        """Does the journal know it?"""
        return run in migrations_of(self.journal.entries())

    def ended(self, run: str) -> bool:
        """Is it done?"""
        return self.begun(run) and self.run(run).status is RunStatus.DONE

    def states(self) -> dict[str, str]:
        """Of every generation."""
        return {each.id: each.state.value for each in self.data.holdings().generations}


def given(folder: Path) -> Engine:
    """A node with 24 texts, settled."""
    engine = Engine(folder, Options(settings=EAGER))
    engine.memory.create_space(SPACE).result()
    scene_texts = [(f"{topic}{number}", f"The {topic} number {number}") for topic in TOPICS for number in range(4)]
    episodes = [Episode(SPACE, id_, text, 1, embed(text).tobytes(), 1, where="here") for id_, text in scene_texts]
    engine.memory.remember(episodes).result()
    for _ in range(3):
        engine.consolidate()
    return engine
