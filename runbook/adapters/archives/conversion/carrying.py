"""A job under way: its units phase by phase, and then its archives."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from runbook.adapters.archives.conversion.assembly import assemble
from runbook.adapters.archives.conversion.keys import write_keys
from runbook.adapters.archives.conversion.opening import Opened
from runbook.adapters.archives.conversion.pool import in_turn
from runbook.adapters.archives.conversion.ranges import Cut, Division, units_of
from runbook.adapters.archives.conversion.running import Outcome, Running
from runbook.adapters.archives.conversion.sources import Ranged, Span
from runbook.adapters.archives.conversion.unit import EXAMPLES, Drops, Finished, Unit
from runbook.adapters.archives.conversion.unit import GONE as NOTED
from runbook.adapters.files import open_regular, storage
from runbook.archive.layout import Header
from runbook.archive.regions import Scanned, prefix
from runbook.model.conversion import Converted, Dropped, Job, Part, Residue, Surveyed
from runbook.model.migration import Key, Migration, Place, key_of

DATA = "data.json"
RESIDUE = "residue.json"
GONE = "gone.keys"
TOUCHED = "touched.keys"
_MOST_UNITS = 4096
"""Of one phase, about: larger archives have larger units, so that what is known of them stays small."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Carrying:
    """A job whose sources were read, and its migration."""

    job: Job
    migration: Migration
    cut: Cut
    source: Opened
    residue: Opened | None

    @property
    def division(self) -> Division:
        """What is divided into units."""
        left = None if self.residue is None else self.residue.scanned
        size = self.source.scanned.bytes + (0 if left is None else left.bytes)
        return Division(self.source.scanned, left, max(self.cut.unit_bytes, size // _MOST_UNITS))

    def surveyed(self) -> Surveyed:
        """What would be converted."""
        found = self.source.scanned
        header = found.header
        units = sum(len(units_of(number, phase, self.division)) for number, phase in enumerate(self.migration.phases))
        about = (header.kind, header.node, header.snapshot, header.created_at, header.since)
        return Surveyed(*about, found.sha256, found.bytes, found.counts, _surveyed(self.residue), units)

    def run(self, name: str, progress: Progress) -> Converted:
        """Convert, under that name of the job; what is there of it already is used again."""
        found: list[tuple[Unit, Outcome]] = []
        running = self._running(name)
        phases = [units_of(number, phase, self.division) for number, phase in enumerate(self.migration.phases)]
        total = sum(unit.records for units in phases for unit in units)
        records = sum(self.source.scanned.counts.values())
        done = 0
        for units in phases:
            of_phase: list[tuple[Unit, Outcome]] = []
            for unit, outcome in in_turn(units, running.run, self.job.workers):
                of_phase.append((unit, outcome))
                done += unit.records
                progress(done * records // max(total, 1), records)
            found += sorted(of_phase, key=lambda each: each[0].number)
            running = self._noted(running, found)
        return self._assembled(found)

    def _running(self, name: str) -> Running:
        work = self.job.work
        data = Ranged(self.source.path, self.source.scanned)
        residue = None if self.residue is None else Ranged(self.residue.path, self.residue.scanned)
        touched = None
        if residue is not None and self.source.scanned.header.since is not None:
            touched = work / TOUCHED
            write_keys(touched, _touched(data, self.source.scanned))
        since = self.source.scanned.header.since is not None
        return Running(work, name, self.migration, self.job.concepts, data, residue, since, touched=touched)

    def _noted(self, running: Running, found: Sequence[tuple[Unit, Outcome]]) -> Running:
        """The same, with what was noted so far to be looked up."""
        noted = [unit for unit, outcome in found if outcome.finished.gone_sha256]
        if not noted:
            return running
        gone = self.job.work / GONE
        write_keys(gone, _gone(self.job.work, noted))
        return replace(running, gone=gone)

    def _assembled(self, found: Sequence[tuple[Unit, Outcome]]) -> Converted:
        left = [(unit, outcome.finished) for unit, outcome in found]
        header = replace(self.source.scanned.header, kind=self.migration.target)
        data = assemble(self.job.work / DATA, header, left, Place.DATA, self.job.workers)
        residue = self._residue(replace(header, kind="residue"), left)
        reused = sum(outcome.reused for _, outcome in found)
        return Converted(data, residue, _dropped(each for _, done in left for each in done.drops), len(found), reused)

    def _residue(self, header: Header, left: Sequence[tuple[Unit, Finished]]) -> Part | None:
        if not any(field.kept == "residue" for field in self.migration.fields):
            return None
        return assemble(self.job.work / RESIDUE, header, left, Place.RESIDUE, self.job.workers)


def _surveyed(residue: Opened | None) -> Residue | None:
    if residue is None:
        return None
    found = residue.scanned
    concepts = Ranged(residue.path, found).records("concept", Span())
    memories = sum(record["fingerprint"] is not None for record in concepts)
    return Residue(found.sha256, found.bytes, found.counts, memories)


def _touched(data: Ranged, scanned: Scanned) -> Iterator[tuple[str, Key]]:
    for type_ in scanned.counts:
        for record in data.records(type_, Span()):
            yield "", prefix(type_, key_of(record))


def _gone(work: Path, units: Sequence[Unit]) -> Iterator[tuple[str, Key]]:
    for unit in units:
        path = work / f"{unit.name}.{NOTED}"
        with storage(path, "read"), os.fdopen(open_regular(path), "rb") as stream:
            for line in stream:
                type_, *key = line[:-1].decode().split("\t")
                yield type_, tuple(key)


def _dropped(drops: Iterator[Drops]) -> tuple[Dropped, ...]:
    found: dict[tuple[str, str], Dropped] = {}
    for each in drops:
        before = found.get((each.record, each.why), Dropped(each.record, each.why, 0, ()))
        examples = (*before.examples, *each.examples)[:EXAMPLES]
        found[each.record, each.why] = Dropped(each.record, each.why, before.count + each.count, examples)
    return tuple(found[about] for about in sorted(found))
