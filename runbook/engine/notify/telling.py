"""An entry of the journal as a message for people, or none. Pure: the entry and what is remembered go in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from runbook.engine.alerts import memory as alerts
from runbook.engine.notify.memory import About, Memory
from runbook.engine.notify.words import way_on
from runbook.model.journal import Entry, Event, original
from runbook.model.notification import Kind, Message, Severity
from runbook.model.rollout import Standing
from runbook.model.run import RunStatus
from runbook.model.validation import Recommendation

MOST_TITLE, MOST_TEXT = 200, 2000
"""Characters; what is longer is cut."""


@dataclass(frozen=True, slots=True)
class _Words:
    kinds: tuple[Kind, ...]
    severity: Severity
    title: str
    text: str = ""
    commands: tuple[str, ...] = ()
    trouble: bool = False


_PHASE, _BOTH = (Kind.PHASE,), (Kind.PHASE, Kind.PERSON)
_BACK = (Kind.ROLLBACK,)


def told(memory: Memory, entry: Entry) -> Message | None:
    """The message of that entry, or None where it is not worth one; the memory takes the entry in.

    An entry that was adopted later is told as what it was.
    """
    meant = original(entry)
    memory.learn(meant)
    about = memory.about(meant.run)
    if meant.event is Event.VALIDATED:
        about = replace(about, target=_said(meant, "target"), subject=f"validation of {_said(meant, 'target')}")
    if meant.event is Event.ALERT_ACTED:
        about = replace(about, target=_said(meant, "target"), subject=_said(meant, "diagnosis"))
    words = _words(memory, meant, about)
    if words is None:
        return None
    news = memory.is_news(about.subject, words.title, trouble=words.trouble)
    silent = words.trouble or words.kinds == (Kind.PERSON,)  # nobody was called, so nobody has to hear that it is over
    return None if silent and not news else _message(meant, about, words)


def _message(entry: Entry, about: About, words: _Words) -> Message:
    return Message(
        seq=entry.seq,
        at=entry.at,
        event=entry.event.value,
        kinds=frozenset(words.kinds),
        severity=words.severity,
        trouble=words.trouble,
        title=_cut(f"{about.target or 'an unknown target'}: {words.title}", MOST_TITLE),
        text=_cut(words.text, MOST_TEXT),
        target=about.target,
        subject=about.subject,
        who=entry.who,
        where=entry.where,
        commands=words.commands,
    )


def _words(memory: Memory, entry: Entry, about: About) -> _Words | None:
    words: _Words | None
    match entry.event:
        case Event.RUN_STARTED if about.is_brake:
            words = _brake_begun(entry, about)
        case Event.RUN_ENDED | Event.MIGRATION_ENDED:
            words = _run_ended(entry, about, memory.troubled.get(about.subject, ()))
        case Event.APPROVAL_ASKED:
            words = _approval(entry, about)
        case Event.APPROVAL_GIVEN | Event.APPROVAL_WITHDRAWN:
            done = "was approved" if entry.event is Event.APPROVAL_GIVEN else "was withdrawn"
            words = _Words((Kind.PERSON,), Severity.INFO, f"run {entry.run} {done} by {entry.who}")
        case Event.VALIDATED:
            words = _validated(memory, entry)
        case Event.ALERT_ACTED:
            words = _alert(entry)
        case _:
            words = _rollout(entry, about)
    return words


def _rollout(entry: Entry, about: About) -> _Words | None:
    name, why = _said(entry, "name"), _said(entry, "why")
    again = way_on(about.target)
    match entry.event:
        case Event.ROLLOUT_ENTERED:
            text = f"Its values were set by run {_said(entry, 'run')}, and read back on every node."
            return _Words(_PHASE, Severity.INFO, f"the rollout entered {name}", text, (again.status,))
        case Event.ROLLOUT_HELD:
            commands = (again.status, again.resume, again.abort)
            return _Words(_BOTH, Severity.WARNING, f"the rollout is held at {name}", why, commands, trouble=True)
        case Event.ROLLOUT_RELEASED:
            return _Words(_BOTH, Severity.INFO, f"the rollout goes on at {name}", _said(entry, "reason"))
        case Event.ROLLOUT_REVERTING:
            title = f"the rollout is being taken back from {name}"
            return _Words((Kind.PHASE, *_BACK), Severity.CRITICAL, title, why, (again.status,), trouble=True)
        case Event.ROLLOUT_ENDED:
            return _ended(entry, name, why, again.report)
        case _:
            return None


def _ended(entry: Entry, name: str, why: str, report: str) -> _Words:
    standing = _said(entry, "standing")
    if standing == Standing.COMPLETED:
        return _Words(_PHASE, Severity.INFO, "the rollout is completed", why, commands=(report,))
    proof = "Flags off and share 0 were read back on every node. " if standing == Standing.ROLLED_BACK else ""
    kinds = (Kind.PHASE, *_BACK)
    return _Words(kinds, Severity.WARNING, f"the rollout is {standing}, from {name}", proof + why, commands=(report,))


def _brake_begun(entry: Entry, about: About) -> _Words | None:
    """The brake alone; where it takes a rollout back, that was told already."""
    if about.subject != entry.run:
        return None
    plan: dict[str, Any] = entry.details["plan"]
    reason = str(plan.get("reason", ""))
    commands = ("runbook runs", f"runbook undo {entry.run}")
    return _Words(_BACK, Severity.CRITICAL, f"{about.command} was given by {entry.who}", reason, commands, trouble=True)


_FINE = frozenset({RunStatus.RECOVERED, RunStatus.DONE, RunStatus.REVERTED})
_SAID = {
    RunStatus.PERSON_NEEDED: (Severity.CRITICAL, "a step failed and its undo failed too: a person is needed now"),
    RunStatus.NOT_RECOVERED: (Severity.ERROR, "it was done and did not help"),
    RunStatus.COULD_NOT_TELL: (Severity.WARNING, "it was done, and whether it helped could not be told"),
    RunStatus.PARTIAL: (Severity.ERROR, "some hosts or steps did not finish"),
    RunStatus.UNDONE: (Severity.ERROR, "a step failed, and what had been changed was put back"),
}


def _run_ended(entry: Entry, about: About, troubles: Sequence[str]) -> _Words | None:
    try:
        status = RunStatus(_said(entry, "status"))
    except ValueError:  # a conversion of a file is no run of a fleet
        return None
    if about.is_brake:
        return _brake_ended(entry, about, status, troubles)
    if about.is_entering and status is not RunStatus.PERSON_NEEDED:
        return None
    if status in _FINE:
        return _Words((Kind.PERSON,), Severity.INFO, f"run {entry.run} ({about.command}) ended well: {status.value}")
    if status not in _SAID:
        return None
    severity, text = _SAID[status]
    title = f"run {entry.run} ({about.command}) needs a person: {status.value}"
    commands = ("runbook runs", f"runbook resume {entry.run}", f"runbook undo {entry.run}")
    return _Words((Kind.PERSON,), severity, title, f"{text[0].upper()}{text[1:]}.", commands, trouble=True)


def _brake_ended(entry: Entry, about: About, status: RunStatus, troubles: Sequence[str]) -> _Words | None:
    """`troubles` are the titles of what was told of its subject: its share goes, or does not, before it ends."""
    partial = f"{about.command} did not reach everything"
    if status in _FINE:
        if about.subject != entry.run:
            return None  # the end of the rollout is told by itself
        if any(each.startswith(partial) for each in troubles):
            return None  # the flags are off, and the share is not: that is no end
        return _Words(_BACK, Severity.INFO, f"{about.command} is done: off was read back on every node")
    title = f"{partial}: {status.value}"
    text = "Flags or shares may still be on somewhere."
    commands = ("runbook runs", f"runbook rollback features --yes --target {way_on(about.target).quoted}")
    return _Words((*_BACK, Kind.PERSON), Severity.CRITICAL, title, text, commands, trouble=True)


def _approval(entry: Entry, about: About) -> _Words:
    why = entry.details.get("why")
    text = "; ".join(map(str, why)) if isinstance(why, list | tuple) else ""
    title = f"run {entry.run} ({about.command}) of {entry.who} waits for the approval of a second person"
    return _Words((Kind.PERSON,), Severity.WARNING, title, text, (f"runbook approve {entry.run}",), trouble=True)


_ADVICE = {Recommendation.PROCEED: Severity.INFO, Recommendation.ROLL_BACK: Severity.CRITICAL}


def _validated(memory: Memory, entry: Entry) -> _Words | None:
    """Told when it changes: an hourly validation is no news."""
    advice = _said(entry, "recommendation")
    if memory.advise(_said(entry, "target"), advice) == advice:
        return None
    severity = next((bad for word, bad in _ADVICE.items() if word == advice), Severity.WARNING)
    title = f"the validator recommends: {advice}"
    again = f"runbook validate --target {way_on(_said(entry, 'target')).quoted}"
    bad = severity is not Severity.INFO
    return _Words((Kind.VALIDATION,), severity, title, _said(entry, "because"), (again,), trouble=bad)


def _alert(entry: Entry) -> _Words:
    """An incident that was acted on by itself because of an alert, or left to people."""
    issue, why = _said(entry, "issue") or "an alert", _said(entry, "why")
    match _said(entry, "state"):
        case alerts.INTENDED:
            title = f"{issue} is acted on by itself, because of an alert"
            return _Words((Kind.ALERT,), Severity.WARNING, title, why, ("runbook runs",), trouble=True)
        case alerts.ENDED if entry.details.get("code") == 0:
            return _Words((Kind.ALERT,), Severity.INFO, f"{issue}, acted on by itself, is over", why)
        case alerts.ENDED | alerts.CUT_OFF as state:
            title = f"{issue}, acted on by itself, needs a person: {_said(entry, 'status') or state}"
            return _Words((Kind.ALERT, Kind.PERSON), Severity.ERROR, title, why, ("runbook runs",), trouble=True)
        case _:
            title = f"{issue} is left to people, though an alert fired"
            command = f"runbook {_said(entry, 'issue') or 'diagnose'}"
            return _Words((Kind.ALERT,), Severity.WARNING, title, why, (command,), trouble=True)


def _said(entry: Entry, name: str) -> str:
    value = entry.details.get(name)
    return value if isinstance(value, str) else ""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
