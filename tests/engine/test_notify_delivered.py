"""One receiver, told out of a real journal: in order, at least once, for an hour; a cursor that is lost is said."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from runbook.adapters.files import write_atomic
from runbook.adapters.journal import FileJournal
from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.notify import FileCursors
from runbook.engine.notify.deliver import GIVE_UP_SECONDS, LONGEST_PAUSE_SECONDS, Delivered, Delivery
from runbook.engine.notify.due import MOST_DUE
from runbook.errors import StorageError
from runbook.model.journal import Event
from runbook.model.notification import Cursor, Later, Message, Outcome, Refused, Sent
from runbook.ports.notify import NotifyPorts

R = "r1"


@dataclass
class Inbox:
    """A receiver whose answers a test gives; what it took is in `taken`, in order."""

    answer: Callable[[Message], Outcome] = lambda _: Sent(200)
    taken: list[str] = field(default_factory=list)
    tried: list[int] = field(default_factory=list)
    name: str = "team"

    def wants(self, message: Message) -> bool:
        """All of it."""
        return bool(message)

    def send(self, message: Message) -> Outcome:
        """As the test says."""
        self.tried.append(message.seq)
        outcome = self.answer(message)
        if isinstance(outcome, Sent):
            self.taken.append(message.title.removeprefix("prod: the rollout "))
        return outcome


class Quiet:
    """`Talk` that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        """Kept."""
        self.said.append(text)

    def progress(self, label: str, done: float, total: float) -> None:
        """Not shown."""


