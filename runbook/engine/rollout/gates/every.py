"""May the rollout go on to its next stage? Every gate with its arithmetic. Pure: what is known is handed in.

Nothing that was missed opens a gate: a criterion that was not asked, a look that was not taken, a node that is silent
are UNKNOWN, and UNKNOWN holds. A rollback never comes this way.
"""

from collections.abc import Iterator
from datetime import UTC

from runbook.engine.rollout.gates.access import unread
from runbook.engine.rollout.gates.evidence import criteria, drift, judged, validated
from runbook.engine.rollout.gates.facts import Facts
from runbook.engine.rollout.gates.kept_backups import newest
from runbook.engine.rollout.gates.lasted import phase_lasted, stage_lasted
from runbook.engine.rollout.gates.people import complaints, phase_approved, plan_approved, spaces_named
from runbook.errors import ExitCode
from runbook.model.answer import Answer
from runbook.model.duration import in_words
from runbook.model.gate import Gate, together
from runbook.model.rollout import Fresh, Phase, Stage, Standing

CODES = {Answer.YES: ExitCode.DONE, Answer.NO: ExitCode.REFUSED, Answer.UNKNOWN: ExitCode.COULD_NOT_TELL}
"""How `rollout advance` ends by what all gates say together."""


def gates_of(facts: Facts) -> tuple[Gate, ...]:
    """Every gate between the stage that the rollout is in and the next, or its completion; in the order of asking."""
    return tuple(_gates(facts))


def own_gates_of(facts: Facts) -> tuple[Gate, ...]:
    """Those of them that the rollout's own entries answer: time and people. Neither nodes nor backups are asked."""
    return tuple(_own(facts))


def _own(facts: Facts) -> Iterator[Gate]:
    yield standing(facts)
    yield from _lasted(facts)
    yield from frozen(facts)
    if facts.next is not None:
        yield from spaces_named(facts.next)
        if facts.next.treats:
            yield from plan_approved(facts)
        yield from phase_approved(facts, facts.next)
    yield from complaints(facts)


def code_of(gates: tuple[Gate, ...]) -> ExitCode:
    """0 where all are open; 13 where one is shut; else 4."""
    return CODES[together(gates)]


def pending(gates: tuple[Gate, ...]) -> tuple[Gate, ...]:
    """Those that are not open: the shut ones first."""
    waiting = [gate for gate in gates if not gate.open]
    return tuple(sorted(waiting, key=lambda gate: gate.answer is not Answer.NO))


def binding(facts: Facts, phase: Phase) -> tuple[Gate, ...]:
    """What people will have to do before that phase is entered, as it stands now."""
    first = next(stage for stage in facts.rollout.plan.stages if stage.phase.name == phase.name)
    return tuple(_entering(facts, first))


def _lasted(facts: Facts) -> Iterator[Gate]:
    if facts.rollout.entered:
        yield stage_lasted(facts)
        if facts.next is None or facts.next.phase.name != facts.rollout.current.phase.name:
            yield from phase_lasted(facts)


def _gates(facts: Facts) -> Iterator[Gate]:
    yield standing(facts)
    yield from _lasted(facts)
    yield from frozen(facts)
    if facts.next is not None:
        yield from _entering(facts, facts.next)
    yield from criteria(facts)
    yield from judged(facts)
    yield from complaints(facts)
    yield from validated(facts)
    yield from drift(facts)
    yield from unread(facts)


def _entering(facts: Facts, stage: Stage) -> Iterator[Gate]:
    """What binds on entering that stage, whatever the stage before it."""
    yield from spaces_named(stage)
    if stage.treats:
        yield from plan_approved(facts)
    yield from phase_approved(facts, stage)
    if stage.treats:
        yield from backed_up(facts, stage.phase.fresh)
        yield from rehearsed(facts, stage.phase.fresh)


def standing(facts: Facts) -> Gate:
    """Is it in a stage, and neither held, nor between two stages, nor on its way back?"""
    rollout = facts.rollout
    name, why = rollout.current.name, f": {rollout.why}" if rollout.why else ""
    match rollout.standing:
        case Standing.RUNNING:
            return Gate("standing", Answer.YES, f"it is in {name}")
        case Standing.HELD:
            return Gate("standing", Answer.NO, f"it is held in {name}{why}", "runbook rollout resume")
        case Standing.ENTERING:
            return Gate("standing", Answer.NO, f"{name} is being entered", "runbook rollout resume")
        case Standing.REVERTING:
            return Gate("standing", Answer.NO, f"it is being taken back{why}", "runbook rollout abort")
        case _:
            return Gate("standing", Answer.NO, f"it is {rollout.standing.value}{why}", "runbook rollout start")


def frozen(facts: Facts) -> Iterator[Gate]:
    """Freeze windows, by the wall clock: they are for people. Nothing is told where the plan has none."""
    windows = facts.rollout.plan.freeze
    if not windows:
        return
    inside = facts.rollout.plan.frozen(facts.now)
    if inside is None:
        count = f"{len(windows)} freeze window{'s' * (len(windows) > 1)}"
        yield Gate("freeze window", Answer.YES, f"{facts.now.astimezone(UTC):%Y-%m-%d %H:%M} UTC is in none of {count}")
        return
    left = f"{in_words(inside.end - facts.now)} are left of the freeze until {inside.end:%Y-%m-%d %H:%M %Z}"
    yield Gate("freeze window", Answer.NO, f"{left} ({inside.why})", "wait; a rollback is not held up")


def backed_up(facts: Facts, wanted: Fresh) -> Iterator[Gate]:
    """Every node has a backup that is young and verified enough."""
    if wanted.backup is None:
        return
    level, limit = wanted.backup_level, in_words(wanted.backup)
    to_do = "runbook backup create --all-nodes   (or --node NAME)"
    for node in facts.nodes:
        name = f"backup of {node}"
        found = newest(facts.backups, node, level)
        if found is None:
            lower = newest(facts.backups, node, 0)
            what = (
                f"only verified at level {lower.level}, {level} asked" if lower else f"none verified at level {level}"
            )
            yield Gate(name, Answer.NO, what, f"runbook backup verify --level {level}" if lower else to_do)
            continue
        age = facts.age[found.seq]
        answer = Answer.YES if age <= wanted.backup else Answer.NO
        sign = "<=" if answer is Answer.YES else ">"
        yield Gate(name, answer, f"{found.name}, level {found.level}: {in_words(age)} old {sign} {limit}", to_do)


def rehearsed(facts: Facts, wanted: Fresh) -> Iterator[Gate]:
    """The emergency brake was rehearsed lately, with success, and with this version of the tool."""
    if wanted.rehearsal is None:
        return
    limit, to_do = in_words(wanted.rehearsal), "runbook drill rollback"
    if facts.rehearsal is None:
        told = f"{facts.unrehearsed}; {limit} at most asked"
        yield Gate("rehearsal", Answer.NO, told, to_do)
        return
    answer = Answer.YES if facts.rehearsal <= wanted.rehearsal else Answer.NO
    sign = "<=" if answer is Answer.YES else ">"
    yield Gate("rehearsal", answer, f"the brake was rehearsed {in_words(facts.rehearsal)} ago {sign} {limit}", to_do)
