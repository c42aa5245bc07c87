"""What the journal's lines tell of a rollout, as documents: made when a bundle is written, and when proven. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from runbook.engine.judging.judgement import rows_needed
from runbook.engine.rollout.basis import Basis, basis_of
from runbook.engine.rollout.state import details_of, rollouts_of
from runbook.errors import DamagedError
from runbook.model.journal import Entry, Event, original
from runbook.model.rollout import Rollout

_CHANGES = (Event.STEP_INTENT,)


def rollout_in(entries: Iterable[Entry], rollout: str) -> Rollout:
    """The rollout of that id.

    Raises:
        DamagedError: the entries do not tell of it, or do not read.
    """
    found = rollouts_of(entries).get(rollout)
    if found is None:
        raise DamagedError(f"the journal's lines do not tell of rollout {rollout}")
    return found


def plan_in(rollout: Rollout) -> dict[str, Any]:
    """The plan, and its digest as it was journaled."""
    return {"digest": rollout.digest, "plan": details_of(rollout.plan)}


def approvals_in(rollout: Rollout) -> list[dict[str, Any]]:
    """Who said yes, to what."""
    return [
        {
            "who": each.who,
            "at": each.at.isoformat(),
            "seq": each.seq,
            "phase": each.phase,
            "digest": each.digest,
            "reason": each.reason,
        }
        for each in rollout.approved
    ]


def looks_in(entries: Iterable[Entry], rollout: str) -> list[dict[str, Any]]:
    """Each look of the judge as it was journaled, with the number of its entry."""
    return [
        {"seq": entry.seq, "at": entry.at.isoformat(), **entry.details}
        for entry in map(original, entries)
        if entry.event is Event.ROLLOUT_JUDGED and entry.run == rollout
    ]


def before_in(entries: Iterable[Entry], target: str, after: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of each node before the rollout: as they are after, less what was changed since.

    The first change of a setting on a node knows the value that it found. A node that is silent after, is then known by
    what was changed alone. Another target may have nodes of the same names: its runs are passed over.

    Raises:
        DamagedError: an entry does not read as a change.
    """
    known = [original(entry) for entry in entries]
    strange = {entry.run for entry in known if entry.event is Event.RUN_STARTED and _target(entry) != target}
    before = {node: {} if "silent" in found else dict(found) for node, found in after.items()}
    seen: set[tuple[str, str]] = set()
    for entry in known:
        if entry.event in _CHANGES and entry.run not in strange:
            for (node, key), old in _changed(entry):
                if node in before and (node, key) not in seen:
                    seen.add((node, key))
                    before[node][key] = old
    return before


def _changed(entry: Entry) -> list[tuple[tuple[str, str], Any]]:
    try:
        changes = entry.details.get("changes", ())
        return [((str(each["node"]), str(each["key"])), each["old"]) for each in changes]
    except (KeyError, TypeError) as error:
        raise DamagedError(f"entry {entry.seq} of the journal is no change of settings: {error!r}") from error


def _target(started: Entry) -> str:
    plan = started.details.get("plan")
    return str(plan.get("target")) if isinstance(plan, Mapping) else ""


def basis_in(look: Mapping[str, Any]) -> Basis | None:
    """What a look was taken of; None where it was not journaled."""
    try:
        return basis_of(look["basis"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def at_look(entries: Iterable[Entry], look: Mapping[str, Any], rollout: str) -> Rollout:
    """The rollout as it stood when that look was taken."""
    return rollout_in((entry for entry in entries if entry.seq < look["seq"]), rollout)


def first_row(entries: Iterable[Entry], rollout: str) -> float:
    """From when on rows are needed (seconds since 1970), to take each of its looks again."""
    known = list(entries)
    found = [rows_needed(at_look(known, look, rollout)) for look in looks_in(known, rollout)]
    return min([*found, rows_needed(rollout_in(known, rollout))], default=0.0)
