"""Which entries of a journal are told, in which words: each is a fold over what came before."""

from datetime import UTC, datetime
from typing import Any

import pytest

from runbook.engine.notify.memory import MOST, Memory, remembered
from runbook.engine.notify.telling import MOST_TEXT, MOST_TITLE, told
from runbook.engine.notify.worth import starts
from runbook.model.journal import Entry, Event
from runbook.model.notification import Kind, Message, Severity

AT = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
R, BRAKE, BACK = "r1", "b1", "w1"
STAGE = {"stage": 2, "name": "canary"}


def plan(run: str, issue: str, command: str = "rollout abort", target: str = "prod") -> dict[str, Any]:
    """A plan as `run.started` journals it."""
    return {"plan": {"id": run, "target": target, "command": command, "issue": issue, "reason": "page 4711"}}


class Story:
    """Entries, told one after the other; the memory goes through its document each time, as it does on a disk."""

    def __init__(self) -> None:
        self.memory = Memory()
        self.seq = 0

    def tell(self, event: Event, run: str = R, /, **details: Any) -> Message | None:
        """The message of the next entry."""
        self.seq += 1
        self.memory = remembered(self.memory.document())
        return told(self.memory, Entry(self.seq, AT, event, run, "ann", "bastion", details))

    def said(self, event: Event, run: str = R, /, **details: Any) -> Message:
        """The message of the next entry, which has one."""
        message = self.tell(event, run, **details)
        assert message is not None
        return message


@pytest.fixture
def story() -> Story:
    """A rollout of `prod` is under way."""
    begun = Story()
    assert begun.tell(Event.ROLLOUT_STARTED, target="prod", plan={}) is None
    return begun


def test_a_rollout_from_stage_to_stage(story: Story) -> None:
    """Entering is news; a hold calls a person with the commands to type, and going on lets that person sleep."""
    assert story.tell(Event.ROLLOUT_ENTERING, **STAGE, run="x") is None
    entered = story.said(Event.ROLLOUT_ENTERED, **STAGE, run="x")
    assert (entered.title, entered.kinds, entered.trouble) == ("prod: the rollout entered canary", {Kind.PHASE}, False)
    held = story.said(Event.ROLLOUT_HELD, **STAGE, why="the judge says harm", by="watch")
    assert (held.severity, held.trouble, held.text) == (Severity.WARNING, True, "the judge says harm")
    assert held.kinds == {Kind.PHASE, Kind.PERSON}
    assert "runbook rollout resume --target prod" in held.commands
    released = story.said(Event.ROLLOUT_RELEASED, **STAGE, reason="it was the network")
    assert (released.trouble, released.key, released.kinds) == (False, held.key, held.kinds)
    done = story.said(Event.ROLLOUT_ENDED, **STAGE, standing="completed", why="")
    assert (done.severity, done.trouble) == (Severity.INFO, False)


def test_a_rollout_that_is_taken_back_is_two_messages_and_one_incident(story: Story) -> None:
    """Its brake and its share are runs of their own, and no news; the end says what was read back."""
    back = story.said(Event.ROLLOUT_REVERTING, **STAGE, run=BRAKE, by="tripwire", ends_as="rolled back", why="5 x p99")
    assert (back.severity, back.trouble, back.text) == (Severity.CRITICAL, True, "5 x p99")
    assert Kind.ROLLBACK in back.kinds
    assert story.tell(Event.RUN_STARTED, BRAKE, **plan(BRAKE, "rollback")) is None
    assert story.tell(Event.STEP_OUTCOME, BRAKE, step=1, done=True, hosts=[]) is None
    assert story.tell(Event.RUN_ENDED, BRAKE, status="done", exit_code=0) is None
    assert story.tell(Event.RUN_STARTED, BACK, **plan(BACK, "rollout back")) is None
    assert story.tell(Event.RUN_ENDED, BACK, status="done", exit_code=0) is None
    ended = story.said(Event.ROLLOUT_ENDED, **STAGE, standing="rolled back", why="5 x p99")
    assert (ended.key, ended.trouble) == (back.key, False)
    assert "read back on every node" in ended.text


