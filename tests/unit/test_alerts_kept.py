"""What is kept of an alert, which ones are new, and what the journal makes known of them again."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from runbook.engine.alerts.keeping import (
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_LABELS,
    bounded,
    details_of,
    identity,
    named_target,
    payload_of,
    seen_as,
)
from runbook.engine.alerts.memory import ENDED, INTENDED, AlertMemory
from runbook.model.alert import Alert, Received
from runbook.model.journal import Entry, Event

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


def alert(name: str = "A", *, firing: bool = True, begin: str = "1", **labels: str) -> Alert:
    """One of that name."""
    return Alert(name, firing, {"alertname": name, **labels}, {}, fingerprint="f", starts_at=begin)


def received(of: Alert, target: str = "prod", at: datetime = AT) -> Received:
    """As the intake takes it."""
    return Received(identity(of), at, target, "", bounded(of))


def entry(event: Event, details: dict[str, Any], at: datetime = AT) -> Entry:
    """As the journal has it."""
    return Entry(1, at, event, "", "anna", "bastion", details)


def remembered(*alerts: Alert, most: int = 100) -> AlertMemory:
    """Who took those."""
    memory = AlertMemory(most)
    for each in alerts:
        memory.fold(entry(Event.ALERT_RECEIVED, details_of(received(each))))
    return memory


def diagnosed(memory: AlertMemory, *alerts: Alert, acts: str | None = None) -> None:
    """Their diagnosis."""
    ids = [identity(each) for each in alerts]
    details = {"diagnosis": "d1", "target": "prod", "alerts": ids, "acts": acts}
    memory.fold(entry(Event.ALERT_DIAGNOSED, details))


def acted(memory: AlertMemory, state: str, at: datetime = AT) -> None:
    """What came of it."""
    details = {
        "diagnosis": "d1",
        "target": "prod",
        "issue": "memory-leak",
        "alerts": ["x"],
        "state": state,
        "reason": "r",
    }
    memory.fold(entry(Event.ALERT_ACTED, details, at))


def test_a_firing_is_its_labels_and_its_begin() -> None:
    """Not what is written beside it, nor a fingerprint that anybody could claim; its end is the same firing's."""
    one = alert()
    assert identity(one) == identity(alert(firing=False))
    assert seen_as(one) != seen_as(alert(firing=False))
    assert identity(one) == identity(Alert("A", firing=True, labels=one.labels, annotations={"x": "y"}, starts_at="1"))
    assert len({identity(each) for each in (one, alert(begin="2"), alert(node="n"), alert("B"))}) == 4
    assert identity(Alert("A", firing=True, labels={"b": "2", "a": "1"}, annotations={})) == identity(
        Alert("A", firing=True, labels={"a": "1", "b": "2"}, annotations={})
    )


@given(
    some.dictionaries(some.text(some.characters(exclude_categories=())), some.text(some.characters()), max_size=50),
    some.text(some.characters(exclude_categories=())),
)
def test_whatever_an_alert_holds_is_kept_bounded_and_as_text(labels: dict[str, str], name: str) -> None:
    """Halves of letters, control characters, anything: it can be journaled, and read back as it was kept."""
    of = Alert(name or "A", firing=True, labels={**labels, "alertname": name or "A"}, annotations={"runbook": name})
    kept = received(of)
    assert len(kept.alert.labels) <= MOST_LABELS
    assert all(len(value) <= LONGEST_TEXT and value.isprintable() for value in kept.alert.labels.values())
    details = details_of(kept)
    str(details).encode()
    memory = AlertMemory()
    memory.fold(entry(Event.ALERT_RECEIVED, details))
    assert memory.waiting() == (kept,)
    assert payload_of(memory.waiting())["alerts"][0]["labels"] == kept.alert.labels


def test_the_target_is_named_by_a_label_and_never_by_an_address() -> None:
    """`engram_target` is ours; `target` is what a blackbox exporter calls its URLs."""
    assert named_target(alert(engram_target="a", target="b")) == "a"
    assert named_target(alert(target="b")) == "b"
    assert named_target(alert(target="http://x/")) == ""
    assert named_target(alert(target="10.0.0.1:80")) == ""
    assert named_target(alert()) == ""
    assert len(named_target(alert(target="x" * 1_000_000))) == LONGEST_NAME  # the journal keeps it


def test_what_was_taken_is_known_and_what_was_diagnosed_waits_no_more() -> None:
    """An end waits for nothing, and neither does an alert of a target that there is not."""
    one, other, end = alert(), alert("B"), alert("C", firing=False)
    memory = remembered(one, other, end)
    memory.fold(entry(Event.ALERT_RECEIVED, details_of(received(alert("D"), target=""))))
    assert all(memory.knows(each) for each in (one, other, end, alert("D")))
    assert not memory.knows(alert("A", firing=False))
    assert not memory.knows(alert("C"))
    assert [each.alert.name for each in memory.waiting()] == ["A", "B"]
    diagnosed(memory, one)
    assert [each.alert.name for each in memory.waiting()] == ["B"]
    assert not memory.has_ended(received(one))
    memory.fold(entry(Event.ALERT_RECEIVED, details_of(received(alert(firing=False, begin="0")))))
    assert memory.has_ended(received(one))
    memory.fold(entry(Event.ALERT_RECEIVED, details_of(received(alert(begin="2")))))
    assert not memory.has_ended(received(one))


def test_a_firing_after_its_end_is_a_new_one_though_it_has_the_same_begin() -> None:
    """Alertmanager merges what two Prometheus servers say, and keeps the earliest begin; each is taken once."""
    fires, ends = alert(), alert(firing=False)
    memory = remembered(fires, ends)
    assert (memory.knows(fires), memory.knows(ends)) == (False, True)
    diagnosed(memory, fires)
    memory.fold(entry(Event.ALERT_RECEIVED, details_of(received(fires))))
    assert (memory.knows(fires), memory.knows(ends)) == (True, False)
    assert [each.alert.name for each in memory.waiting()] == ["A"]
    assert not memory.has_ended(received(fires))


def test_what_is_known_again_has_a_bound() -> None:
    """The oldest is forgotten first."""
    alerts = [alert(str(number)) for number in range(5)]
    memory = remembered(*alerts, most=3)
    assert [memory.knows(each) for each in alerts] == [False, False, True, True, True]


def test_a_run_that_was_intended_and_never_ended_is_missed() -> None:
    """Before it began, too: from the diagnosis that said so, to the entry of its end."""
    memory = remembered(alert())
    assert memory.unfinished() == ()
    diagnosed(memory, alert(), acts="memory-leak")
    assert [(each.issue, each.begun) for each in memory.unfinished()] == [("memory-leak", False)]
    acted(memory, INTENDED)
    assert [(each.issue, each.begun) for each in memory.unfinished()] == [("memory-leak", True)]
    acted(memory, ENDED)
    assert memory.unfinished() == ()


def test_runs_of_a_day_are_counted() -> None:
    """By when they began; one from the future counts as well: a clock went back."""
    memory = AlertMemory()
    begins = (timedelta(hours=-25), timedelta(hours=-23), timedelta(hours=1))
    for each in begins:
        acted(memory, INTENDED, AT + each)
    assert memory.began("prod", AT) == (AT + begins[1], AT + begins[2])
    assert memory.began("test", AT) == ()


def test_other_entries_say_nothing() -> None:
    """Whatever they are."""
    memory = AlertMemory()
    others = [each for each in Event if "alert" not in each.value and "adopted" not in each.value]
    for event in others:
        memory.fold(entry(event, {}))
    assert (memory.waiting(), memory.unfinished()) == ((), ())
