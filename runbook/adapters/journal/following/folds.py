"""Runs and rollouts, folded as their entries come. Few are held; any other is folded again out of its own lines."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from runbook.engine import history
from runbook.engine.rollout import state
from runbook.model.journal import Entry, Event
from runbook.model.rollout import Rollout
from runbook.model.run import Run, RunStatus

HELD_RUNS = 512
HELD_ROLLOUTS = 64
UNSETTLED = frozenset({RunStatus.OPEN, RunStatus.PARTIAL, RunStatus.PERSON_NEEDED, RunStatus.WAITING})
"""A person has something to do about a run that stands so, or somebody is at it."""

BEGINS = frozenset({Event.RUN_STARTED, Event.APPROVAL_ASKED, Event.MIGRATION_STARTED})
_RUN_EVENTS = BEGINS | {
    *(Event.STEP_INTENT, Event.STEP_OUTCOME, Event.STEP_OBSERVED, Event.UNDO_INTENT, Event.UNDO_OUTCOME),
    *(Event.RUN_ENDED, Event.RUN_SUPERSEDED, Event.MIGRATION_ENDED, Event.RUN_RESUMED, Event.MIGRATION_RESUMED),
    *(Event.APPROVAL_GIVEN, Event.APPROVAL_WITHDRAWN),
}
_ROLLOUT_EVENTS = frozenset(
    {
        *(Event.ROLLOUT_STARTED, Event.ROLLOUT_APPROVED, Event.ROLLOUT_ENTERING, Event.ROLLOUT_ENTERED),
        *(Event.ROLLOUT_HELD, Event.ROLLOUT_RELEASED, Event.ROLLOUT_NOTED, Event.ROLLOUT_JUDGED),
        *(Event.ROLLOUT_REVERTING, Event.ROLLOUT_ENDED, Event.EVIDENCE_WRITTEN),
    }
)
T = TypeVar("T")
Read = Callable[[Sequence[int]], Iterable[Entry]]
Places = Callable[[str, frozenset[Event]], Sequence[int]]


class _Held(OrderedDict[str, T], Generic[T]):
    """The ones that were used last."""

    def trim(self, most: int) -> None:
        while len(self) > most:
            self.popitem(last=False)


class Folds:
    """What the entries so far make of runs, rollouts and targets.

    Args:
        places: where the entries of a run with one of those events lie, oldest first.
        read: those entries, from the disk.
    """

    def __init__(self, places: Places, read: Read) -> None:
        self._places = places
        self._read = read
        self._runs: _Held[Run] = _Held()
        self._rollouts: _Held[Rollout] = _Held()
        self._undone_by: dict[str, str] = {}
        self.order: list[str] = []
        """Every run by id, in the order in which they began."""
        self._begun: set[str] = set()
        self.unsettled: dict[str, RunStatus] = {}
        self.rollouts: dict[str, list[str]] = {}
        """By target: the ids of its rollouts, in the order in which they were started."""
        self.last: dict[tuple[Event, str], int] = {}
        """By event and target: the place of the newest `validated` or `baseline.captured`."""

    def take(self, place: int, entry: Entry) -> None:
        """Know one more entry: what was meant by it, not by what adopted it.

        Raises:
            DamagedError, KeyError, TypeError, ValueError, IndexError, AttributeError: it does not say what its event
                has to.
        """
        target = entry.details.get("target")
        if entry.event in {Event.VALIDATED, Event.BASELINE_CAPTURED} and isinstance(target, str):
            self.last[entry.event, target] = place
        if entry.event in _RUN_EVENTS and entry.run:
            self._take_run(entry)
        if entry.event in _ROLLOUT_EVENTS and entry.run:
            self._take_rollout(entry)

    def _take_run(self, entry: Entry) -> None:
        chain = self._chain(entry.run)
        history.fold(self._runs, entry)
        if entry.run in self._runs and entry.run not in self._begun:
            self._begun.add(entry.run)
            self.order.append(entry.run)
        for run in dict.fromkeys((entry.run, *chain)):
            self._note(run)
        self._runs.trim(HELD_RUNS)

    def _chain(self, run: str) -> list[str]:
        """The run and those that it undoes, one of the other, all of them held."""
        found: list[str] = []
        while run in self._begun and run not in found:
            found.append(run)
            run = self._run(run).plan.undoes
        return found

    def _run(self, run: str) -> Run:
        if run not in self._runs:
            again: dict[str, Run] = {}
            for entry in self._read(self._places(run, _RUN_EVENTS)):
                history.fold(again, entry)
            self._runs[run] = replace(again[run], undone_by=self._undone_by.get(run, ""))
        self._runs.move_to_end(run)
        return self._runs[run]

    def _note(self, run: str) -> None:
        now = self._runs.get(run)
        if now is None:
            return
        if now.undone_by:
            self._undone_by[run] = now.undone_by
        else:
            self._undone_by.pop(run, None)
        if now.status in UNSETTLED and not now.undone_by:
            self.unsettled[run] = now.status
        else:
            self.unsettled.pop(run, None)

    def _take_rollout(self, entry: Entry) -> None:
        if entry.event is not Event.ROLLOUT_STARTED:
            self.rollout(entry.run)
        state.fold(self._rollouts, entry)
        if entry.event is Event.ROLLOUT_STARTED:
            known = self.rollouts.setdefault(self._rollouts[entry.run].target, [])
            if entry.run not in known[-1:]:
                known.append(entry.run)
        self._rollouts.trim(HELD_ROLLOUTS)

    def run(self, run: str) -> Run | None:
        """The run as it stands now, or None."""
        if run not in self._begun:
            return None
        found = self._run(run)
        self._runs.trim(HELD_RUNS)
        return found

    def rollout(self, rollout: str) -> Rollout | None:
        """The rollout as it stands now, or None."""
        if rollout not in self._rollouts:
            again: dict[str, Rollout] = {}
            for entry in self._read(self._places(rollout, _ROLLOUT_EVENTS)):
                state.fold(again, entry)
            if rollout not in again:
                return None
            self._rollouts[rollout] = again[rollout]
        self._rollouts.move_to_end(rollout)
        return self._rollouts[rollout]
