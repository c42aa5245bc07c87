"""What people say to a rollout: yes to its plan or to a phase, how many complaints there are, stop, go on.

None of it touches a node; it is journaled, and gates and watcher read it there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from runbook.engine.rollout import record
from runbook.engine.rollout.gates.people import approvers, starter_counts
from runbook.engine.rollout.state import rollouts_of
from runbook.errors import RefusedError, UsageError
from runbook.model.journal import Event
from runbook.model.rollout import Phase, Rollout, Standing
from runbook.ports import Journal


@dataclass(frozen=True, slots=True)
class Said:
    """The rollout as it stands then, and one sentence for people; not `fresh` where it had been said before."""

    rollout: Rollout
    told: str
    fresh: bool = True


def phase_to_approve(rollout: Rollout, name: str | None) -> Phase:
    """The phase of that name; without one the next that asks for people and has not enough of them.

    Raises:
        UsageError: there is none.
    """
    phases = rollout.plan.phases
    if name is not None:
        found = next((phase for phase in phases if phase.name == name), None)
        if found is None:
            known = ", ".join(phase.name for phase in phases)
            raise UsageError(f"the plan has no phase {name!r}", hint=f"one of: {known}")
        return found
    here = rollout.current.phase.name if rollout.entered else ""
    ahead = phases[[phase.name for phase in phases].index(here) + 1 :] if here else phases
    waiting = [each for each in ahead if len(approvers(rollout, each.name)) < each.approvals.people]
    if not waiting:
        raise UsageError("no phase ahead waits for an approval", hint="the plan as a whole: --plan")
    return waiting[0]


def check_approver(rollout: Rollout, who: str, phase: Phase | None) -> None:
    """May this person say yes to that phase, or (None) to the plan as a whole?

    Raises:
        RefusedError: the rollout is over or on its way back, or they started it and the plan forbids that.
    """
    _check_going(rollout)
    if who == rollout.who and not starter_counts(rollout.plan, None if phase is None else phase.name):
        what = "its plan" if phase is None else f"its phase {phase.name}"
        raise RefusedError(
            f"{who} started rollout {rollout.id}, and cannot approve {what} too",
            hint="another user: runbook rollout approve" + (" --plan" if phase is None else ""),
        )


def approve(journal: Journal, rollout: Rollout, who: str, phase: Phase | None, reason: str) -> Said:
    """Journal a person's yes, with the digest of the plan that it is said to; said twice it counts once.

    Raises:
        RefusedError: as `check_approver`.
        StorageError: it could not be journaled.
    """
    check_approver(rollout, who, phase)
    name = None if phase is None else phase.name
    what = f"the plan, digest {rollout.digest[:12]}" if phase is None else f"phase {phase.name}"
    if who in approvers(rollout, name):
        return Said(rollout, f"approved by {who} already: {what}", fresh=False)
    journal.append(Event.ROLLOUT_APPROVED, rollout.id, record.approved(rollout.digest, name, reason))
    return Said(_again(journal, rollout), f"approved by {who}: {what}")


def note(journal: Journal, rollout: Rollout, complaints: int | None, text: str) -> Said:
    """Journal how many complaints there are since the stage began, in all, and a remark.

    Raises:
        RefusedError: the rollout is over, or on its way back.
        StorageError: it could not be journaled.
    """
    _check_going(rollout)
    journal.append(Event.ROLLOUT_NOTED, rollout.id, record.noted(rollout.current, complaints, text))
    return Said(_again(journal, rollout), f"noted for {rollout.current.name}: {_noted(rollout, complaints, text)}")


def hold(journal: Journal, rollout: Rollout, reason: str) -> Said:
    """Journal that it goes no further until it is let go; what rolls it back still does.

    Raises:
        RefusedError: the rollout is over, or on its way back.
        StorageError: it could not be journaled.
    """
    _check_going(rollout)
    if rollout.standing is Standing.HELD:
        return Said(rollout, f"it is held already: {rollout.why}", fresh=False)
    journal.append(Event.ROLLOUT_HELD, rollout.id, record.held(rollout.current, reason, "person"))
    return Said(_again(journal, rollout), f"held in {rollout.current.name}: {reason}")


def release(journal: Journal, rollout: Rollout, reason: str, splitters: Sequence[str] | None = None) -> Said:
    """Journal that it may go on; nothing else: where it was being entered, that is still to be gone on with.

    From then on these are what splits its traffic (`splitters.agreed`): one that has left the inventory is let go of.

    Raises:
        RefusedError: it is not held any more; who was asked may have thought about it for long.
        StorageError: it could not be journaled.
    """
    now = rollouts_of([*journal.entries(), *journal.waiting()]).get(rollout.id, rollout)
    if (now.standing, now.stage) != (Standing.HELD, rollout.stage):
        raise RefusedError(f"rollout {now.id} has gone on meanwhile: {now.standing.value}, {now.current.name}")
    journal.append(Event.ROLLOUT_RELEASED, rollout.id, record.released(rollout.current, reason, splitters))
    lost = [] if splitters is None else [name for name in rollout.splitters if name not in splitters]
    agreed = f"; {', '.join(lost)} is no splitter of it any more: see to it that it treats nobody" if lost else ""
    return Said(_again(journal, rollout), f"let go in {rollout.current.name}{agreed}")


def _noted(rollout: Rollout, complaints: int | None, text: str) -> str:
    told = [text] if text else []
    phase = rollout.current.phase
    if complaints is not None:
        limits = [
            f"{word} {limit} on"
            for word, limit in (
                ("the gate is shut from", phase.complaints),
                ("rolled back from", phase.complaints_roll_back),
            )
            if limit is not None
        ]
        many = "1 complaint" if complaints == 1 else f"{complaints} complaints"
        told.insert(0, many + (f" ({', '.join(limits)})" if limits else ""))
        most = phase.complaints_roll_back
        if most is not None and complaints >= most:
            told.append("runbook rollout watch takes it back at its next look")
    return "; ".join(told)


def _check_going(rollout: Rollout) -> None:
    if rollout.standing.is_over or rollout.standing is Standing.REVERTING:
        raise RefusedError(
            f"rollout {rollout.id} is {rollout.standing.value}: {rollout.why}", hint="runbook rollout status"
        )


def _again(journal: Journal, rollout: Rollout) -> Rollout:
    return rollouts_of(journal.entries()).get(rollout.id, rollout)
