"""A notification: what a receiver is told of one entry of the journal, and what came of telling it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """The classes that a receiver can ask for; a message may be of several."""

    PHASE = "phase"  # a rollout entered a stage, is held, goes on, is over
    ROLLBACK = "rollback"  # the brake, and a rollout that is taken back
    PERSON = "person"  # something waits for a person, or does no longer
    VALIDATION = "validation"  # the validator's recommendation has changed
    ALERT = "alert"  # an alert was acted upon, or could have been


class Severity(StrEnum):
    """How bad it is, in the words of PagerDuty's Events API v2."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


USUAL_KINDS = (Kind.PHASE, Kind.ROLLBACK, Kind.PERSON)
"""What a receiver is told that asks for nothing in particular."""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing worth telling. Text is plain, of people and peers: whoever renders it escapes it.

    `seq` is the number of its entry in the journal: sent twice, it is the same message. `subject` is what it is about,
    a run or a rollout: messages of one subject are one incident. `trouble` opens that incident; a message without it
    says that nothing is wrong there any more.
    """

    seq: int
    at: datetime
    event: str
    kinds: frozenset[Kind]
    severity: Severity
    trouble: bool
    title: str
    text: str
    target: str
    subject: str
    who: str
    where: str
    commands: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The same for every message of one subject, on whichever machine it is said."""
        return f"engram-runbook/{self.target}/{self.subject}"


@dataclass(frozen=True, slots=True)
class Sent:
    """The receiver took it."""

    status: int


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never be taken; `why` holds no secret."""

    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """It was not taken, and may be yet; `after` is for how many seconds the receiver asks to be left alone."""

    why: str
    after: float | None = None


Outcome = Sent | Refused | Later


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the journal behind an entry: its number, the bytes up to there, and the entry's hash."""

    seq: int
    size: int
    hash: str


START = Position(0, 0, "0" * 64)
"""Before the first entry."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The last message that was given up, or is being tried."""

    seq: int
    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a receiver has been told, and what must be known to go on from there.

    `since` says how it began. `waiting` is what fails just now, `failed` the last that was given up.
    """

    position: Position
    memory: dict[str, object] = field(default_factory=dict)
    since: str = ""
    sent: int = 0
    given_up: int = 0
    left_out: int = 0
    sent_at: datetime | None = None
    early: tuple[str, ...] = ()
    """What was told while it waited in the journal's second place: not once more, when it is adopted."""
    waiting: Failure | None = None
    failed: Failure | None = None
