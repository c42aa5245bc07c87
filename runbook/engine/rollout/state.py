"""The journal folded into rollouts: whoever starts again knows where each one stands. Pure.

What the entries hold stands in `record`. A reader passes over what it does not know. `rollout.judged` with `planned`
false spent no alpha. `validated` is no rollout's own: its details name the target.
"""

from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import replace

from runbook.engine.rollout.plan.document import details_of, digest_of, plan_of
from runbook.errors import DamagedError
from runbook.model.journal import Entry, Event, original
from runbook.model.rollout import Approved, Entered, Noted, Rollout, Standing

__all__ = ["current_of", "details_of", "digest_of", "fold", "newest_of", "plan_of", "rollouts_of"]


def rollouts_of(entries: Iterable[Entry]) -> dict[str, Rollout]:
    """Every rollout of the journal by id, oldest first; an entry that was adopted later counts, too.

    Raises:
        DamagedError: an entry does not read as what its event says.
    """
    found: dict[str, Rollout] = {}
    for entry in entries:
        fold(found, entry)
    return found


def fold(found: MutableMapping[str, Rollout], adopted: Entry) -> None:
    """The rollouts after one more entry; those of other runs need not be there.

    Raises:
        DamagedError: it does not read as what its event says.
    """
    entry = original(adopted)
    try:
        if entry.event is Event.ROLLOUT_STARTED:
            found[entry.run] = _started(entry)
        elif entry.run in found:
            found[entry.run] = _after(found[entry.run], entry)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DamagedError(f"entry {entry.seq} of the journal, {entry.event.value}: {error!r}") from error


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
        case Event.ROLLOUT_ENTERING if rollout.standing is not Standing.HELD:  # who is held enters nothing
            return _entering(rollout, entry)
        case Event.ROLLOUT_ENTERED:
            return _entered(rollout, entry)
        case Event.ROLLOUT_HELD:
            number = _stage(rollout, entry) if "stage" in details else rollout.stage
            held = replace(rollout, standing=Standing.HELD, stage=number, why=str(details.get("why", "")))
            return held if number == rollout.stage else replace(held, entering=None)
        case Event.ROLLOUT_RELEASED if rollout.standing is Standing.HELD:
            agreed = _splitters(entry) if "splitters" in details else rollout.splitters
            standing = Standing.RUNNING if rollout.inside else Standing.ENTERING
            released = entry.at if rollout.inside else None
            return replace(rollout, standing=standing, splitters=agreed, why="", released=released)
        case Event.ROLLOUT_JUDGED if details.get("stage") == rollout.stage and details.get("planned", True):
            return replace(rollout, looks=max(rollout.looks, int(details.get("look", rollout.looks + 1))))
        case _:
            return rollout


def _entering(rollout: Rollout, entry: Entry) -> Rollout:
    backups = tuple(map(str, entry.details.get("backups", ()))) or rollout.backups
    number, run = _stage(rollout, entry), str(entry.details.get("run", ""))
    began = rollout.entering or entry.at
    return replace(
        rollout,
        standing=Standing.ENTERING,
        stage=number,
        run=run,
        backups=backups,
        entering=began,
        splitters=_splitters(entry),
        why="",
    )


def _splitters(entry: Entry) -> tuple[str, ...]:
    return tuple(map(str, entry.details.get("splitters", ())))


def _entered(rollout: Rollout, entry: Entry) -> Rollout:
    """Its looks begin anew, unless it is the stage that it was in already: alpha is not spent twice."""
    number, run = _stage(rollout, entry), str(entry.details.get("run", ""))
    again = bool(rollout.entered) and rollout.entered[-1].stage == number
    entered = (*rollout.entered, Entered(number, entry.at, entry.seq, run, rollout.entering))
    looks = rollout.looks if again else 0
    if rollout.standing is not Standing.HELD:  # a hold of the last moment stands
        rollout = replace(rollout, standing=Standing.RUNNING, why="")
    return replace(rollout, stage=number, run=run, entered=entered, looks=looks, entering=None, released=None)


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
