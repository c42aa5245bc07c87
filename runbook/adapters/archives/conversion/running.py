"""One unit, carried out: in whichever process it falls to."""

from dataclasses import dataclass
from pathlib import Path

from runbook.adapters.archives.conversion.keys import KeyFile
from runbook.adapters.archives.conversion.outputs import UnitWriter
from runbook.adapters.archives.conversion.sources import Ranged, UnitSources
from runbook.adapters.archives.conversion.unit import Finished, Unit, kept, seal_unit
from runbook.adapters.files import storage
from runbook.model.migration import Concepts, Key, Migration


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a unit left, and whether an earlier try had left it already."""

    finished: Finished
    reused: bool


@dataclass(frozen=True, slots=True)
class Running:
    """All that a unit needs. `gone`: keys that earlier phases noted; `touched`: those that changes touch."""

    work: Path
    job: str
    migration: Migration
    concepts: Concepts
    data: Ranged
    residue: Ranged | None
    since: bool
    gone: Path | None = None
    touched: Path | None = None

    def run(self, unit: Unit) -> Outcome:
        """Carry it out, unless it is there.

        Raises:
            DamagedError: the source changed, or the records are not what they must be.
            RefusedError: the migration refuses them.
            StorageError: the disk refused.
        """
        with storage(self.work, "write into"):
            found = kept(self.work, unit, self.job)
            if found is not None:
                return Outcome(found, reused=True)
            finished = self._converted(unit)
            seal_unit(self.work, unit, self.job, finished)
        return Outcome(finished, reused=False)

    def _converted(self, unit: Unit) -> Finished:
        writer = UnitWriter(self.work, unit, self.migration, since=self.since)
        gone = None if self.gone is None else KeyFile(self.gone)
        touched = None if self.touched is None else KeyFile(self.touched)
        sources = UnitSources(self.data, self.residue, unit.span, touched)
        phase = self.migration.phases[unit.phase]
        try:
            writer.take(phase.run(sources, self.concepts, _Noted(writer, gone)))
            return writer.finish()
        finally:
            for index in (gone, touched):
                if index is not None:
                    index.close()


@dataclass(frozen=True, slots=True)
class _Noted:
    """`Index`: what is added goes to the unit's own file, what is asked for is looked up in those of earlier phases."""

    writer: UnitWriter
    gone: KeyFile | None

    def add(self, type_: str, key: Key) -> None:
        self.writer.add(type_, key)

    def holds(self, type_: str, key: Key) -> bool:
        return self.gone is not None and self.gone.holds(type_, key)
