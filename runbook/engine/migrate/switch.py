"""The second half: catch up, refuse writes for a moment, carry the last of them, switch, look, let go."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runbook.archive.nearest import COUNT, Cue
from runbook.engine.migrate.delta import Direction, carry, catch_up
from runbook.engine.migrate.recalling import BOUND, EXACT, Minds, exactness, overlap, recalled, sample
from runbook.engine.migrate.work import FREEZE, Work
from runbook.errors import RunbookError, StepFailedError
from runbook.model.generation import Generation, Holdings, WrittenSinceError
from runbook.model.migration import Concepts
from runbook.model.migration_run import SINGLE, Step

TRIES = 5
"""Freezes that ran out before the switch: then the node's last changes are too many to be carried in one."""


def switch(work: Work) -> None:
    """Have the node serve the staging generation, with everything in it that was ever acknowledged.

    Raises:
        StepFailedError: something in it is not as it must be; the old generation is served.
    """
    direction = _direction(work)
    cues = _cues(work)
    for _ in range(TRIES):
        direction = catch_up(work, direction)
        try:
            _cut_over(work, direction, cues)
        except WrittenSinceError as error:
            work.say(f"{error.message}: catching up again")
        else:
            return
    raise StepFailedError(f"{work.name} was written to in each of {TRIES} freezes", hint="migrate at a quieter time")


def _direction(work: Work) -> Direction:
    plan, progress = work.plan, work.progress
    return Direction(
        Step.DELTA,
        plan.migration,
        plan.source_kind,
        plan.target_kind,
        progress.staging,
        progress.carried,
        progress.residue,
    )


def _cues(work: Work) -> tuple[Cue, ...]:
    with work.ports.bench.opened(Path(work.progress.data)) as reader:
        return sample(reader)


def _cut_over(work: Work, direction: Direction, cues: tuple[Cue, ...]) -> None:
    before = recalled(work.node, cues)
    with frozen(work) as sequence:
        carry(work, direction)
        staged = _checked(work, work.node.holdings())
        work.node.freeze(FREEZE)
        expected = max(sequence, staged.sequence)
        work.intend(Step.ACTIVATE, generation=direction.generation, if_sequence=sequence, expected=expected)
        at = work.node.activate(direction.generation, sequence)
        work.did(Step.ACTIVATE, generation=direction.generation, sequence=at, records=staged.records)
        _compare(work, cues, before, at)


@contextmanager
def frozen(work: Work) -> Iterator[int]:
    """The node refuses writes while this lasts; at which sequence number it stands. How long it was is journaled."""
    work.intend(Step.FREEZE)
    clock = work.ports.clock
    began = clock.monotonic()
    try:
        yield work.node.freeze(FREEZE)
    finally:
        _let_go(work)
        refused_ms = round((clock.monotonic() - began) * 1000, 1)
    work.did(Step.UNFREEZE, refused_ms=refused_ms)
    work.say(f"writes were refused for {refused_ms:.0f} ms")


def _let_go(work: Work) -> None:
    """Whatever went wrong, writes go on; where the node cannot be told, its freeze ends by itself."""
    try:
        work.node.unfreeze()
    except RunbookError as error:
        seconds = FREEZE.total_seconds()
        work.say(f"COULD NOT END THE FREEZE ({error}): it ends by itself within {seconds:.0f} s")


def _checked(work: Work, holdings: Holdings) -> Generation:
    """The staging generation, with as many texts as the served one: a backup of one space only would not have them."""
    served, staged = holdings.active, holdings.named(work.progress.staging)
    if staged is None:
        raise StepFailedError(f"{work.name} has no generation {work.progress.staging} any more")
    here, there = _texts(work, served), _texts(work, staged)
    if not here & there:
        raise StepFailedError(
            f"{work.name} serves {min(here)} records, and {min(there)} stand in the staging generation",
            hint="was the backup made of one space only? a migration needs all of them",
        )
    return staged


def _texts(work: Work, generation: Generation) -> frozenset[int]:
    """Episodes, with the concepts where these are memories on the other side; it is not known where they were."""
    count = generation.counts.get("episode", 0)
    if generation.kind == SINGLE:
        return frozenset({count})
    both = count + generation.counts.get("concept", 0)
    if work.plan.source_kind == SINGLE:
        return frozenset({count, both})
    return frozenset({both if work.plan.concepts is Concepts.KEEP else count})


def _compare(work: Work, cues: tuple[Cue, ...], before: Minds, at: int) -> None:
    """The same must come to mind; else the old generation is served again, at once: nothing was written since.

    A memory that was recalled through concepts brings other things to mind than one that goes by likeness alone: then
    the new one must bring what is nearest.
    """
    more = 3 if work.plan.concepts is Concepts.KEEP else 1  # memories that were concepts come to mind as well
    after = recalled(work.node, cues, COUNT * more)
    share, exact = overlap(before, after), None
    if share < BOUND:
        work.node.freeze(FREEZE)
        with work.ports.bench.opened(Path(work.progress.data)) as reader:
            exact = round(exactness(reader, cues, after), 4)
    work.did(Step.RECALL, overlap=round(share, 4), exact=exact, sample=len(cues))
    if exact is not None and exact < EXACT:
        _serve_the_old(work, at)
    check_recall(work)


def check_recall(work: Work) -> None:
    """Was what came to mind after the switch what it must be?

    Raises:
        StepFailedError: it was not; the old generation is to be served.
    """
    share, exact = work.progress.overlap, work.progress.exact
    if share is None or exact is None:
        return
    told = f"{share:.0%} of what came to mind before came to mind after the switch, and {exact:.0%} of what is nearest"
    if exact < EXACT:
        raise StepFailedError(f"{work.name}: only {told}")
    work.say(f"recall goes by likeness alone now: {told}")


def _serve_the_old(work: Work, at: int) -> None:
    generation = work.progress.plan.generation
    work.intend(Step.BACK_ACTIVATE, generation=generation, if_sequence=at)
    try:
        work.node.activate(generation, at)
    except WrittenSinceError as error:  # the freeze ran out: what was written since has to come along
        raise StepFailedError(f"{work.name} does not recall what it must, and {error.message}") from error
    work.did(Step.BACK_ACTIVATE, generation=generation)
