"""What was written meanwhile: exported, converted and added, so that the other generation knows it too.

Adding is idempotent: whoever is killed in the middle carries the same changes once more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from runbook.archive.layout import Summary
from runbook.archive.reader import ArchiveReader
from runbook.engine.migrate.contents import contents, keys_in, records, residue_of, text_print
from runbook.engine.migrate.work import Work, sequence_of
from runbook.errors import StepFailedError
from runbook.model.conversion import Converted, Job
from runbook.model.migration import Key, Record
from runbook.model.migration_run import SINGLE, Step

SMALL = 50
"""So few changes are carried while writes are refused."""
ROUNDS = 5
"""A node that is written to faster than this catches up is frozen after so many rounds all the same."""


@dataclass(frozen=True, slots=True)
class Direction:
    """What goes where: changes of the served generation, of kind `source`, into `generation`, of kind `target`.

    `residue` is that of the memories, where their conversion needs one; `known` are the texts that the other generation
    had already, and that are left as they are there, but for those of `carried`: what an earlier round added or forgot.
    """

    step: Step
    migration: str
    source: str
    target: str
    generation: str
    since: int
    residue: str = ""
    known: frozenset[bytes] | None = None
    carried: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Delta:
    """One round: up to which sequence number, and how many records and tombstones it carried.

    `keys` are those of what it added or forgot; they are noted only where the direction tells what was `known`.
    """

    until: int
    count: int
    keys: frozenset[Key] = frozenset()


def catch_up(work: Work, direction: Direction) -> Direction:
    """Carry changes until few are left, with writes flowing; the direction from where it got to."""
    for number in range(1, ROUNDS + 1):
        found = carry(work, direction)
        direction = replace(after(direction, found), since=found.until)
        if found.count:
            work.say(f"caught up with {found.count} changes (round {number})")
        if found.count < SMALL:
            break
    return direction


def after(direction: Direction, found: Delta) -> Direction:
    """The direction once that round was carried; from where it goes on is left to the caller."""
    return replace(direction, carried=direction.carried | found.keys)


def carry(work: Work, direction: Direction) -> Delta:
    """Carry what changed since into the other generation, and prove that it is there.

    Raises:
        StepFailedError: what the node has there is not what was sent.
    """
    work.ports.bench.prepare(work.folder)
    path = work.folder / f"{direction.step.value}-{direction.since}.json"
    with work.node.export(direction.source, since=direction.since) as chunks:
        summary = work.ports.archives.keep(chunks, path)
    until, count = sequence_of(summary), sum(summary.counts.values())
    if until == direction.since and not count:
        return Delta(until, 0)
    work.intend(direction.step, since=direction.since, until=until, records=count)
    keys = _add(work, direction, path, summary) if count else frozenset()
    work.did(direction.step, since=direction.since, until=until, records=count)
    return Delta(until, count, keys)


def _add(work: Work, direction: Direction, path: Path, summary: Summary) -> frozenset[Key]:
    folder = work.folder / f"{path.stem}-{sequence_of(summary)}"
    made = _converted(work, direction, path, folder)
    data = made.data.path
    if direction.known is not None:
        data = _without_known(work, data, folder / "unknown.json", direction)
    before = _sequence(work, direction.generation)
    for part in (data, None if made.residue is None else made.residue.path):
        if part is not None and _holds_something(work, part):
            with work.ports.archives.chunks(part) as chunks:
                work.node.add(direction.generation, chunks)
    with work.ports.bench.opened(data) as reader:
        meant = contents(reader)
    found = work.looked_at(direction.target, direction.generation, before, contents)
    if found != meant:
        raise StepFailedError(
            f"{work.name}: of {meant.count} changes since {direction.since} the generation {direction.generation} "
            f"has {found.count}, or with other content"
        )
    return frozenset() if direction.known is None else _keys(work, data)


def _converted(work: Work, direction: Direction, path: Path, folder: Path) -> Converted:
    residue = _narrowed(work, direction, path, folder) if direction.source == SINGLE and direction.residue else None
    job = Job(path, direction.migration, folder / "made", residue, work.plan.concepts)
    return work.ports.converter.convert(job, lambda _, __: None)


def _narrowed(work: Work, direction: Direction, path: Path, folder: Path) -> Path | None:
    """The residue of these changes alone: with all of it, whatever did not change would count as forgotten."""
    keys = _keys(work, path)
    narrow = folder / "residue.json"
    with work.ports.bench.opened(Path(direction.residue)) as reader:
        summary = work.ports.bench.write(narrow, reader.header, residue_of(records(reader), keys))
    return narrow if any(summary.counts.values()) else None


def _keys(work: Work, path: Path) -> frozenset[Key]:
    with work.ports.bench.opened(path) as reader:
        return keys_in(records(reader))


def _without_known(work: Work, data: Path, path: Path, direction: Direction) -> Path:
    with work.ports.bench.opened(data) as reader:
        work.ports.bench.write(path, reader.header, _unknown(reader, direction))
    return path


def _unknown(reader: ArchiveReader, direction: Direction) -> Iterator[Record]:
    known, carried = direction.known or frozenset(), direction.carried
    for each in records(reader):
        if "content" not in each or text_print(each) not in known or (each["space"], each["id"]) in carried:
            yield each


def _holds_something(work: Work, path: Path) -> bool:
    with work.ports.bench.opened(path) as reader:
        return sum(map(len, reader.batches())) > 0


def _sequence(work: Work, generation: str) -> int:
    found = work.node.holdings().named(generation)
    if found is None:
        raise StepFailedError(f"{work.name} has no generation {generation} any more")
    return found.sequence
