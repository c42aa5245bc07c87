"""The `Converter` over files: reads the sources strictly, runs the units, puts the archives together.

In the folder of a job lie `job.json`, which says of which job it is, the files of the units while they are needed,
and at last `data.json`, perhaps `residue.json`, and `converted.json`, which says that they are whole.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from runbook import material
from runbook.adapters.archives.conversion.assembly import assemble
from runbook.adapters.archives.conversion.keys import write_keys
from runbook.adapters.archives.conversion.opening import Opened, opened
from runbook.adapters.archives.conversion.pool import in_turn
from runbook.adapters.archives.conversion.ranges import Cut, Division, units_of
from runbook.adapters.archives.conversion.record import claim, converted, seal_converted
from runbook.adapters.archives.conversion.running import Outcome, Running
from runbook.adapters.archives.conversion.sources import Ranged, Span
from runbook.adapters.archives.conversion.strictly import Wanted
from runbook.adapters.archives.conversion.unit import EXAMPLES, Drops, Finished, Unit
from runbook.adapters.archives.conversion.unit import GONE as NOTED
from runbook.adapters.archives.exports import opened_export
from runbook.adapters.files import open_regular, private_folder, storage
from runbook.archive.layout import Header
from runbook.archive.regions import Scanned, prefix
from runbook.errors import DamagedError, NotSupportedError, RefusedError, StorageError
from runbook.model.conversion import Converted, Dropped, Job, Part, Residue, Surveyed
from runbook.model.migration import Key, Migration, Place, key_of

DATA = "data.json"
RESIDUE = "residue.json"
GONE = "gone.keys"
TOUCHED = "touched.keys"

_OURS = re.compile(r"\.?(\d\d-\d{6,}\..*|[a-z]+\.keys|[a-z]+\.spool|[a-z]+\.json\..*\.draft)")
_MOST_UNITS = 4096
"""Of one phase, about: larger archives have larger units, so that what is known of them stays small."""
_USUAL = Cut()

Progress = Callable[[int, int], None]


class FileConverter:
    """Runs migrations over archive files, each job in a folder of its own; `cut` is for tests that want small units."""

    def __init__(self, cut: Cut = _USUAL) -> None:
        self._cut = cut
        self._read: dict[Job, _Conversion] = {}

    def survey(self, job: Job) -> Surveyed:
        """Read the sources strictly; see the port."""
        return self._conversion(job).surveyed()

    def convert(self, job: Job, progress: Progress) -> Converted:
        """Carry out the job; see the port."""
        conversion = self._conversion(job)
        name = claim(job, conversion.division.data, conversion.division.residue, self._cut)
        done = converted(job.work, name)
        if done is None or not _is_whole(done):
            done = conversion.run(name, progress)
            seal_converted(job.work, name, done)
        self._read.clear()
        _tidy(job.work)
        return done

    def _conversion(self, job: Job) -> "_Conversion":
        if job not in self._read:
            private_folder(job.work)
            migration = _migration(job.migration)
            self._read = {job: _Conversion(job, migration, self._cut, *_sources(job, migration, self._cut))}
        return self._read[job]


@dataclass(frozen=True, slots=True)
class _Conversion:
    job: Job
    migration: Migration
    cut: Cut
    source: Opened
    residue: Opened | None

    @property
    def division(self) -> Division:
        left = None if self.residue is None else self.residue.scanned
        size = self.source.scanned.bytes + (0 if left is None else left.bytes)
        return Division(self.source.scanned, left, max(self.cut.unit_bytes, size // _MOST_UNITS))

    def surveyed(self) -> Surveyed:
        found = self.source.scanned
        header = found.header
        units = sum(len(units_of(number, phase, self.division)) for number, phase in enumerate(self.migration.phases))
        about = (header.kind, header.node, header.snapshot, header.created_at, header.since)
        return Surveyed(*about, found.sha256, found.bytes, found.counts, _surveyed(self.residue), units)

    def run(self, name: str, progress: Progress) -> Converted:
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


def _migration(name: str) -> Migration:
    found = next((each for each in material.migrations() if each.name == name), None)
    if found is None:
        known = ", ".join(each.name for each in material.migrations())
        raise NotSupportedError(f"there is no migration {name!r}", hint=f"one of: {known}")
    return found


def _sources(job: Job, migration: Migration, cut: Cut) -> tuple[Opened, Opened | None]:
    wanted = Wanted(job.workers, cut.region_bytes)
    source = opened(job.source, "source", job.work, wanted)
    kind = source.scanned.header.kind
    if kind != migration.source:
        raise RefusedError(f"{job.source} is {kind}; {migration.name} converts {migration.source}")
    if job.residue is None:
        return source, None
    residue = opened(job.residue, "residue", job.work, wanted)
    if residue.scanned.header.kind != "residue":
        raise RefusedError(f"{job.residue} is {residue.scanned.header.kind}, not residue")
    ours, theirs = source.scanned.header.node, residue.scanned.header.node
    if ours != theirs:
        raise DamagedError(
            f"{job.residue} is residue of the node {theirs}, {job.source} is data of the node {ours}",
            hint="give the residue of this very conversion",
        )
    return source, residue


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


def _is_whole(done: Converted) -> bool:
    """Are the archives of an earlier try still what they were?"""
    for part in (done.data, done.residue):
        try:
            if part is not None:
                with opened_export(part.path) as reader:
                    if reader.read().sha256 != part.sha256:
                        return False
        except (DamagedError, StorageError, FileNotFoundError):
            return False
    return True


def _tidy(work: Path) -> None:
    """Remove what only a try that goes on would need."""
    with suppress(OSError):
        for path in work.iterdir():
            if _OURS.fullmatch(path.name):
                path.unlink()
