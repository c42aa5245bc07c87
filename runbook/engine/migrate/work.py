"""What one node's part of a migration is given, and how it keeps record: the intent first, then the deed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from runbook.archive.layout import Summary
from runbook.archive.reader import ArchiveReader
from runbook.engine.migrate.record import stepped
from runbook.errors import DamagedError, LockedError, StepFailedError
from runbook.model.journal import Event
from runbook.model.migration_run import MigrationPlan, NodeProgress, Step
from runbook.model.target import Target
from runbook.ports import Archives, Bench, Clock, Converter, DataNode, Journal, Locks, Nodes, Telling

FREEZE = timedelta(seconds=30)
"""How long the node refuses writes if whoever asked for it dies; asked again before each step while it lasts."""
T = TypeVar("T")
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class MigrationPorts:
    """The world of a migration. `data` opens the node of that name, of the target."""

    nodes: Nodes
    data: Callable[[str], DataNode]
    archives: Archives
    bench: Bench
    converter: Converter
    journal: Journal
    locks: Locks
    clock: Clock
    talk: Telling


@dataclass(frozen=True, slots=True)
class Context:
    """Whose nodes, on whose behalf."""

    ports: MigrationPorts
    target: Target
    who: str


class Work:
    """One node's part. `progress` is always what the journal says: what is noted is folded in as a resume would."""

    def __init__(self, context: Context, plan: MigrationPlan, progress: NodeProgress, lost: Callable[[], str]) -> None:
        self.ports = context.ports
        self.plan = plan
        self.progress = progress
        self.name = progress.plan.node
        self.node = context.ports.data(self.name)
        self.folder = Path(plan.work) / self.name
        self._lost = lost

    def intend(self, step: Step, **facts: Any) -> None:
        """Journal what is about to be done.

        Raises:
            LockedError: another run has the node's lease by now.
            StorageError: it could not be journaled; nothing may be done.
        """
        if told := self._lost():
            raise LockedError(told, hint="the other run has to end first")
        self._note({"step": step.value, "done": False, **facts})

    def did(self, step: Step, **facts: Any) -> None:
        """Journal what was done."""
        self._note({"step": step.value, "done": True, **facts})

    def failed(self, step: Step, problem: str) -> None:
        """Journal that it went wrong."""
        self._note({"step": step.value, "done": False, "problem": problem})

    def say(self, text: str) -> None:
        """One line for the person, with the node's name."""
        self.ports.talk.say(f"{self.name}: {text}")

    def progressing(self, label: str) -> Callable[[int, int], None]:
        """What a conversion tells how far it is."""
        return lambda done, total: self.ports.talk.moved(f"{self.name}: {label}", done, total)

    def told(self, label: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks; how many records have passed is told. A record is a line, but for the few around them."""
        passed, total = 0, self.progress.records
        tell = self.progressing(label)
        for chunk in chunks:
            passed += chunk.count(b"\n")
            tell(min(passed, total), total)
            yield chunk

    def paced(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks, no faster than the plan allows."""
        rate = self.plan.max_rate
        if not rate:
            yield from chunks
            return
        clock = self.ports.clock
        began, passed = clock.monotonic(), 0
        for chunk in chunks:
            for start in range(0, len(chunk), _PIECE):
                piece = chunk[start : start + _PIECE]
                passed += piece.count(b"\n")
                clock.sleep(max(began + passed / rate - clock.monotonic(), 0.0))
                yield piece

    def prove(self, kind: str, generation: str, since: int | None = None) -> Summary:
        """What the node holds in a generation that is not served, read strictly to its end and kept nowhere.

        Raises:
            StepFailedError: it is no whole archive.
        """
        return self.looked_at(kind, generation, since, ArchiveReader.read)

    def looked_at(self, kind: str, generation: str, since: int | None, look: Callable[[ArchiveReader], T]) -> T:
        """What `look` makes of that; raises as `prove`."""
        name = f"{self.name}, generation {generation}"
        try:
            with self.node.export(kind, since=since, generation=generation) as chunks:
                told = chunks if since is not None else self.told("reading back", chunks)
                return look(self.ports.bench.reading(told, name))
        except DamagedError as error:
            raise StepFailedError(f"the node gave back something damaged: {error.message}") from error

    def _note(self, details: dict[str, Any]) -> None:
        details = {"node": self.name, **details}
        self.ports.journal.append(Event.MIGRATION_STEP, self.plan.id, details)
        self.progress = stepped(self.progress, details)


def sequence_of(summary: Summary) -> int:
    """The sequence number at which the archive's snapshot was taken."""
    return int(summary.header.snapshot.rpartition(":")[2])


def generation_of(summary: Summary) -> str:
    """The generation that it was taken of."""
    return summary.header.snapshot.rpartition(":")[0]
