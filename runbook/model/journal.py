"""The journal's words: what happened, to which run, by whom; and what is wrong with a journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Event(StrEnum):
    """Everything that is journaled. Append-only: a reader of old journals must know them all."""

    RUN_STARTED = "run.started"
    STEP_INTENT = "step.intent"
    STEP_OUTCOME = "step.outcome"
    STEP_OBSERVED = "step.observed"  # read off the nodes after an interruption
    UNDO_INTENT = "undo.intent"
    UNDO_OUTCOME = "undo.outcome"
    WATCH_STARTED = "watch.started"
    WATCH_ENDED = "watch.ended"
    EVIDENCE_COLLECTED = "evidence.collected"
    RUN_RESUMED = "run.resumed"
    RUN_ENDED = "run.ended"
    BASELINE_CAPTURED = "baseline.captured"
    DRILL_STARTED = "drill.started"
    DRILL_ENDED = "drill.ended"
    JOURNAL_TORN = "journal.torn"
    JOURNAL_STARTED = "journal.started"
    APPROVAL_ASKED = "approval.asked"  # a run that waits for a second person, with its whole plan
    APPROVAL_GIVEN = "approval.given"
    APPROVAL_WITHDRAWN = "approval.withdrawn"
    CLOCK_SET_BACK = "clock.set_back"  # the wall clock was found far behind the last entry; time counts from here on
    RUN_SUPERSEDED = "run.superseded"  # the emergency brake overtook an open run, or went where an earlier one had not
    JOURNAL_ADOPTED = "journal.adopted"  # an entry that the journal had refused, from its second place
    BACKUP_CREATED = "backup.created"
    BACKUP_VERIFIED = "backup.verified"
    BACKUP_RESTORED = "backup.restored"
    BACKUP_PRUNED = "backup.pruned"
    BACKUP_PINNED = "backup.pinned"  # or let go of again: `pinned` says which
    DATA_IMPORTED = "data.imported"  # an archive filled a staging generation
    DATA_ACTIVATED = "data.activated"  # a generation is served from here on
    MIGRATION_STARTED = "migration.started"  # with its whole plan
    MIGRATION_STEP = "migration.step"  # `step` names it; what it found or made is beside it
    MIGRATION_RESUMED = "migration.resumed"
    MIGRATION_ENDED = "migration.ended"
    FLEET_WORKED = "fleet.worked"  # each host on the data of its own node; `work` names it, `state` how far it is
    ROLLOUT_STARTED = "rollout.started"  # with its whole plan, the plan's digest and the salt of the assignment
    ROLLOUT_APPROVED = "rollout.approved"  # the plan as a whole, by its digest, or one stage
    ROLLOUT_ENTERING = "rollout.entering"  # a stage is intended: its flags, settings and share are about to be set
    ROLLOUT_ENTERED = "rollout.entered"  # and read back; the stage's time counts from here
    ROLLOUT_HELD = "rollout.held"
    ROLLOUT_RELEASED = "rollout.released"
    ROLLOUT_NOTED = "rollout.noted"  # what only people know: complaints, a remark
    ROLLOUT_JUDGED = "rollout.judged"  # a planned look at the guardrails of a stage, with its arithmetic
    ROLLOUT_CHECKED = "rollout.checked"  # triggers and tripwire: journaled when an answer changes, and once in a while
    ROLLOUT_REVERTING = "rollout.reverting"  # flags off and share to nothing are about to be set, and why
    ROLLOUT_ENDED = "rollout.ended"  # completed, aborted or rolled back
    VALIDATED = "validated"  # the production validator's checks and recommendation
    EVIDENCE_WRITTEN = "evidence.written"  # a bundle: where, and the digest of its manifest
    ALERT_RECEIVED = "alert.received"  # by the webhook, once for each firing or resolving, however often it is sent
    ALERT_DIAGNOSED = "alert.diagnosed"  # what was asked because of it, and the answers
    ALERT_ACTED = "alert.acted"  # a run that the configuration lets happen by itself was begun, or why not
    WEBHOOK_REFUSED = "webhook.refused"  # requests that were no alerts of ours: why, and how many, not one entry each
    NOTIFICATION_FAILED = "notification.failed"  # given up after every retry: which receiver, which entry, why


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal. `details` is JSON; it never holds a secret."""

    seq: int
    at: datetime
    event: Event
    run: str
    who: str
    where: str
    details: Mapping[str, Any]


def original(entry: Entry) -> Entry:
    """What was meant to be journaled: an adopted entry as it was written in the second place, any other as it is."""
    kept = entry.details.get("entry") if entry.event is Event.JOURNAL_ADOPTED else None
    if kept is None:
        return entry
    at = datetime.fromisoformat(kept["at"])
    return Entry(entry.seq, at, Event(kept["event"]), kept["run"], kept["who"], kept["where"], kept["details"])


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is wrong with a journal: which line (1-based, 0 for the head), which byte, and what."""

    line: int
    byte: int
    what: str


@dataclass(frozen=True, slots=True)
class JournalState:
    """What `audit verify` found: a torn last line is set aside and reported, everything else is damage."""

    path: str
    entries: int
    head: str
    damage: tuple[Damage, ...]
    torn: str = ""
    waiting: int = 0
    """Entries that the journal refused: they wait in its second place until the next entry is written."""

    @property
    def sound(self) -> bool:
        """Is every line there, in order, as it was written?"""
        return not self.damage