def test_a_node_that_is_dead_for_a_night_is_told_once(story: Story) -> None:
    """The watch tries again and again; flags that are not off everywhere call a person, with the command to type."""
    wish = {**STAGE, "by": "tripwire", "ends_as": "rolled back", "why": "5 x p99"}
    assert story.tell(Event.ROLLOUT_REVERTING, **wish, run=BRAKE) is not None
    story.tell(Event.RUN_STARTED, BRAKE, **plan(BRAKE, "rollback"))
    partial = story.said(Event.RUN_ENDED, BRAKE, status="partial", exit_code=5)
    assert partial.kinds == {Kind.ROLLBACK, Kind.PERSON}
    assert "runbook rollback features --yes --target prod" in partial.commands
    for again in ("b2", "b3"):
        assert story.tell(Event.ROLLOUT_REVERTING, **wish, run=again) is None
        assert story.tell(Event.RUN_STARTED, again, **plan(again, "rollback")) is None
        assert story.tell(Event.RUN_ENDED, again, status="partial", exit_code=5) is None
    assert not story.said(Event.ROLLOUT_ENDED, **STAGE, standing="rolled back", why="").trouble


def test_a_share_that_did_not_go_is_no_end_of_its_brake(story: Story) -> None:
    """It is taken off before the brake ends, which may have reached every node; nobody is told that all is well."""
    pulled = story.said(Event.RUN_STARTED, BRAKE, **plan(BRAKE, "rollback"))
    assert story.tell(Event.RUN_STARTED, BACK, **plan(BACK, "rollout back")) is None
    assert story.said(Event.RUN_ENDED, BACK, status="partial", exit_code=5).key == pulled.key
    assert story.tell(Event.RUN_ENDED, BRAKE, status="done", exit_code=0) is None


def test_the_brake_alone(story: Story) -> None:
    """Who gave it and why; then that off was read back, of the same incident."""
    pulled = story.said(Event.RUN_STARTED, BRAKE, **plan(BRAKE, "rollback", "rollback full"))
    assert (pulled.title, pulled.text) == ("prod: rollback full was given by ann", "page 4711")
    assert (pulled.severity, pulled.trouble) == (Severity.CRITICAL, True)
    done = story.said(Event.RUN_ENDED, BRAKE, status="done", exit_code=0)
    assert (done.key, done.trouble, done.kinds) == (pulled.key, False, {Kind.ROLLBACK})


@pytest.mark.parametrize("status", ["person needed", "not recovered", "could not tell", "partial", "undone"])
def test_a_run_that_needs_a_person_is_told_until_it_ends_well(story: Story, status: str) -> None:
    """A run that just ends well is no news; after trouble it is."""
    story.tell(Event.RUN_STARTED, "x", **plan("x", "memory-leak", "memory-leak --act"))
    trouble = story.said(Event.RUN_ENDED, "x", status=status, exit_code=3)
    assert (trouble.kinds, trouble.trouble) == ({Kind.PERSON}, True)
    assert "runbook resume x" in trouble.commands
    story.tell(Event.RUN_RESUMED, "x")
    well = story.said(Event.RUN_ENDED, "x", status="recovered", exit_code=0)
    assert (well.key, well.trouble) == (trouble.key, False)
    story.tell(Event.RUN_STARTED, "y", **plan("y", "memory-leak"))
    assert story.tell(Event.RUN_ENDED, "y", status="recovered", exit_code=0) is None


def test_a_run_that_waits_for_a_second_person(story: Story) -> None:
    """With the command for that person; the yes ends it."""
    asked = story.said(Event.APPROVAL_ASKED, "x", **plan("x", "memory-leak"), risk="medium", why=["risk medium"])
    assert (asked.commands, asked.text, asked.kinds) == (("runbook approve x",), "risk medium", {Kind.PERSON})
    assert not story.said(Event.APPROVAL_GIVEN, "x", digest="", seconds=1).trouble
    assert story.tell(Event.APPROVAL_WITHDRAWN, "x", reason="") is None


