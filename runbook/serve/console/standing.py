"""How things stand, as data, with the tone in which a page says it."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from runbook.adapters.journal.following import Follower, Found
from runbook.model.heartbeat import Heartbeat
from runbook.model.journal import Entry
from runbook.model.judgement import Verdict
from runbook.model.rollout import Rollout, Standing
from runbook.model.run import Run
from runbook.model.validation import Outcome, Recommendation
from runbook.report.judgement import VERDICT_STYLES
from runbook.report.lines import Style
from runbook.report.rollout_acted import STANDING_STYLES
from runbook.report.run import STYLES as RUN_STYLES

TONES = {Style.GOOD: "PASS", Style.BAD: "FAIL", Style.UNSURE: "UNKNOWN"}
_RECOMMENDED = {Recommendation.PROCEED: "PASS", Recommendation.HOLD: "UNKNOWN", Recommendation.ROLL_BACK: "FAIL"}


def tone_of_verdict(word: str) -> str:
    """The class of a verdict of the judge; of a word that is none, that nothing is known."""
    return TONES[VERDICT_STYLES[Verdict(word)]] if word in set(Verdict) else "UNKNOWN"


def tone_of_outcome(word: str) -> str:
    """The class of an outcome of the validator."""
    return word if word in set(Outcome) else "UNKNOWN"


def tone_of_recommendation(word: str) -> str:
    """The class of the validator's recommendation."""
    return _RECOMMENDED[Recommendation(word)] if word in set(Recommendation) else "UNKNOWN"


def tone_of_answer(word: str, *, good: str) -> str:
    """The class of YES, NO or UNKNOWN, where `good` is the good one."""
    return "UNKNOWN" if word not in {"YES", "NO"} else "PASS" if word == good else "FAIL"


def journal_data(journal: Follower) -> dict[str, Any]:
    """How far the journal is read, and what is wrong with it."""
    seen = journal.seen
    return {
        "path": str(journal.path),
        "begun": seen.begun,
        "entries": seen.entries,
        "complete": seen.complete,
        "read_share": seen.bytes_read / seen.bytes_there if seen.bytes_there else 1.0,
        "sound": seen.sound,
        "damages": seen.damages,
        "damage": [{"line": each.line, "byte": each.byte, "what": each.what} for each in seen.damage],
        "torn": seen.torn,
        "trouble": seen.trouble,
        "hint": seen.hint,
        "newer": seen.newer,
        "unfolded": list(seen.unfolded),
        "waiting": [entry_data(each.seq, each) for each in seen.waiting],
    }


def entry_data(seq: int, entry: Entry) -> dict[str, Any]:
    """One entry."""
    return {
        "seq": seq,
        "at": entry.at.isoformat(),
        "event": entry.event.value,
        "run": entry.run,
        "who": f"{entry.who}@{entry.where}",
        "details": dict(entry.details),
    }


def found_data(found: Found) -> dict[str, Any]:
    """One line of the journal that was looked up; what cannot be understood says why."""
    if found.entry is None:
        return {"seq": found.seq, "trouble": found.trouble}
    return entry_data(found.seq, found.entry)


def run_data(run: Run) -> dict[str, Any]:
    """A run in a line."""
    return {
        "id": run.plan.id,
        "command": run.plan.command,
        "target": run.plan.target,
        "status": "undone" if run.undone_by else run.status.value,
        "tone": "plain" if run.undone_by else TONES.get(RUN_STYLES.get(run.status, Style.BAD), "plain"),
        "undone_by": run.undone_by,
        "who": f"{run.who}@{run.where}",
        "at": run.started_at.isoformat(),
        "ended_at": None if run.ended_at is None else run.ended_at.isoformat(),
        "reason": run.plan.reason,
        "brake": run.is_brake,
    }


def rollout_data(rollout: Rollout) -> dict[str, Any]:
    """A rollout in a few lines."""
    stage = rollout.current
    since = rollout.entered[-1].at if rollout.entered else rollout.at
    following = rollout.plan.stages[stage.number + 1 : stage.number + 2]
    return {
        "id": rollout.id,
        "target": rollout.target,
        "plan": rollout.plan.name,
        "standing": rollout.standing.value,
        "tone": TONES[STANDING_STYLES[rollout.standing]],
        "over": rollout.standing.is_over,
        "why": rollout.why,
        "phase": stage.phase.title,
        "stage": stage.name,
        "number": stage.number + 1,
        "stages": len(rollout.plan.stages),
        "share": 0.0 if rollout.standing in {Standing.ROLLED_BACK, Standing.ABORTED} else stage.share,
        "reached": stage.share,
        "since": since.isoformat(),
        "next": None if rollout.standing.is_over or not following else following[0].name,
        "looks": rollout.looks,
        "judged": stage.phase.judging is not None,
        "who": rollout.who,
        "at": rollout.at.isoformat(),
        "reason": rollout.reason,
    }


def watch_data(sign: Heartbeat | str | None, now: datetime, *, needed: bool) -> dict[str, Any]:
    """Is somebody watching? `needed` where a rollout is under way. By a timer each watch ends after one look."""
    if sign is None:
        told = "nobody has ever watched" if needed else "nobody watches, and nothing is under way"
        return {
            "state": "silent" if needed else "none",
            "tone": "FAIL" if needed else "plain",
            "told": told,
            "seen": None,
        }
    if isinstance(sign, str):
        return {"state": "unknown", "tone": "UNKNOWN", "told": sign, "seen": None}
    found: dict[str, Any] = {"seen": sign.seen.isoformat(), "told": sign.ended or sign.told}
    late = replace(sign, ended="").overdue(now)
    if sign.ended:
        return {"state": "ended", "tone": ("FAIL" if late else "UNKNOWN") if needed else "plain", **found}
    if late:
        return {"state": "silent", "tone": "FAIL" if needed else "plain", **found}
    return {"state": "heard of", "tone": "PASS", **found}
