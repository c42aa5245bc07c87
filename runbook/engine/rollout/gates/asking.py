"""Ask every gate of a stage: the journal's side and what is asked now, put together for those who advance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from runbook.engine.history import runs_of
from runbook.engine.journal_time import settled
from runbook.engine.rollout.crew import Crew
from runbook.engine.rollout.eyes import Eyes, judgement, live, measured, rows
from runbook.engine.rollout.gates.access import ACCESS, access
from runbook.engine.rollout.gates.every import gates_of
from runbook.engine.rollout.gates.facts import Facts, facts_of
from runbook.engine.rollout.gates.kept_backups import fresh
from runbook.engine.rollout.planned import due, note_look
from runbook.engine.rollout.triggers import Reading
from runbook.errors import RunbookError
from runbook.model.answer import Answer
from runbook.model.gate import Gate
from runbook.model.journal import Entry
from runbook.model.judgement import Judgement, Verdict
from runbook.model.rollout import Rollout
from runbook.model.run import RunStatus


@dataclass(frozen=True, slots=True)
class Answered:
    """Every gate with its answer, and the backups that were counted on."""

    gates: tuple[Gate, ...]
    backups: tuple[str, ...] = ()


def ask_now(crew: Crew, eyes: Eyes, rollout: Rollout) -> Answered:
    """For who looks once: rows are collected, the judge is asked, metrics are measured for the usual window."""
    now = crew.ports.read.clock.now().timestamp()
    rows(crew, eyes, now)
    found = judged(crew, eyes, rollout, now)
    # Harm between two looks (the confidence sequence may be asked at any time) is for who watches to act on.
    if found is not None and (due(rollout, now)[0] > rollout.looks or found.verdict is Verdict.HARM):
        note_look(crew, eyes, rollout, found, now)
    return logged(eyes, rollout, ask(crew, rollout, measured(crew, eyes, rollout), found), now)


def ask(crew: Crew, rollout: Rollout, reading: Reading, judge: Judgement | None) -> Answered:
    """For who has read already."""
    entries, now = settled(crew.ports.journal, crew.ports.read.clock)
    found = facts_of(rollout, entries, now, reading.nodes, live(crew, rollout, reading, judge))
    return Answered((*gates_of(found), *_beside(rollout, entries)), _backups(found))


def logged(eyes: Eyes, rollout: Rollout, answered: Answered, now: float) -> Answered:
    """With what the splitters' access logs say; they are read where every other gate is passed, since that is a play.

    `now` is in seconds since 1970.
    """
    if eyes.logs is None or not passed_but_logs(answered.gates):
        return answered
    told = access(rollout, eyes.logs.report(rollout, now))
    gates = tuple(new for each in answered.gates for new in (told if each.name == ACCESS else (each,)))
    return replace(answered, gates=gates)


def passed_but_logs(gates: Sequence[Gate]) -> bool:
    """Is every gate passed, but for the one of the access logs?"""
    return all(each.open for each in gates if each.name != ACCESS)


def _beside(rollout: Rollout, entries: Sequence[Entry]) -> tuple[Gate, ...]:
    """Nothing is entered beside a run that stands half done; told only where there is one."""
    runs = [run for name, run in runs_of(entries).items() if run.plan.target == rollout.target and name != rollout.run]
    return tuple(
        Gate("open run", Answer.NO, f"run {run.plan.id} ({run.plan.command}) has not ended", f"first: {run.way_on}")
        for run in runs
        if run.status is RunStatus.OPEN and not run.undone_by
    )


def judged(crew: Crew, eyes: Eyes, rollout: Rollout, now: float) -> Judgement | None:
    """What the judge says at that moment (seconds since 1970); None where the phase is not judged, or it cannot be."""
    if rollout.current.phase.judging is None or not rollout.current.treats:
        return None
    try:
        return judgement(eyes, rollout, now)
    except RunbookError as error:
        crew.say(f"the rows cannot be judged: {error.message}")
        return None


def journal_facts(crew: Crew, rollout: Rollout, entries: Sequence[Entry], now: datetime) -> Facts:
    """The journal's side alone."""
    return facts_of(rollout, entries, now, tuple(node.name for node in crew.target.nodes))


def _backups(facts: Facts) -> tuple[str, ...]:
    wanted = facts.next.phase.fresh if facts.next is not None and facts.next.treats else None
    if wanted is None or wanted.backup is None:
        return ()
    return fresh(facts.backups, facts.nodes, facts.age, wanted.backup, wanted.backup_level)
