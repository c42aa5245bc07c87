"""The first half, with writes flowing: the source, its conversion, a staging generation, and the proof of it."""

from pathlib import Path

from runbook.archive.layout import Summary
from runbook.engine.migrate.work import Work, generation_of, sequence_of
from runbook.errors import DamagedError, RefusedError, StepFailedError
from runbook.model.conversion import Converted, Job, Part
from runbook.model.generation import State
from runbook.model.migration_run import SINGLE, Step


def prepare(work: Work) -> None:
    """Everything up to a verified staging generation; what was done before is not done again.

    Raises:
        StepFailedError: what the node holds is not what was put into it.
        RefusedError, DamagedError: the source cannot be used.
    """
    if Step.VERIFY in work.progress.done:
        return
    _source(work)
    made = _convert(work)
    _fill(work, made)
    _verify(work, made)


def _source(work: Work) -> None:
    """The archive that is converted, as it was when the run began."""
    progress, plan = work.progress, work.progress.plan
    if plan.own and Step.BACKUP not in progress.done:
        _back_up(work)
        return
    summary = work.ports.archives.read(Path(plan.source))
    if summary.sha256 != progress.sha256:
        hint = f"runbook undo {work.plan.id}, then begin again with the file as it is now"
        raise RefusedError(f"{plan.source} is another one than when the migration began", hint=hint)


def _back_up(work: Work) -> None:
    plan = work.progress.plan
    work.ports.bench.prepare(Path(plan.source).parent)
    work.say(f"writing its data to {plan.source}")
    with work.node.export(work.plan.source_kind) as chunks:
        work.ports.archives.keep(chunks, Path(plan.source))
    summary = work.ports.archives.read(Path(plan.source))
    residue = ""
    if work.plan.source_kind == SINGLE:
        path = Path(plan.source).with_suffix(".residue.json")
        with work.node.export("residue") as chunks:
            kept = work.ports.archives.keep(chunks, path)
        residue = str(path) if any(kept.counts.values()) else ""
    if generation_of(summary) != plan.generation:
        raise RefusedError(f"{work.name} serves another generation than when the migration was planned")
    facts = {"path": plan.source, "sha256": summary.sha256, "sequence": sequence_of(summary), "residue": residue}
    work.did(Step.BACKUP, **facts, digest=str(summary.digest), counts=dict(summary.counts))


def _convert(work: Work) -> Converted:
    """The same bytes, however often it is asked for."""
    progress = work.progress
    job = Job(
        source=Path(progress.plan.source),
        migration=work.plan.migration,
        work=work.folder / "whole",
        residue=Path(progress.residue) if progress.residue else None,
        concepts=work.plan.concepts,
        workers=work.plan.workers,
    )
    made = work.ports.converter.convert(job, work.progressing("converting"))
    if progress.digest and progress.digest != made.data.digest:
        raise RefusedError("the conversion gives something else than it gave before", hint="was the tool changed?")
    if not progress.data:
        dropped = [{"record": each.record, "why": each.why, "count": each.count} for each in made.dropped]
        counts = dict(made.data.counts)
        facts = {"data": str(made.data.path), "digest": made.data.digest, "dropped": dropped}
        work.did(Step.CONVERT, **facts, counts=counts, records=sum(counts.values()))
    return made


def _fill(work: Work, made: Converted) -> None:
    if Step.FILL not in work.progress.done:
        _adopt(work, made.data)
    if Step.FILL not in work.progress.done:
        before = [each.id for each in work.node.holdings().generations]
        work.intend(Step.FILL, before=before)
        work.say("filling a staging generation; writes go on")
        with work.ports.archives.chunks(made.data.path) as chunks:
            taken = work.node.fill(work.told("filling", work.paced(chunks)))
        if taken.sha256 != made.data.sha256:
            raise StepFailedError(f"{work.name} took in another archive than was sent to it")
        work.did(Step.FILL, generation=taken.generation, counts=dict(taken.counts))
    if made.residue is not None and Step.RESIDUE not in work.progress.done:
        work.intend(Step.RESIDUE)
        with work.ports.archives.chunks(made.residue.path) as chunks:
            work.node.add(work.progress.staging, work.paced(chunks))
        work.did(Step.RESIDUE)


def _adopt(work: Work, data: Part) -> None:
    """A staging generation that this run filled before it was killed: known by its intent, and by what is in it."""
    staging = work.node.holdings().of(State.STAGING)
    if staging is None:
        return
    if Step.FILL in work.progress.intended and staging.id not in work.progress.before:
        found = work.prove(work.plan.target_kind, staging.id) if staging.kind == work.plan.target_kind else None
        if found is not None and str(found.digest) == data.digest:
            work.did(Step.FILL, generation=staging.id, counts=dict(found.counts))
            return
    raise RefusedError(
        f"{work.name} has a staging generation, {staging.id}, that is not this run's",
        hint="if nobody needs it: runbook import --drop; then go on",
    )


def _verify(work: Work, made: Converted) -> None:
    """Read back all of it, strictly: the same content as was converted, record for record."""
    work.say("reading the staging generation back")
    _check(work, "data", work.prove(work.plan.target_kind, work.progress.staging), made.data)
    if made.residue is not None:
        _check(work, "residue", work.prove("residue", work.progress.staging), made.residue)
    work.did(Step.VERIFY, digest=made.data.digest)


def _check(work: Work, what: str, found: Summary, made: Part) -> None:
    if not equal(found, made):
        raise StepFailedError(
            f"{work.name}: the {what} in the staging generation is not what was converted: "
            f"{_counted(found.counts)}, not {_counted(made.counts)}, or other content",
        )


def equal(found: Summary, made: Part) -> bool:
    """The same records, by content digest and counts; types of which there are none do not count."""
    return str(found.digest) == made.digest and _some(found.counts) == _some(made.counts)


def _some(counts: object) -> dict[str, int]:
    if not isinstance(counts, dict):
        raise DamagedError("counts are a mapping")
    return {name: count for name, count in counts.items() if count}


def _counted(counts: object) -> str:
    return ", ".join(f"{count} {name}" for name, count in _some(counts).items()) or "nothing"
