"""The port `DataNode` on a sandbox engine in this process: all of the node but its HTTP. And a converter in memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np
from whole_data import converted, read

from runbook.errors import RefusedError, StorageError
from runbook.model.conversion import Converted, Job, Part
from runbook.model.generation import Generation, Holdings, Remembered, State, Taken, WrittenSinceError
from runbook.model.migration import Concepts
from runbook.sandbox.engine import Engine
from runbook.sandbox.exporting import Export, FormatError
from runbook.sandbox.graph import Cue
from runbook.sandbox.holdings import SequenceError
from runbook.sandbox.importing import Imported


@dataclass
class EmbeddedData:
    """One node without a network; `before` is called with the name of each method before it does anything."""

    engine: Engine
    name: str = "n1"
    before: Callable[[str], None] = lambda _: None

    def holdings(self) -> Holdings:
        self.before("holdings")
        found = [
            Generation(each["id"], State(each["state"]), each["kind"], each["sequence"], each["counts"])
            for each in self.engine.holdings.listed()
        ]
        return Holdings(self.engine.holdings.node, tuple(found))

    @contextmanager
    def export(self, kind: str, *, since: int | None = None, generation: str = "") -> Iterator[Iterator[bytes]]:
        self.before("export")
        self.engine.access.flush()
        try:
            found = Export(self.engine.holdings.origin(generation or None), kind, since)
        except FormatError as error:
            raise RefusedError(error.message, hint=error.hint) from None
        try:
            yield iter(found)
        finally:
            found.close()

    def fill(self, chunks: Iterable[bytes]) -> Taken:
        self.before("fill")
        with _given(chunks) as given:
            return _taken(*self.engine.holdings.fill(given))

    def add(self, generation: str, chunks: Iterable[bytes]) -> Taken:
        self.before("add")
        with _given(chunks) as given:
            return _taken(generation, self.engine.holdings.add(generation, given))

    def activate(self, generation: str, if_sequence: int) -> int:
        self.before("activate")
        try:
            return self.engine.activate(generation, if_sequence)
        except SequenceError as error:
            raise WrittenSinceError(error.message, error.sequence) from None

    def drop(self, generation: str) -> None:
        self.before("drop")
        self.engine.holdings.drop(generation)

    def freeze(self, ttl: timedelta) -> int:
        self.before("freeze")
        self.engine.access.flush()
        self.engine.memory.gate.shut(ttl.total_seconds())
        return self.engine._drained()

    def unfreeze(self) -> None:
        self.before("unfreeze")
        self.engine.memory.gate.open()

    def recall(self, space: str, embedding: Sequence[float], count: int) -> tuple[Remembered, ...]:
        self.before("recall")
        vector = np.asarray(embedding, np.float32)
        length = float(np.linalg.norm(vector))
        cue = Cue(vector / length if length else vector, count, observe=False)
        found = self.engine.recall(space, cue).recalled.results
        return tuple(Remembered(each.episode.id, each.confidence) for each in found)


@contextmanager
def _given(chunks: Iterable[bytes]) -> Iterator[Iterator[bytes]]:
    """The chunks; an error of whoever gives them is told as it is, not as one of the node's disk."""
    failed: list[OSError] = []

    def passing() -> Iterator[bytes]:
        try:
            yield from chunks
        except OSError as error:
            failed.append(error)
            raise

    try:
        yield passing()
    except StorageError:
        if failed:
            raise failed[0] from None
        raise


def _taken(generation: str, imported: Imported) -> Taken:
    summary = imported.summary
    return Taken(generation, imported.kind, summary.header.kind, summary.counts, summary.sha256)


@dataclass
class WholeConverter:
    """The port `Converter`, all in memory; for archives that are small."""

    done: list[Job] = field(default_factory=list)

    def convert(self, job: Job, progress: Callable[[int, int], None]) -> Converted:
        self.done.append(job)
        progress(0, 1)
        target = "single_memory" if job.migration.startswith("m0001") else "dual_memory"
        residue = job.residue.read_bytes() if job.residue else None
        data, left = converted(job.source.read_bytes(), target, residue, keep=job.concepts is Concepts.KEEP)
        job.work.mkdir(parents=True, exist_ok=True)
        parts = _part(job.work / "data.json", data), _part(job.work / "residue.json", left)
        progress(1, 1)
        return Converted(parts[0], parts[1] if target == "single_memory" else None, (), 1, 0)


def _part(path: Path, archive: bytes) -> Part:
    path.write_bytes(archive)
    summary, _ = read(archive)
    return Part(path, summary.counts, str(summary.digest), summary.sha256)
