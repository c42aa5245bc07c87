"""Drills and the journal: recorded around a rehearsal, and read back as the training record."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from runbook.errors import DamagedError, InterruptedRunError, RunbookError
from runbook.model.drill import Drill, DrillRecord, Outcome, Phase, Rehearsal
from runbook.model.journal import Entry, Event
from runbook.ports import Journal, Talk

CLOCKS_DIFFER = timedelta(minutes=1)
"""A drill that is dated further ahead than this was recorded under a clock that was wrong: its age is not known."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One thing that can be rehearsed, and how long ago it last was with success; None where it never was."""

    issue: str
    last: DrillRecord | None
    age: timedelta | None

    def younger_than(self, limit: timedelta) -> bool:
        """Was it rehearsed with success within that time, by a clock that can be believed?"""
        return self.age is not None and -CLOCKS_DIFFER <= self.age <= limit


def recorded(journal: Journal, talk: Talk, drill: Drill, rehearse: Callable[[], Rehearsal]) -> Rehearsal:
    """Rehearse between two entries of the journal: what is meant, before anything starts; and what came of it.

    Raises:
        StorageError: the journal cannot be written. Before: nothing was started. After: the drill is over, and is not
            in the record; the message says how it went.
        BaseException: as the rehearsal raises; the drill is recorded as aborted, if the journal allows.
    """
    journal.append(Event.DRILL_STARTED, drill.id, asdict(drill))
    try:
        rehearsal = rehearse()
    except BaseException as error:
        _record_aborted(journal, talk, drill, error)
        raise
    try:
        journal.append(Event.DRILL_ENDED, drill.id, ended_details(rehearsal))
    except RunbookError as error:
        told = f"the drill {rehearsal.outcome.value}, but that could not be recorded: {error.message}"
        raise type(error)(told, hint=error.hint) from error
    return rehearsal


def _record_aborted(journal: Journal, talk: Talk, drill: Drill, error: BaseException) -> None:
    stopped = isinstance(error, KeyboardInterrupt | InterruptedRunError)
    told = "interrupted" if stopped else error.message if isinstance(error, RunbookError) else f"a bug: {error!r}"
    details = {"outcome": Outcome.ABORTED.value, "phases": [], "why": [told]}
    try:
        journal.append(Event.DRILL_ENDED, drill.id, details)
    except RunbookError as refusal:
        talk.say(f"the drill's end could not be recorded: {refusal.message}")


def ended_details(rehearsal: Rehearsal) -> dict[str, Any]:
    """How a drill went, for the journal."""
    phases = [asdict(phase) for phase in rehearsal.phases]
    return {"outcome": rehearsal.outcome.value, "phases": phases, "why": list(rehearsal.faults)}


def drills_of(entries: Iterable[Entry]) -> tuple[DrillRecord, ...]:
    """Every drill of the journal, oldest first.

    Raises:
        DamagedError: an entry does not read as a drill (a journal of another version, or edited and sealed again).
    """
    found: dict[str, DrillRecord] = {}
    for entry in entries:
        try:
            if entry.event is Event.DRILL_STARTED:
                found[entry.run] = DrillRecord(Drill(**entry.details), entry.who, entry.where, entry.at)
            elif entry.event is Event.DRILL_ENDED and entry.run in found:
                found[entry.run] = _ended(found[entry.run], entry.details)
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedError(f"the journal holds a drill that cannot be read: {error!r}") from error
    return tuple(found.values())


def _ended(record: DrillRecord, details: Mapping[str, Any]) -> DrillRecord:
    phases = tuple(Phase(**phase) for phase in details["phases"])
    return replace(record, outcome=Outcome(details["outcome"]), phases=phases, why=tuple(details["why"]))


def chosen(records: Iterable[DrillRecord], since: datetime | None, person: str | None) -> tuple[DrillRecord, ...]:
    """The drills of that person, from that moment on; None does not choose."""
    return tuple(
        each for each in records if (since is None or each.at >= since) and (person is None or each.who == person)
    )


def standings(records: Iterable[DrillRecord], issues: Iterable[str], now: datetime) -> tuple[Standing, ...]:
    """For each issue the newest drill that passed, and its age by the clock that says `now`."""
    newest = {each.drill.issue: each for each in records if each.outcome is Outcome.PASSED}
    return tuple(
        Standing(issue, newest.get(issue), now - newest[issue].at if issue in newest else None) for issue in issues
    )


def overdue(found: Iterable[Standing], limit: timedelta) -> tuple[str, ...]:
    """The issues whose last passed drill is older than that, is missing, or is dated ahead of the clock."""
    return tuple(each.issue for each in found if not each.younger_than(limit))
