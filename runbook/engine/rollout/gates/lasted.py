"""How long a stage and a phase have lasted, by the journal's own time, and how long they have to. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from runbook.engine.rollout.gates.facts import Facts
from runbook.model.answer import Answer
from runbook.model.duration import in_words
from runbook.model.gate import Gate
from runbook.model.rollout import NOTHING, Entered


def stage_age(facts: Facts) -> timedelta | None:
    """How long ago the stage was entered that the rollout is in; None where it has entered none."""
    entered = facts.rollout.entered
    return facts.age[entered[-1].seq] if entered else None


def phase_age(facts: Facts) -> timedelta | None:
    """How long ago the first stage of its present phase was entered."""
    first = first_of_phase(facts)
    return None if first is None else facts.age[first.seq]


def first_of_phase(facts: Facts) -> Entered | None:
    """The entry of the phase: of the stages without a break that belong to it, the first."""
    stages, found = facts.rollout.plan.stages, None
    for entered in reversed(facts.rollout.entered):
        if stages[entered.stage].phase.name != facts.rollout.current.phase.name:
            break
        found = entered
    return found


def stage_lasted(facts: Facts) -> Gate:
    """Was the stage held for as long as each stage of its phase is?"""
    phase = facts.rollout.current.phase
    least = max(phase.hold, phase.minimum) if len(phase.shares) == 1 else phase.hold
    return _lasted("time of the stage", facts.rollout.current.name, stage_age(facts) or NOTHING, least)


def phase_lasted(facts: Facts) -> Iterator[Gate]:
    """Has a phase of several stages lasted its own shortest time? One of a single stage was asked already."""
    phase = facts.rollout.current.phase
    if len(phase.shares) > 1 and phase.minimum:
        yield _lasted("time of the phase", phase.name, phase_age(facts) or NOTHING, phase.minimum)


def time_left(facts: Facts) -> timedelta:
    """How long the stage (and with its last stage the phase) still has to last at least."""
    phase = facts.rollout.current.phase
    left = phase.hold - (stage_age(facts) or NOTHING)
    if facts.rollout.current.share == phase.shares[-1]:
        left = max(left, phase.minimum - (phase_age(facts) or NOTHING))
    return max(left, NOTHING)


def overdue(facts: Facts) -> str:
    """Said where the phase has lasted longer than it should; it holds nothing up. Empty else."""
    phase, age = facts.rollout.current.phase, phase_age(facts)
    if phase.maximum is None or age is None or age <= phase.maximum:
        return ""
    return f"{phase.name} is overdue: it has lasted {in_words(age)}, {in_words(phase.maximum)} at most was planned"


def _lasted(name: str, what: str, age: timedelta, least: timedelta) -> Gate:
    if not least:
        return Gate(name, Answer.YES, f"{what} has lasted {in_words(age)}; no shortest time is asked")
    answer = Answer.YES if age >= least else Answer.NO
    left = "" if answer is Answer.YES else f"wait {in_words(least - age)}"
    return Gate(name, answer, f"{what} has lasted {in_words(age)} of {in_words(least)}", left)
