"""One look at a rollout: what is asked, journaled and done about it; what came of it is `looked`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from runbook.engine.journal_time import ages, settled
from runbook.engine.rollout import record
from runbook.engine.rollout.advance import advance
from runbook.engine.rollout.crew import Crew, found_in
from runbook.engine.rollout.enter import go_on
from runbook.engine.rollout.eyes import Eyes, Rows, observe, rows, silent_splitters, unheard
from runbook.engine.rollout.gates.access import held_by
from runbook.engine.rollout.gates.asking import Answered, ask, journal_facts, judged, logged, passed_but_logs
from runbook.engine.rollout.gates.heard import heard
from runbook.engine.rollout.gates.lasted import overdue, stage_age, time_left
from runbook.engine.rollout.looked import Look, beside, code_of_end, taken, with_acted, words
from runbook.engine.rollout.planned import due, note_look
from runbook.engine.rollout.reasons import harm_in_words, reason_to_go_back
from runbook.engine.rollout.revert import Why, revert, taken_back_elsewhere
from runbook.engine.rollout.state import rollouts_of
from runbook.engine.rollout.triggers import Asked, Reading, Streaks, changed, check, last_check
from runbook.errors import (
    DamagedError,
    ExitCode,
    InterruptedRunError,
    LockedError,
    NotSupportedError,
    RefusedError,
    RunbookError,
    StorageError,
    UnreachableError,
)
from runbook.model.answer import Answer
from runbook.model.journal import Entry, Event
from runbook.model.judgement import Verdict
from runbook.model.rollout import NOTHING, Advance, Rollout, Standing

if TYPE_CHECKING:
    from runbook.model.judgement import Judgement

ONCE_IN_A_WHILE = timedelta(hours=1)
"""How old the last journaled check may be, though no answer has changed: proof that somebody watched."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look has read; `now` is the moment before, in seconds since 1970."""

    rows: Rows
    reading: Reading
    entries: list[Entry]
    now: float