class Scene:
    """A state folder with a journal, and one receiver."""

    def __init__(self, state: Path) -> None:
        self.state, self.clock, self.talk = state, MemoryClock(), Quiet()
        self.journal = FileJournal(state, self.clock, "ann", "bastion")
        self.cursors, self.inbox = FileCursors(state), Inbox()
        self.journal.append(Event.ROLLOUT_STARTED, R, {"target": "prod", "plan": {}})

    def enter(self, *names: str) -> None:
        """Stages are entered."""
        for name in names:
            self.journal.append(Event.ROLLOUT_ENTERED, R, {"stage": 0, "name": name, "run": "x"})

    def deliver(self, **said: Any) -> Delivered:
        """By a process of its own: nothing is known but what the folder holds."""
        ports = NotifyPorts(self.journal, self.cursors, self.journal, self.clock, self.talk)
        return Delivery(ports, self.inbox, **said).run()

    @property
    def cursor(self) -> Cursor:
        """How far the receiver is."""
        found = self.cursors.load("team")
        assert isinstance(found, Cursor)
        return found

    def failed(self) -> list[dict[str, Any]]:
        """What the journal says was given up."""
        return [dict(each.details) for each in self.journal.entries() if each.event is Event.NOTIFICATION_FAILED]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A journal with a rollout, and a receiver that was never told anything."""
    return Scene(tmp_path / "state")


def test_a_new_receiver_begins_now_and_is_told_what_comes_in_order(scene: Scene) -> None:
    """History is not news; what came before is remembered, so that the target is known."""
    scene.enter("shadow")
    assert scene.deliver() == Delivered("team")
    assert scene.cursor.since == "began with entry 3: it is new"
    scene.enter("internal", "canary")
    assert scene.deliver().sent == 2
    assert scene.inbox.taken == ["entered internal", "entered canary"]
    assert scene.deliver() == Delivered("team")


def test_a_new_receiver_is_told_what_the_command_journaled_that_found_it(scene: Scene) -> None:
    """Else the first rollback after it was configured would be silent."""
    scene.enter("shadow", "internal")
    assert scene.deliver(first=3).sent == 1
    assert scene.inbox.taken == ["entered internal"]


def test_it_is_tried_with_growing_pauses_until_it_is_taken(scene: Scene) -> None:
    """1 s, 2 s, 4 s ... and a receiver that asks for longer gets that; meanwhile `status` knows what waits, and why."""
    scene.deliver()
    scene.enter("shadow")
    waits: list[float] = []

    def answer(message: Message) -> Outcome:
        waits.append(scene.clock.monotonic())
        waiting = scene.cursor.waiting
        assert waiting is None or (waiting.seq, waiting.why) == (message.seq, "answered 503")
        return Sent(200) if len(waits) == 6 else Later("answered 503", 30.0 if len(waits) == 4 else None)

    scene.inbox.answer = answer
    assert scene.deliver() == Delivered("team", sent=1)
    assert [after - before for before, after in pairwise(waits)] == [1, 2, 4, 30, 16]
    assert scene.cursor.waiting is None


def test_a_dead_receiver_is_given_up_after_an_hour_and_journaled_once(scene: Scene) -> None:
    """Then the next message has its turn: it is as old by now, so it is soon given up, too."""
    scene.deliver()
    scene.enter("shadow", "internal")
    scene.inbox.answer = lambda _: Later("connection refused")
    assert scene.deliver() == Delivered("team", given_up=2)
    first, second = scene.failed()
    assert (first["receiver"], first["entry"], first["why"]) == ("team", 2, "connection refused")
    assert first["tries"] == scene.inbox.tried.count(2) > GIVE_UP_SECONDS / LONGEST_PAUSE_SECONDS > second["tries"]
    assert scene.clock.monotonic() <= GIVE_UP_SECONDS
    assert scene.clock.monotonic() > GIVE_UP_SECONDS - LONGEST_PAUSE_SECONDS
    assert (scene.cursor.given_up, scene.cursor.failed and scene.cursor.failed.seq) == (2, 3)
    assert scene.deliver() == Delivered("team")  # that it failed is not told, or two dead ones would go on for ever


def test_a_refusal_is_final_and_the_next_one_is_told(scene: Scene) -> None:
    """A 400 will be one tomorrow; nothing waits for it."""
    scene.deliver()
    scene.enter("shadow", "internal")
    scene.inbox.answer = lambda message: Refused("answered 400") if message.seq == 2 else Sent(200)
    assert scene.deliver() == Delivered("team", sent=1, given_up=1)
    assert (scene.clock.monotonic(), [each["why"] for each in scene.failed()]) == (0.0, ["answered 400"])


def test_a_receiver_that_wants_to_be_left_alone_for_longer_than_that_is_given_up(scene: Scene) -> None:
    """A hostile Retry-After of a year holds nobody up."""
    scene.deliver()
    scene.enter("shadow")
    scene.inbox.answer = lambda _: Later("answered 429", 3e7)
    assert scene.deliver().given_up == 1
    assert scene.clock.monotonic() == 0.0


def test_once_leaves_what_is_not_taken_and_it_keeps_its_place(scene: Scene) -> None:
    """The order holds: nothing overtakes it."""
    scene.deliver()
    scene.enter("shadow", "internal")
    scene.inbox.answer = lambda _: Later("answered 503")
    assert scene.deliver(once=True) == Delivered("team", waiting=2, why="answered 503")
    assert scene.failed() == []
    scene.inbox.answer = lambda _: Sent(200)
    assert scene.deliver(once=True).sent == 2
    assert scene.inbox.taken == ["entered shadow", "entered internal"]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_killed_at_any_message_nothing_is_lost(scene: Scene, at: int) -> None:
    """It is told from there on; the one that was under way may be told twice."""
    scene.deliver()
    scene.enter("a", "b", "c")

    def answer(_: Message) -> Outcome:
        if len(scene.inbox.taken) == at:
            raise KeyboardInterrupt
        return Sent(200)

    scene.inbox.answer = answer
    with pytest.raises(KeyboardInterrupt):
        scene.deliver()
    scene.inbox.answer = lambda _: Sent(200)
    scene.deliver()
    assert scene.inbox.taken == ["entered a", "entered b", "entered c"]


@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b'{"version": 2}', b"\xff"])
def test_a_damaged_cursor_begins_now_and_says_so(scene: Scene, damage: bytes) -> None:
    """In the journal, since something may never be told."""
    scene.deliver()
    scene.enter("shadow")
    write_atomic(scene.state / "notify" / "team.json", damage)
    assert scene.deliver() == Delivered("team")
    (said,) = scene.failed()
    assert "does not read; it began with entry 3" in said["why"]
    scene.enter("internal")
    scene.deliver()
    assert scene.inbox.taken == ["entered internal"]


def test_a_new_journal_is_not_read_with_the_old_cursor(scene: Scene) -> None:
    """The old one was put aside: its place is not in the new one."""
    scene.deliver()
    scene.enter("shadow")
    path = scene.state / "journal.jsonl"
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"shadow", b"shadoW"))
    scene.journal.set_aside("test")
    scene.deliver()
    assert "its place is not in this journal any more" in scene.failed()[0]["why"]


def test_of_too_many_the_oldest_are_left_out_and_counted(scene: Scene) -> None:
    """A receiver that was away for a month is not told a month."""
    scene.deliver()
    scene.enter(*(str(number) for number in range(MOST_DUE + 3)))
    assert scene.deliver().sent == MOST_DUE
    assert scene.inbox.taken[0] == "entered 3"
    assert scene.cursor.left_out == 3
    scene.enter(*(str(number) for number in range(MOST_DUE + 3)))
    scene.inbox.answer = lambda _: Later("answered 503")
    assert [scene.deliver(once=True).waiting for _ in range(2)] == [MOST_DUE] * 2
    assert scene.cursor.left_out == 6


def test_a_clock_that_was_set_back_keeps_nobody_trying_for_ever(scene: Scene) -> None:
    """The hour counts on the steady clock, too."""
    scene.deliver()
    scene.enter("shadow")
    scene.clock.set_wall(scene.clock.now() - timedelta(days=400))
    scene.inbox.answer = lambda _: Later("connection refused")
    assert scene.deliver().given_up == 1
    assert scene.clock.monotonic() <= GIVE_UP_SECONDS


def test_what_the_journal_refused_is_told_while_it_waits_and_not_twice(scene: Scene) -> None:
    """A full disk must not silence a rollback."""
    scene.deliver()
    plan = {"id": "b", "target": "prod", "command": "rollback full", "issue": "rollback", "reason": ""}
    scene.journal.rescue(Event.RUN_STARTED, "b", {"plan": plan}, "no space")
    assert scene.deliver().sent == 1
    assert scene.deliver().sent == 0
    scene.enter("shadow")  # adopts it
    assert scene.deliver().sent == 1
    assert scene.inbox.taken == ["prod: rollback full was given by ann", "entered shadow"]


def test_a_full_disk_costs_a_repetition_not_a_message(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """How far it was told cannot be kept: that is said, and the rest is told."""
    scene.deliver()
    scene.enter("shadow", "internal")

    def full(*_: object) -> None:
        raise StorageError("no space is left on the disk")

    monkeypatch.setattr(scene.cursors, "save", full)
    assert scene.deliver().sent == 2
    assert any("no space is left" in text for text in scene.talk.said)


def test_a_damaged_line_is_passed_over(scene: Scene) -> None:
    """`audit verify` says so; what comes behind it is told."""
    scene.deliver()
    scene.enter("shadow", "internal")
    path = scene.state / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"name":"shadow"', b'"name":"SHADOW"'))
    assert scene.deliver().sent == 1
    assert scene.inbox.taken == ["entered internal"]
