"""What lets a rollout go on, as far as its own entries in the journal say: time and people."""

from datetime import datetime, timedelta

from runbook.engine.rollout.gates.every import own_gates_of
from runbook.engine.rollout.gates.facts import Facts
from runbook.engine.rollout.gates.lasted import overdue
from runbook.model.rollout import Rollout
from runbook.serve.console.standing import tone_of_answer

_NO_TIME = timedelta(0)


def facts_by_wall(rollout: Rollout, now: datetime) -> Facts:
    """The rollout with the ages of its own entries, by the wall clock; one of the future is no age.

    `rollout status` counts by the journal's own time, which a clock that was set back does not disturb.
    """
    moments = {rollout.seq: rollout.at}
    moments |= {each.seq: each.at for each in rollout.entered}
    moments |= {each.seq: each.at for each in rollout.approved}
    moments |= {each.seq: each.at for each in rollout.notes}
    ages = {seq: max(now - at, _NO_TIME) for seq, at in moments.items()}
    return Facts(rollout, (), ages, now)


def gates_data(rollout: Rollout, now: datetime) -> list[dict[str, str]]:
    """Each gate with its answer and its numbers; none for a rollout that is over, or between two stages."""
    if rollout.standing.is_over or rollout.standing.is_between:
        return []
    return [
        {
            "name": gate.name,
            "answer": gate.answer.value,
            "tone": tone_of_answer(gate.answer.value, good="YES"),
            "arithmetic": gate.arithmetic,
            "to_do": "" if gate.open else gate.to_do,
        }
        for gate in own_gates_of(facts_by_wall(rollout, now))
    ]


def overdue_told(rollout: Rollout, now: datetime) -> str:
    """Said where its phase has lasted longer than was planned; empty else."""
    if rollout.standing.is_over or rollout.standing.is_between:
        return ""
    return overdue(facts_by_wall(rollout, now))
