"""The way back: to exactly what the node served before, with what was written since and without what was forgotten."""

from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from pathlib import Path

from runbook.engine.migrate.contents import TEXTS, prints, records, text_print
from runbook.engine.migrate.delta import Direction, after, carry, catch_up
from runbook.engine.migrate.switch import TRIES, frozen
from runbook.engine.migrate.work import FREEZE, Work
from runbook.errors import RefusedError, StepFailedError
from runbook.material import migration
from runbook.model.generation import Holdings, State, WrittenSinceError
from runbook.model.migration import Concepts
from runbook.model.migration_run import SINGLE, Step

EXAMPLES = 5


class OvertakenError(RefusedError):
    """Something else happened on the node since: what this run would go on from, or back to, is not there any more."""


class Stands(Enum):
    """Where a node stands, by its own word."""

    BEFORE = auto()  # it serves what it served before the migration
    SWITCHED = auto()  # it serves the new generation, and the old one is kept
    ELSEWHERE = auto()  # neither: something else happened since


@dataclass(frozen=True, slots=True)
class Since:
    """What happened since the switch: what goes along as new, and what stays forgotten; a few ids of each."""

    written: int = 0
    forgotten: int = 0
    examples: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def stands(work: Work, holdings: Holdings) -> Stands:
    """Where the node stands."""
    progress = work.progress
    if holdings.active.id == progress.plan.generation:
        return Stands.BEFORE
    kept = holdings.of(State.KEPT)
    old_is_kept = kept is not None and kept.id == progress.plan.generation
    return Stands.SWITCHED if old_is_kept and holdings.active.id == progress.staging else Stands.ELSEWHERE


def since_switch(work: Work) -> Since:
    """What a way back would carry, and what it would leave out; nothing is changed."""
    if stands(work, work.node.holdings()) is not Stands.SWITCHED:
        return Since()
    known = _known(work)
    written: list[str] = []
    gone: list[str] = []
    switched = work.progress.switched or 0
    with work.node.export(work.plan.target_kind, since=switched) as chunks:
        for each in records(work.ports.bench.reading(chunks, work.name)):
            if each["type"] in TEXTS and text_print(each) not in known:
                written.append(each["id"])
            elif each["type"] == "tombstone" and each["of"] in TEXTS:
                gone.append(each["id"])
    return Since(len(written), len(gone), *(tuple(islice(each, EXAMPLES)) for each in (written, gone)))


def back(work: Work) -> None:
    """Serve again what was served before; what a killed run left is let go of.

    Raises:
        RefusedError: the old generation is not there any more.
        StepFailedError: what was written since could not be carried.
    """
    if Step.FREEZE in work.progress.intended:
        work.node.unfreeze()
    match stands(work, work.node.holdings()):
        case Stands.BEFORE:
            _drop(work)
        case Stands.SWITCHED:
            _switch_back(work)
        case Stands.ELSEWHERE:
            if Step.ACTIVATE in work.progress.intended:
                raise overtaken(work)
            _drop(work)
    work.did(Step.BACK)


def overtaken(work: Work) -> OvertakenError:
    """What is said where the old generation is gone."""
    return OvertakenError(
        f"{work.name} does not keep the generation {work.progress.plan.generation} any more: "
        "it was finalized, or replaced by a later migration or restore",
        hint="what it held is in the backup: migrate the other way, or restore it",
    )


def _drop(work: Work) -> None:
    staging = work.node.holdings().of(State.STAGING)
    progress = work.progress
    if staging is None or Step.FILL not in progress.intended:
        return
    ours = staging.id == progress.staging or (not progress.staging and _is_what_was_sent(work, staging.id))
    if not ours:
        work.say(f"the staging generation {staging.id} is not this run's: it is left alone")
        return
    work.intend(Step.DROP, generation=staging.id)
    work.node.drop(staging.id)
    work.did(Step.DROP, generation=staging.id)


def _is_what_was_sent(work: Work, staging: str) -> bool:
    """Killed before the node's answer was journaled: it is known by what is in it."""
    if staging in work.progress.before:
        return False
    found = work.node.holdings().named(staging)
    if found is None or found.kind != work.plan.target_kind:
        return False
    return str(work.prove(work.plan.target_kind, staging).digest) == work.progress.digest


def _switch_back(work: Work) -> None:
    generation = work.progress.plan.generation
    direction = _direction(work)
    for _ in range(TRIES):
        direction = catch_up(work, direction)
        try:
            with frozen(work) as sequence:
                direction = after(direction, carry(work, direction))
                work.node.freeze(FREEZE)
                work.intend(Step.BACK_ACTIVATE, generation=generation, if_sequence=sequence)
                work.node.activate(generation, sequence)
                work.did(Step.BACK_ACTIVATE, generation=generation)
        except WrittenSinceError as error:
            work.say(f"{error.message}: catching up again")
        else:
            return
    raise StepFailedError(f"{work.name} was written to in each of {TRIES} freezes", hint="go back at a quieter time")


def _direction(work: Work) -> Direction:
    """From the new generation to the kept one; what that one knows already stays as it is there."""
    plan, progress = work.plan, work.progress
    keeps = plan.target_kind == SINGLE and plan.concepts is Concepts.KEEP
    residue = str(_residue(work)) if keeps else ""
    way = migration(plan.source_kind).name
    since = progress.back_carried or progress.switched or 0
    generation = progress.plan.generation
    return Direction(Step.BACK_DELTA, way, plan.target_kind, plan.source_kind, generation, since, residue, _known(work))


def _residue(work: Work) -> Path:
    """Which memories were concepts: it tells what a forgotten one was."""
    work.ports.bench.prepare(work.folder)
    path = work.folder / "back.residue.json"
    with work.node.export("residue") as chunks:
        work.ports.archives.keep(chunks, path)
    return path


def _known(work: Work) -> frozenset[bytes]:
    generation = work.progress.plan.generation
    return work.looked_at(work.plan.source_kind, generation, None, prints)
