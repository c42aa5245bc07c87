"""The journal folded into rollouts: whoever starts again knows where each one stands. Pure.

The `run` of every `rollout.*` entry is the rollout's own id. The details that each carries; a reader passes over more:

    rollout.started    target, plan (as `plan_document.details_of` writes it), digest (of it, salt included), reason
    rollout.approved   digest; phase: its name, or null for the plan as a whole; reason
    rollout.entering   stage (number), name, run (of the settings run that sets its values); backups: names of those
                       that were found fresh; resumed: true where that run is only gone on with
    rollout.entered    stage, run: read back on every node; the stage's time counts from here
    rollout.held       why; by: `person`, or what held it by itself
    rollout.released   reason
    rollout.noted      stage; complaints: how many since the stage began, in all, or null; text
    rollout.judged     stage, look (from 1), verdict, why, judgement (whole); planned: false where alpha was not spent
    rollout.checked    stage, answers: [{title, answer, arithmetic}]
    rollout.reverting  stage, why, by: `person`, `judge`, `trigger`, `tripwire` or `complaints`; run (of the rollback);
                       ends_as: `aborted` or `rolled back`
    rollout.ended      standing: `completed`, `aborted` or `rolled back`; why
    evidence.written   folder, digest

`validated` is no rollout's own: its run is the validation's, its details name the target.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from runbook.engine.rollout.plan_document import details_of, digest_of, plan_of
from runbook.errors import DamagedError
from runbook.model.journal import Entry, Event, original
from runbook.model.rollout import Approved, Entered, Noted, Rollout, RolloutPlan, Standing

__all__ = ["current_of", "details_of", "digest_of", "newest_of", "plan_of", "rollouts_of", "started_details"]


def started_details(target: str, plan: RolloutPlan, reason: str) -> dict[str, Any]:
    """What `rollout.started` carries."""
    return {"target": target, "plan": details_of(plan), "digest": digest_of(plan), "reason": reason}


def rollouts_of(entries: Iterable[Entry]) -> dict[str, Rollout]:
    """Every rollout of the journal by id, oldest first; an entry that was adopted later counts, too.

    Raises:
        DamagedError: an entry does not read as what its event says.
    """
    found: dict[str, Rollout] = {}
    for entry in map(original, entries):
        try:
            if entry.event is Event.ROLLOUT_STARTED:
                found[entry.run] = _started(entry)
            elif entry.run in found:
                found[entry.run] = _after(found[entry.run], entry)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise DamagedError(f"entry {entry.seq} of the journal, {entry.event.value}: {error!r}") from error
    return found


def of_target(entries: Iterable[Entry], target: str) -> Iterator[Rollout]:
    """Those of that target, oldest first."""
    return (rollout for rollout in rollouts_of(entries).values() if rollout.target == target)


def current_of(entries: Iterable[Entry], target: str) -> Rollout | None:
    """The newest rollout of that target that is not over, or None."""
    going = [rollout for rollout in of_target(entries, target) if not rollout.standing.is_over]
    return going[-1] if going else None


def newest_of(entries: Iterable[Entry], target: str) -> Rollout | None:
    """The newest rollout of that target, over or not; None where there never was one."""
    return next(reversed(list(of_target(entries, target))), None)


def _started(entry: Entry) -> Rollout:
    details = entry.details
    plan = plan_of(details["plan"])
    return Rollout(
        id=entry.run,
        target=str(details["target"]),
        plan=plan,
        digest=str(details.get("digest", "")) or digest_of(plan),
        who=entry.who,
        at=entry.at,
        seq=entry.seq,
        reason=str(details.get("reason", "")),
        standing=Standing.ENTERING,
        stage=0,
    )


def _after(rollout: Rollout, entry: Entry) -> Rollout:
    """The rollout after that entry. What is over stays over; what is being taken back can only end."""
    if entry.event is Event.EVIDENCE_WRITTEN:
        return replace(rollout, bundles=(*rollout.bundles, str(entry.details["folder"])))
    if rollout.standing.is_over:
        return rollout
    told = _told(rollout, entry)
    if told is not None:
        return told
    return rollout if rollout.standing is Standing.REVERTING else _moved(rollout, entry)


def _told(rollout: Rollout, entry: Entry) -> Rollout | None:
    """After what counts even while it is being taken back; None for everything else."""
    details = entry.details
    why = str(details.get("why", ""))
    match entry.event:
        case Event.ROLLOUT_ENDED:
            return replace(rollout, standing=Standing(details["standing"]), why=why or rollout.why)
        case Event.ROLLOUT_REVERTING:
            run = str(details.get("run", "")) or rollout.run
            return replace(rollout, standing=Standing.REVERTING, run=run, why=why or rollout.why)
        case Event.ROLLOUT_APPROVED:
            return replace(rollout, approved=(*rollout.approved, _approved(entry)))
        case Event.ROLLOUT_NOTED:
            return replace(rollout, notes=(*rollout.notes, _noted(rollout, entry)))
        case _:
            return None


def _moved(rollout: Rollout, entry: Entry) -> Rollout:
    details = entry.details
    match entry.event:
        case Event.ROLLOUT_ENTERING:
            return _entering(rollout, entry)
        case Event.ROLLOUT_ENTERED:
            number, run = _stage(rollout, entry), str(details.get("run", ""))
            entered = (*rollout.entered, Entered(number, entry.at, entry.seq, run))
            return replace(rollout, standing=Standing.RUNNING, stage=number, run=run, entered=entered, why="")
        case Event.ROLLOUT_HELD:
            return replace(rollout, standing=Standing.HELD, why=str(details.get("why", "")))
        case Event.ROLLOUT_RELEASED if rollout.standing is Standing.HELD:
            inside = bool(rollout.entered) and rollout.entered[-1].stage == rollout.stage
            return replace(rollout, standing=Standing.RUNNING if inside else Standing.ENTERING, why="")
        case Event.ROLLOUT_JUDGED if details.get("stage") == rollout.stage and details.get("planned", True):
            return replace(rollout, looks=max(rollout.looks, int(details.get("look", rollout.looks + 1))))
        case _:
            return rollout


def _entering(rollout: Rollout, entry: Entry) -> Rollout:
    number = _stage(rollout, entry)
    looks = rollout.looks if number == rollout.stage else 0
    backups = tuple(map(str, entry.details.get("backups", ()))) or rollout.backups
    run = str(entry.details.get("run", ""))
    return replace(rollout, standing=Standing.ENTERING, stage=number, run=run, looks=looks, backups=backups, why="")


def _stage(rollout: Rollout, entry: Entry) -> int:
    number = entry.details["stage"]
    if type(number) is not int or not 0 <= number < len(rollout.plan.stages):
        raise ValueError(f"the plan has no stage {number!r}")
    return number


def _approved(entry: Entry) -> Approved:
    details = entry.details
    phase = details.get("phase")
    digest, reason = str(details.get("digest", "")), str(details.get("reason", ""))
    return Approved(entry.who, entry.at, entry.seq, digest, None if phase is None else str(phase), reason)


def _noted(rollout: Rollout, entry: Entry) -> Noted:
    details = entry.details
    complaints = details.get("complaints")
    stage = int(details.get("stage", rollout.stage))
    return Noted(
        entry.who,
        entry.at,
        entry.seq,
        stage,
        None if complaints is None else int(complaints),
        str(details.get("text", "")),
    )
