"""Of which job a folder is, and what came of it: in sealed documents."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from runbook import __version__, material
from runbook.adapters.archives.conversion.ranges import Cut
from runbook.adapters.archives.conversion.seals import seal, sealed
from runbook.archive.regions import Scanned
from runbook.model.conversion import AnotherJobError, Converted, Dropped, Job, Part

JOB = "job.json"
CONVERTED = "converted.json"
_WORDS = {
    "source": "the source",
    "residue": "the residue",
    "migration": "the migration",
    "migration_sha256": "the file of the migration",
    "concepts": "--concepts",
    "version": "the version of runbook",
    "cut": "the size of the units",
}


def claim(job: Job, data: Scanned, residue: Scanned | None, cut: Cut) -> str:
    """Take the job's folder for this job; the job's fingerprint, by which everything in the folder is known.

    Raises:
        AnotherJobError: it is of another job.
        StorageError: the disk refused.
    """
    work = job.work
    told = {
        "source": data.sha256,
        "residue": None if residue is None else residue.sha256,
        "migration": job.migration,
        "migration_sha256": sha256((material.folder("migrations") / f"{job.migration}.py").read_bytes()).hexdigest(),
        "concepts": job.concepts.value,
        "version": __version__,
        "cut": [cut.region_bytes, cut.unit_bytes],
    }
    found = sealed(work / JOB)
    if found is None:
        seal(work / JOB, told)
    elif found != told:
        other = ", ".join(_WORDS.get(name, name) for name in told if found.get(name) != told[name])
        remove = f"rm -r {shlex.quote(str(work.absolute()))}"
        raise AnotherJobError(
            f"{work} holds the beginning of another conversion: {other} changed since",
            hint=f"remove it: {remove}",
        )
    return sha256(orjson.dumps(told)).hexdigest()


def seal_converted(work: Path, job: str, found: Converted) -> None:
    """Write what came of the job."""
    document = asdict(found)
    for name in ("data", "residue"):
        if document[name]:
            document[name]["path"] = document[name]["path"].name
    seal(work / CONVERTED, {"job": job, **document})


def converted(work: Path, job: str) -> Converted | None:
    """What came of that very job, if it was finished; the files themselves are not read here."""
    found = sealed(work / CONVERTED)
    if found is None or found.pop("job") != job:
        return None
    parts = {name: _part(work, found[name]) for name in ("data", "residue")}
    if parts["data"] is None:
        return None
    drops = tuple(Dropped(**{**each, "examples": tuple(each["examples"])}) for each in found["dropped"])
    return Converted(parts["data"], parts["residue"], drops, found["units"], found["units"])


def _part(work: Path, document: Mapping[str, Any] | None) -> Part | None:
    return None if document is None else Part(**{**document, "path": work / document["path"]})
