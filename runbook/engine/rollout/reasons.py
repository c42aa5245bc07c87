"""Why a rollout has to be taken back, from what was found at one look. Pure."""

from collections.abc import Sequence

from runbook.engine.rollout.gates.people import last_word
from runbook.engine.rollout.revert import Why
from runbook.engine.rollout.triggers import Asked
from runbook.model.journal import Entry, Event, original
from runbook.model.judgement import Judgement, Verdict
from runbook.model.rollout import Rollout, Standing
from runbook.model.run import ROLLBACK


def harm_in_words(found: Judgement) -> str:
    """What was harmed, in the judge's own sentences."""
    told = [f"{each.guardrail.metric.value}: {each.sentence}" for each in found.judged if each.verdict is Verdict.HARM]
    return " ".join(told) or found.why


def reason_to_go_back(rollout: Rollout, asked: Sequence[Asked], entries: Sequence[Entry]) -> Why | None:
    """Why it has to be taken back, if it has to."""
    if pulled := brake_pulled(rollout, entries):
        return Why("rollback", f"the emergency brake was pulled, run {pulled}", Standing.ROLLED_BACK)
    limit, word = rollout.current.phase.complaints_roll_back, last_word(rollout)
    if limit is not None and word is not None and word.complaints is not None and word.complaints >= limit:
        told = f"{word.complaints} complaints (said by {word.who}) >= {limit}"
        return Why("complaints", told, Standing.ROLLED_BACK)
    if harm := _harm(rollout, entries):
        return Why("judge", f"{rollout.current.name}: {harm}", Standing.ROLLED_BACK)
    fired = next((each for each in asked if each.fires), None)
    if fired is None:
        return None
    by = "tripwire" if fired.tripwire else "trigger"
    return Why(by, f"{fired.title}: {fired.arithmetic}", Standing.ROLLED_BACK)


def _harm(rollout: Rollout, entries: Sequence[Entry]) -> str:
    """What the last look of the stage said, where that was harm: who took it was killed, or may not roll back."""
    since = rollout.entered[-1].seq if rollout.entered else rollout.seq
    looks = [
        entry.details
        for entry in map(original, entries)
        if entry.event is Event.ROLLOUT_JUDGED
        and entry.run == rollout.id
        and entry.seq > since
        and entry.details.get("stage") == rollout.stage
    ]
    return str(looks[-1].get("why", "")) if looks and looks[-1].get("verdict") == Verdict.HARM.value else ""


def brake_pulled(rollout: Rollout, entries: Sequence[Entry]) -> str:
    """The run of a brake that somebody pulled on the target since the stage was entered; empty where there is none."""
    since = rollout.entered[-1].seq if rollout.entered else rollout.seq
    for entry in map(original, entries):
        if entry.seq > since and entry.event is Event.RUN_STARTED:
            plan = entry.details["plan"]
            if plan["issue"] == ROLLBACK and plan["target"] == rollout.target and not plan["undoes"]:
                return entry.run
    return ""