class Looker:
    """Looks again and again; between two looks it keeps nothing that a journal which is writable would not tell."""

    def __init__(self, crew: Crew, eyes: Eyes, rollout: str) -> None:
        self._crew, self._eyes, self._rollout = crew, eyes, rollout
        self._streaks = Streaks()
        self._observed: float | None = None
        self._judged: tuple[int, int, Judgement | None] = (-1, 0, None)  # stage, looks by the time that passed
        self._known: list[Entry] = []  # what the journal held when it was last read

    def look(self) -> Look:
        """Look once, and do what follows from it.

        Raises:
            DamagedError, StorageError: the journal does not read.
            InterruptedRunError: by a signal; nothing is lost.
        """
        crew, self._known = self._crew, self._crew.entries()
        rollout = found_in(self._known, self._rollout)
        if rollout.standing.is_over or rollout.standing is Standing.REVERTING:
            return self._over(rollout)
        if rollout.standing is Standing.ENTERING:
            look = self._guard(rollout)
            return self._enter(look) if look.acted is None else look
        now = crew.ports.read.clock.now().timestamp()  # before the rows: what is over by now has been told whole
        found, reading = rows(crew, self._eyes, now), self._observe(rollout)
        entries = self._entries()
        after = rollouts_of(entries).get(rollout.id, rollout)
        if (after.standing, after.stage) != (rollout.standing, rollout.stage):
            return Look(
                after, code_of_end(after), f"it has gone on meanwhile: {after.standing.value}, {after.current.name}"
            )
        return self._decide(after, _Seen(found, reading, entries, now))

    def guard(self, why: RunbookError) -> Look:
        """Look where the journal does not read: what takes back is asked, of what was last known, and nothing else.

        The way back needs no journal; once it reads again, it is looked at as ever.

        Raises:
            RunbookError: that very error, where nothing was ever known.
        """
        if not self._known:
            raise why
        entries = [*self._known, *self._waiting()]
        rollout = found_in(entries, self._rollout)
        if rollout.standing.is_over or rollout.standing is Standing.REVERTING:
            return self._over(rollout)
        asked = self._ask(rollout, self._observe(rollout), entries)
        code = why.code if isinstance(why, DamagedError) else ExitCode.COULD_NOT_TELL
        told = f"THE JOURNAL CANNOT BE READ ({why.message}): only what takes it back is asked"
        look = Look(rollout, code, f"{told}; {words(rollout, asked, ())}", asked)
        reason = reason_to_go_back(rollout, asked, entries)
        return look if reason is None else with_acted(look, revert(self._crew, rollout, reason))

    def _waiting(self) -> list[Entry]:
        """What others could not journal either, such as a brake; by numbers behind those that are known."""
        try:
            found = list(self._crew.ports.journal.waiting())
        except RunbookError:
            found = []
        return [replace(each, seq=self._known[-1].seq + count) for count, each in enumerate(found, start=1)]

    def _over(self, rollout: Rollout) -> Look:
        """It is over, or going back: that is gone on with, unless somebody else does."""
        if rollout.standing.is_over:
            return Look(rollout, code_of_end(rollout), f"it is {rollout.standing.value}")
        if told := taken_back_elsewhere(self._crew, rollout):
            return Look(rollout, ExitCode.BAD_NEWS, f"it is being taken back: {told}")
        return taken(revert(self._crew, rollout, Why("person", rollout.why, Standing.ROLLED_BACK)))

    def _decide(self, rollout: Rollout, seen: _Seen) -> Look:
        """What was seen, put to triggers and tripwire; back where one fires, else to the judge."""
        asked = self._check(rollout, seen.reading, seen.entries)
        why = reason_to_go_back(rollout, asked, seen.entries)
        quiet = (*seen.rows.silent, *(unheard(seen.reading) if asked else ()))
        unsure = seen.rows.silent or any(each.answer is Answer.UNKNOWN for each in asked)
        code = ExitCode.COULD_NOT_TELL if unsure else ExitCode.DONE
        look = Look(rollout, code, words(rollout, asked, quiet), asked, rows=seen.rows, quiet=quiet)
        if why is not None:
            return with_acted(look, revert(self._crew, rollout, why))
        return self._judge(look, seen)

    def _check(self, rollout: Rollout, reading: Reading, entries: Sequence[Entry]) -> tuple[Asked, ...]:
        asked = self._ask(rollout, reading, entries)
        self._note_check(rollout, asked, entries, ages(entries, self._crew.ports.read.clock.now()))
        return asked

    def _ask(self, rollout: Rollout, reading: Reading, entries: Sequence[Entry]) -> tuple[Asked, ...]:
        clock = self._crew.ports.read.clock
        age, steady = ages(entries, clock.now()), clock.monotonic()
        asked = tuple(check(rollout, reading, entries, age, self._streaks.lasted(rollout.current.phase.name, steady)))
        self._streaks.heard(asked, steady)
        return asked

    def _observe(self, rollout: Rollout) -> Reading:
        steady = self._crew.ports.read.clock.monotonic()
        apart = NOTHING if self._observed is None else timedelta(seconds=steady - self._observed)
        self._observed = steady
        return observe(self._crew, self._eyes, rollout, apart)

    def _guard(self, rollout: Rollout) -> Look:
        """Where the entering of a stage was cut off, spaces are treated all the same: what takes back comes first."""
        reading, entries = self._observe(rollout), self._entries()
        asked = self._check(rollout, reading, entries)
        why = reason_to_go_back(rollout, asked, entries)
        look = Look(rollout, ExitCode.COULD_NOT_TELL, "", asked)
        return look if why is None else with_acted(look, revert(self._crew, rollout, why))

    def _enter(self, look: Look) -> Look:
        """Go on with an entering that was cut off; what keeps it from that now is told, and tried again."""
        rollout = look.rollout
        try:
            with self._crew.alone(rollout.id):
                now = self._crew.now(rollout.id)
                if now.standing is not Standing.ENTERING:
                    return Look(now, ExitCode.COULD_NOT_TELL, f"{now.current.name} was entered meanwhile")
                return taken(go_on(self._crew, now))
        except LockedError as error:
            return replace(look, told=f"{rollout.current.name} is being entered: {error.message}")
        except (UnreachableError, NotSupportedError, RefusedError, StorageError) as error:
            return replace(look, code=error.code, told=f"{rollout.current.name} cannot be entered: {error.message}")

    def _judge(self, look: Look, seen: _Seen) -> Look:
        """The planned look, if one is due; then on, if the plan says so by itself."""
        rollout, now = look.rollout, seen.now
        count, _ = due(rollout, now)
        taken = self._looks(rollout) or rollout.looks
        if count and count != taken:  # fewer: the clock was ahead for a while, and those looks were in vain
            found = judged(self._crew, self._eyes, rollout, now)
            self._judged = (rollout.stage, count, found)
            if found is not None:
                note_look(self._crew, self._eyes, rollout, found, now)
                look = replace(look, judgement=found, told=f"{look.told}; {found.verdict.value}: {found.why}")
                if found.verdict is Verdict.HARM:
                    why = Why("judge", f"{rollout.current.name}: {harm_in_words(found)}", Standing.ROLLED_BACK)
                    return with_acted(look, revert(self._crew, rollout, why))
        look = beside(look, silent_splitters(self._crew))  # not before: one that hangs is waited for
        clock_now = self._crew.ports.read.clock.now()
        facts = journal_facts(self._crew, rollout, seen.entries, clock_now)
        left = time_left(facts)
        look = replace(look, overdue=overdue(facts), lasted=stage_age(facts) or NOTHING, left=left)
        by_itself = rollout.current.phase.advance is Advance.BY_ITSELF
        if rollout.standing is not Standing.RUNNING or not by_itself or left > NOTHING:
            return look
        return self._advance(look, seen)

    def _advance(self, look: Look, seen: _Seen) -> Look:
        def answer(rollout: Rollout) -> Answered:
            stage, _, known = self._judged
            earlier = stage == rollout.stage and known is not None and look.judgement is None
            if stage != rollout.stage or known is None:
                known = judged(self._crew, self._eyes, rollout, seen.now)
            answered = ask(self._crew, rollout, seen.reading, known)
            if earlier and passed_but_logs(answered.gates):  # on what was so at the last look
                known = judged(self._crew, self._eyes, rollout, seen.now)
                if known is not None and known.verdict is Verdict.HARM:
                    note_look(self._crew, self._eyes, rollout, known, seen.now)
                answered = ask(self._crew, rollout, seen.reading, known)
            answered = replace(answered, gates=(*answered.gates, heard(look.asked, seen.reading, look.rows)))
            return logged(self._eyes, rollout, answered, seen.now)

        try:
            done = advance(self._crew, look.rollout.id, answer)
        except InterruptedRunError:
            raise  # by a signal: whoever sent it waits for the end
        except RunbookError as error:
            return replace(look, told=f"{look.told}; not advanced: {error.message}")
        look = replace(look, rollout=done.rollout, gates=done.gates)
        if done.acted is None:
            held = ", ".join(held_by(gate) for gate in done.gates if not gate.open)
            return replace(look, told=f"{look.told}; held by {held}")
        return replace(look, acted=done.acted, told=done.acted.told)

    def _looks(self, rollout: Rollout) -> int:
        return self._judged[1] if self._judged[0] == rollout.stage else 0

    def _entries(self) -> list[Entry]:
        """What the journal has; a clock that was set back is journaled, where the disk takes it."""
        try:
            self._known = settled(self._crew.ports.journal, self._crew.ports.read.clock)[0]
        except StorageError:
            self._known = list(self._crew.ports.journal.entries())
        return self._known

    def _note_check(
        self, rollout: Rollout, asked: Sequence[Asked], entries: Sequence[Entry], age: Mapping[int, timedelta]
    ) -> None:
        last = last_check(rollout, entries)
        if asked and (last is None or changed(rollout, asked, entries) or age[last] >= ONCE_IN_A_WHILE):
            self._note(Event.ROLLOUT_CHECKED, record.checked(rollout.current, [each.details for each in asked]))

    def _note(self, event: Event, details: Mapping[str, Any]) -> None:
        """What the journal does not take is told: it keeps nobody from rolling back, and is looked at again."""
        try:
            self._crew.ports.journal.append(event, self._rollout, details)
        except RunbookError as error:
            self._crew.say(f"NOT JOURNALED ({error.message}): {event.value}")