def test_the_validator_is_told_when_it_changes_its_mind(story: Story) -> None:
    """An hourly validation is no news."""
    said = {"target": "prod", "because": "p99"}
    first = story.said(Event.VALIDATED, "", **said, recommendation="proceed")
    assert (first.kinds, first.trouble) == ({Kind.VALIDATION}, False)
    assert story.tell(Event.VALIDATED, "", **said, recommendation="proceed") is None
    worse = story.said(Event.VALIDATED, "", **said, recommendation="roll back")
    assert (worse.severity, worse.trouble) == (Severity.CRITICAL, True)


def test_an_alert_that_was_acted_on(story: Story) -> None:
    """That it is, how it went, or that it is left to people."""
    deed = {"diagnosis": "d1", "target": "prod", "issue": "memory-leak", "alerts": ["a"]}
    assert story.said(Event.ALERT_ACTED, "", **deed, state="intended").kinds == {Kind.ALERT}
    assert not story.said(Event.ALERT_ACTED, "", **deed, state="ended", code=0, why="").trouble
    bad = story.said(Event.ALERT_ACTED, "", **deed, state="ended", code=3, status="not recovered", why="")
    assert bad.kinds == {Kind.ALERT, Kind.PERSON}
    assert story.said(Event.ALERT_ACTED, "", **deed, state="left", why="no rail").commands == ("runbook memory-leak",)


def test_what_was_adopted_later_is_told_as_what_it_was(story: Story) -> None:
    """A rollback whose record had to wait in the second place."""
    kept = {"at": AT.isoformat(), "event": "run.started", "run": BRAKE, "who": "bob", "where": "bastion"}
    entry = {**kept, "details": plan(BRAKE, "rollback", "rollback full")}
    assert story.said(Event.JOURNAL_ADOPTED, BRAKE, entry=entry).title == "prod: rollback full was given by bob"


def test_a_run_that_is_not_remembered_is_told_all_the_same(story: Story) -> None:
    """So much is remembered and no more; without its target it goes to everybody."""
    for number in range(MOST + 1):
        story.tell(Event.RUN_STARTED, f"x{number}", **plan(f"x{number}", "memory-leak"))
    message = story.said(Event.RUN_ENDED, "x0", status="person needed", exit_code=15)
    assert (message.target, message.subject) == ("", "x0")
    assert len(remembered(story.memory.document()).runs) == MOST


@pytest.mark.parametrize("details", [{}, {"plan": None}, {"plan": []}, {"status": 7}, {"status": "new", "name": []}])
@pytest.mark.parametrize("event", list(Event))
def test_no_entry_can_break_the_telling(event: Event, details: dict[str, Any]) -> None:
    """Whatever an older or a newer version has journaled."""
    if event is not Event.JOURNAL_ADOPTED:
        Story().tell(event, **details)


def test_long_words_are_cut_and_hostile_targets_quoted() -> None:
    """What goes into a command can be typed as it stands."""
    story = Story()
    story.tell(Event.ROLLOUT_STARTED, target="a'; rm -rf / #", plan={})
    held = story.said(Event.ROLLOUT_HELD, **STAGE, why="x" * 9999)
    assert len(held.text) == MOST_TEXT
    assert len(held.title) <= MOST_TITLE
    assert "runbook rollout resume --target 'a'\\''; rm -rf / #'" in held.commands


def test_nothing_starts_before_the_flags_are_off() -> None:
    """A brake journals its intent first; the telling begins with the outcome of its first step."""
    for event in (Event.RUN_STARTED, Event.STEP_INTENT, Event.RUN_SUPERSEDED, Event.ROLLOUT_REVERTING):
        assert not starts(event, {}, brake=True)
        assert not starts(event, {}, brake=False)
    assert starts(Event.STEP_OUTCOME, {}, brake=True)
    assert not starts(Event.STEP_OUTCOME, {}, brake=False)
    assert starts(Event.RUN_ENDED, {"status": "done"}, brake=True)
