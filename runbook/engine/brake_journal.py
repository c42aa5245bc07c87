"""Journaling while the brake is pulled: whatever the journal does, nothing stops and nothing is silent."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from runbook.engine.history import runs_of
from runbook.engine.overtaken import made_good, overtaken, under_way
from runbook.errors import RunbookError
from runbook.model.journal import Event
from runbook.model.run import Run, RunPlan
from runbook.ports import Journal, Talk

NOWHERE = "nowhere"
"""What begins the place of an entry that was told, and kept in none."""


class Recorder:
    """Notes into the journal; what it refuses, and all that follows, goes to its second place; else it is told."""

    def __init__(self, journal: Callable[[], Journal], talk: Talk) -> None:
        self._open = journal
        self._talk = talk
        self._journal: Journal | None = None
        self._refused = ""
        self.kept: list[str] = []

    def note(self, event: Event, run: str, details: Mapping[str, Any]) -> None:
        """Keep it somewhere; never raises for what a disk does."""
        try:
            journal = self._opened()
            if not self._refused:
                self._append(journal, event, run, details)
                return
            place = journal.rescue(event, run, details, self._refused)
        except Exception as error:  # noqa: BLE001 - a journal can be broken in any way; the flags go off all the same
            told = str(error) or type(error).__name__
            self._shout(f"NOT JOURNALED ({told}): {event.value} {run} {dict(details)}", f"{NOWHERE} ({told})")
        else:
            self.kept.append(place)

    def _append(self, journal: Journal, event: Event, run: str, details: Mapping[str, Any]) -> None:
        try:
            journal.append(event, run, details)
        except (RunbookError, OSError) as error:
            self._refused = str(error)
            place = journal.rescue(event, run, details, self._refused)
            self._shout(f"THE JOURNAL REFUSES ({error}): the record of this rollback waits in {place}", place)

    def _shout(self, text: str, kept: str) -> None:
        self._talk.say(text)
        self.kept.append(kept)

    def _opened(self) -> Journal:
        if self._journal is None:
            self._journal = self._open()
        return self._journal

    def overtake(self, target: str, run: str, command: str) -> tuple[str, ...]:
        """Tell every run on the target that has not ended to stop; their ids."""
        try:
            runs = self._runs()
        except Exception as error:  # noqa: BLE001 - as above
            self._talk.say(f"the journal cannot be read ({error}): runs under way on {target} are not told to stop")
            return ()
        found = tuple(each for each in overtaken(runs.values(), target) if each != run)
        for each in found:
            self.note(Event.RUN_SUPERSEDED, each, {"by": run, "command": command})
        return found

    def settle(self, issue: str, plan: RunPlan) -> None:
        """This run went everywhere: earlier ones of that issue that did not are at their end by it."""
        try:
            runs = self._runs()
        except Exception:  # noqa: BLE001 - as above; they are told as partial then, until the next one
            return
        for each in made_good(runs.values(), issue, plan):
            self.note(Event.RUN_SUPERSEDED, each, {"by": plan.id, "command": plan.command})

    def plays_of(self, runs: Collection[str]) -> tuple[str, ...]:
        """The marks of the plays that these runs are in the middle of, as the journal knows it now."""
        try:
            return under_way(run for name, run in self._runs().items() if name in runs)
        except Exception:  # noqa: BLE001 - as above
            return ()  # then no run was overtaken either, and that was told

    def _runs(self) -> dict[str, Run]:
        journal = self._opened()
        return runs_of([*journal.entries(), *journal.waiting()])
