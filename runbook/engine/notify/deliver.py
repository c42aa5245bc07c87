"""Telling one receiver what is due: in order, again and again for a while, at least once; and then it is given up."""

from dataclasses import dataclass, replace

from runbook.engine.notify.due import Due, begun, due
from runbook.errors import RunbookError
from runbook.model.journal import Event
from runbook.model.notification import Cursor, Failure, Later, Message, Outcome, Refused, Sent
from runbook.ports.notify import NotifyPorts, Receiver

GIVE_UP_SECONDS = 3600.0
"""A message that is older is tried once more, and given up: an hour late it is history."""
LONGEST_PAUSE_SECONDS = 60.0
MOST_EARLY = 100


@dataclass(frozen=True, slots=True)
class Delivered:
    """How one receiver fared."""

    receiver: str
    sent: int = 0
    given_up: int = 0
    waiting: int = 0
    why: str = ""


@dataclass(slots=True)
class Delivery:
    """The telling of one receiver, which nobody else tells meanwhile.

    `first` is the entry with which a receiver begins that was never told anything (0: with the next one). With `once`
    everything is tried once, and what is not taken is left for another time.
    """

    ports: NotifyPorts
    receiver: Receiver
    first: int = 0
    once: bool = False
    _sent: int = 0
    _given_up: int = 0

    def run(self) -> Delivered:
        """Tell what is due, until nothing is."""
        cursor = self._cursor()
        while True:
            dues = due(self.ports.following, cursor, self.receiver.wants)
            if dues is None:
                cursor = self._lost("its place is not in this journal any more")
                continue
            if dues.last_left_out is not None:
                last, left_out = dues.last_left_out, cursor.left_out + dues.left_out
                cursor = replace(cursor, position=last.position, memory=last.memory, left_out=left_out)
            for index, each in enumerate(dues.messages):
                cursor, why = self._tell(cursor, each)
                if why:
                    return Delivered(self.receiver.name, self._sent, self._given_up, len(dues.messages) - index, why)
            if not dues.messages:
                if dues.position != cursor.position:
                    self._save(replace(cursor, position=dues.position, memory=dues.memory))
                return Delivered(self.receiver.name, self._sent, self._given_up)

    def _cursor(self) -> Cursor:
        found = self.ports.cursors.load(self.receiver.name)
        if isinstance(found, Cursor):
            return found
        if found is None:
            cursor = begun(self.ports.following, self.first, "it is new")
            self._save(cursor)
            return cursor
        return self._lost(found)

    def _lost(self, why: str) -> Cursor:
        """Begin anew, and say so, in the journal too: something may never be told."""
        cursor = begun(self.ports.following, self.first, why)
        self.ports.talk.say(f"{self.receiver.name}: {why}; it {cursor.since}")
        self._note({"receiver": self.receiver.name, "entry": None, "why": f"{why}; it {cursor.since}"})
        self._save(cursor)
        return cursor

    def _tell(self, cursor: Cursor, each: Due) -> tuple[Cursor, str]:
        """The cursor behind the message, which was told or given up; or why it has to wait."""
        outcome, tries = self._persist(cursor, each.message)
        now = self.ports.clock.now()
        cursor = replace(cursor, waiting=None)
        match outcome:
            case Sent():
                self._sent += 1
                cursor = replace(cursor, sent=cursor.sent + 1, sent_at=now)
            case Later(why) if self.once:
                cursor = replace(cursor, waiting=Failure(each.message.seq, now, why))
                self._save(cursor)
                return cursor, why
            case Later(why) | Refused(why):
                self._given_up += 1
                failure = Failure(each.message.seq, now, why)
                cursor = replace(cursor, given_up=cursor.given_up + 1, failed=failure)
                self._give_up(each.message, why, tries)
        early = (*cursor.early, each.early)[-MOST_EARLY:] if each.early else cursor.early
        cursor = replace(cursor, position=each.position, memory=each.memory, early=early)
        self._save(cursor)
        return cursor, ""

    def _persist(self, cursor: Cursor, message: Message) -> tuple[Outcome, int]:
        """Try until it is taken or refused, or too old; how often."""
        clock, tries, told = self.ports.clock, 0, ""
        age = (clock.now() - message.at).total_seconds()
        deadline = clock.monotonic() + GIVE_UP_SECONDS - max(age, 0.0)
        while True:
            outcome = self.receiver.send(message)
            tries += 1
            if not isinstance(outcome, Later) or self.once:
                return outcome, tries
            pause = max(min(2.0 ** (tries - 1), LONGEST_PAUSE_SECONDS), outcome.after or 0.0)
            if clock.monotonic() + pause > deadline:
                return outcome, tries
            if outcome.why != told:
                told = outcome.why
                self._save(replace(cursor, waiting=Failure(message.seq, clock.now(), told)))
            self.ports.talk.say(f"{self.receiver.name}: {outcome.why}; try {tries + 1} in {pause:.0f} s")
            clock.sleep(pause)

    def _give_up(self, message: Message, why: str, tries: int) -> None:
        self.ports.talk.say(f"{self.receiver.name}: entry {message.seq} ({message.event}) is given up: {why}")
        told = {"receiver": self.receiver.name, "entry": message.seq, "event": message.event}
        self._note({**told, "why": why, "tries": tries})

    def _note(self, details: dict[str, object]) -> None:
        try:
            self.ports.journal.append(Event.NOTIFICATION_FAILED, "", details)
        except RunbookError as error:  # the others are told all the same
            self.ports.talk.say(f"{self.receiver.name}: not journaled ({error}): {details}")

    def _save(self, cursor: Cursor) -> None:
        try:
            self.ports.cursors.save(self.receiver.name, cursor)
        except RunbookError as error:  # it may be told twice then, and that is better than never
            self.ports.talk.say(f"{self.receiver.name}: how far it was told is not kept: {error}")
