"""The `Converter` over files: reads the sources strictly, runs the units, puts the archives together.

In the folder of a job lie `job.json`, which says of which job it is, the files of the units while they are needed,
and at last `data.json`, perhaps `residue.json`, and `converted.json`, which says that they are whole.
"""

import re
from contextlib import suppress
from pathlib import Path

from runbook import material
from runbook.adapters.archives.conversion.carrying import Carrying, Progress
from runbook.adapters.archives.conversion.opening import Opened, opened
from runbook.adapters.archives.conversion.ranges import Cut
from runbook.adapters.archives.conversion.record import claim, converted, seal_converted
from runbook.adapters.archives.conversion.strictly import Wanted
from runbook.adapters.archives.exports import opened_export
from runbook.adapters.files import private_folder
from runbook.errors import DamagedError, NotSupportedError, RefusedError, StorageError
from runbook.model.conversion import Converted, Job, Surveyed
from runbook.model.migration import Migration

_OURS = re.compile(r"\.?(\d\d-\d{6,}\..*|[a-z]+\.keys|[a-z]+\.spool|[a-z]+\.json\..*\.draft)")
_USUAL = Cut()


class FileConverter:
    """Runs migrations over archive files, each job in a folder of its own; `cut` is for tests that want small units."""

    def __init__(self, cut: Cut = _USUAL) -> None:
        self._cut = cut
        self._read: dict[Job, Carrying] = {}

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

    def _conversion(self, job: Job) -> Carrying:
        if job not in self._read:
            private_folder(job.work)
            migration = _migration(job.migration)
            self._read = {job: Carrying(job, migration, self._cut, *_sources(job, migration, self._cut))}
        return self._read[job]


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
