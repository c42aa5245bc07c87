"""The gates that people open: approvals of the plan and of a phase, spaces that are named, complaints. Pure."""

from collections.abc import Iterator, Sequence

from runbook.engine.rollout.gates.facts import NOTED_WITHIN, Facts
from runbook.model.answer import Answer
from runbook.model.duration import in_words
from runbook.model.gate import Gate
from runbook.model.rollout import Approved, Noted, Rollout, RolloutPlan, Stage


def starter_counts(plan: RolloutPlan, phase: str | None) -> bool:
    """May who started the rollout approve that phase, or (None) the plan as a whole?

    The plan as a whole where every phase that asks for people at all lets them approve that.
    """
    asking = [each for each in plan.phases if each.approvals.people]
    if phase is not None:
        asking = [each for each in asking if each.name == phase]
    return bool(asking) and all(each.approvals.starter_counts for each in asking)


def plan_approved(facts: Facts) -> Iterator[Gate]:
    """Has somebody else said yes to this very plan?"""
    rollout = facts.rollout
    if not rollout.plan.approve_plan:
        return
    yield _approved(
        rollout, None, 1, "approval of the plan", f"{_who(rollout.plan, None)}runbook rollout approve --plan"
    )


def phase_approved(facts: Facts, stage: Stage) -> Iterator[Gate]:
    """Have enough people said yes to the phase? Asked on its first stage; the phase as a whole is approved."""
    rollout, phase = facts.rollout, stage.phase
    first = next(each for each in rollout.plan.stages if each.phase.name == phase.name)
    if first.number != stage.number or not phase.approvals.people:
        return
    yield _approved(
        rollout,
        phase.name,
        phase.approvals.people,
        f"approval of {phase.name}",
        f"{_who(rollout.plan, phase.name)}runbook rollout approve --phase {phase.name}",
    )


def _who(plan: RolloutPlan, phase: str | None) -> str:
    """Who is to give the command, where that is not for everybody."""
    return "" if starter_counts(plan, phase) else "another user: "


def approvers(rollout: Rollout, phase: str | None) -> tuple[str, ...]:
    """Who has said yes to it, each once: to the plan as it runs, and not who started it where the plan forbids that."""
    return tuple(dict.fromkeys(each.who for each in _counting(rollout, phase)))


def _counting(rollout: Rollout, phase: str | None) -> Sequence[Approved]:
    own = starter_counts(rollout.plan, phase)
    return [
        each
        for each in rollout.approved
        if each.phase == phase and each.digest == rollout.digest and (own or each.who != rollout.who)
    ]


def _approved(rollout: Rollout, phase: str | None, people: int, name: str, to_do: str) -> Gate:
    who = approvers(rollout, phase)
    answer = Answer.YES if len(who) >= people else Answer.NO
    other = {each.digest[:12] for each in rollout.approved if each.phase == phase and each.digest != rollout.digest}
    told = f"{len(who)} of {people} ({', '.join(who)})" if who else f"0 of {people}"
    if other and answer is Answer.NO:
        told += f"; approved was another plan ({', '.join(sorted(other))}, this one is {rollout.digest[:12]})"
    if rollout.who in {each.who for each in rollout.approved if each.phase == phase} - set(who):
        told += f"; {rollout.who} started it and does not count"
    return Gate(name, answer, told, "" if answer is Answer.YES else to_do)


def spaces_named(stage: Stage) -> Iterator[Gate]:
    """A phase that is for named spaces has some."""
    phase = stage.phase
    if not phase.names_spaces:
        return
    if phase.spaces:
        yield Gate("named spaces", Answer.YES, f"{len(phase.spaces)} named: {', '.join(phase.spaces)}")
        return
    yield Gate(
        "named spaces",
        Answer.NO,
        f"{phase.name} is for named spaces, and 0 are named",
        "take it back, and name them: runbook rollout start --space NAME",
    )


def last_word(rollout: Rollout) -> Noted | None:
    """The newest note of the present stage that says how many complaints there are; None where none does."""
    at = rollout.entered[-1].seq if rollout.entered else 0
    said = [each for each in rollout.notes if each.complaints is not None and each.stage == rollout.stage]
    return next((each for each in reversed(said) if each.seq > at), None)


def complaints(facts: Facts) -> Iterator[Gate]:
    """What people say: how many complaints there are, lately said, and fewer than shut the gate."""
    rollout, limit = facts.rollout, facts.rollout.current.phase.complaints
    if limit is None:
        return
    name, to_do = "complaints", "runbook rollout note --complaints N"
    word = last_word(rollout)
    if word is None or word.complaints is None:
        yield Gate(name, Answer.UNKNOWN, f"nobody said how many there are since {rollout.current.name} began", to_do)
        return
    age = facts.age[word.seq]
    if word.complaints >= limit:
        sum_ = f"{word.complaints} (said by {word.who}, {in_words(age)} ago) >= {limit}"
        yield Gate(name, Answer.NO, sum_, "find out why; runbook rollout abort takes it back")
    elif age > NOTED_WITHIN:
        old = f"{word.complaints} were said {in_words(age)} ago > {in_words(NOTED_WITHIN)}: too long ago to count"
        yield Gate(name, Answer.UNKNOWN, old, to_do)
    else:
        yield Gate(name, Answer.YES, f"{word.complaints} (said by {word.who}, {in_words(age)} ago) < {limit}")
