"""Safety rails: what they count, what they refuse and with which numbers, and whom they never hold up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runbook.adapters.memory.clock import MemoryClock
from runbook.adapters.memory.journal import MemoryJournal
from runbook.engine.approval import digest_of
from runbook.engine.history import details_of, plan_of
from runbook.engine.journal_time import ages, settled
from runbook.engine.narrow import narrowed
from runbook.engine.rails import (
    Record,
    approval_needed,
    check_history,
    check_plan,
    check_reason,
    check_steps,
    passes,
    record_of,
)
from runbook.errors import RefusedError
from runbook.issues.high_formation_rate import RUNBOOK
from runbook.model.finding import Change, Plan, PlannedStep
from runbook.model.journal import Entry, Event
from runbook.model.rails import NO_RAILS, Rails, usual_rails
from runbook.model.risk import Risk
from runbook.model.run import RunPlan, RunStep
from runbook.model.target import Node, Target

START = datetime(2026, 11, 22, 21, tzinfo=UTC)
KEY = "dual_memory.concept_sample_rate"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def plan(run: str = "run-1", nodes: Sequence[str] = ("a", "b"), steps: int = 1, **more: Any) -> RunPlan:
    """A run of so many steps on those nodes."""
    changes = tuple(Change(node, KEY, 0.1, 0.05) for node in nodes)
    made = tuple(
        RunStep(index, f"step {index}", "set_config", "restore_config", KEY, changes) for index in range(1, steps + 1)
    )
    return RunPlan(
        run, "test", more.pop("issue", "high-formation-rate"), "fleet", more.pop("reason", "why"), made, **more
    )


def target(rails: Rails, environment: str = "test") -> Target:
    """A fleet with those rails."""
    nodes = tuple(Node(name, f"http://{name}") for name in ("a", "b", "c"))
    return Target("fleet", environment, Path("inventory"), nodes, rails=rails)


WAYS_BACK = [plan(undoes="run-0", reason=""), plan(issue="rollback", reason="", nodes=[str(n) for n in range(100)])]
STRICT = Rails(1, 1, Risk.LOW, require_reason=True, cool_down=HOUR, require_approval=Risk.LOW)


@pytest.mark.parametrize("back", WAYS_BACK, ids=["undo", "rollback"])
def test_a_way_back_passes_everything(back: RunPlan) -> None:
    """Without a reason, on every node, at the highest risk, too soon, and after too many steps."""
    fleet, record = target(STRICT), Record((MINUTE, MINUTE), "rollback-1", 7, MINUTE)
    assert passes(back)
    check_plan(fleet, back, Risk.DISRUPTIVE)
    check_steps(fleet, back, record)
    assert approval_needed(fleet, back, Risk.DISRUPTIVE, record) == ()
    journal = Told().rollback(MINUTE)
    check_history(fleet, back, journal.journal, journal.clock)


@pytest.mark.parametrize(("environment", "strict"), [("production", True), (" PROD ", True), ("staging", False)])
def test_production_needs_a_reason_and_rests_without_being_told_to(environment: str, *, strict: bool) -> None:
    """The usual rails."""
    rails = usual_rails(environment)
    assert (rails.require_reason, bool(rails.cool_down)) == (strict, strict)
    assert (rails == NO_RAILS) is not strict


@pytest.mark.parametrize("reason", ["", " ", "\n"])
def test_a_reason_of_nothing_is_none(reason: str) -> None:
    """The refusal says what to type."""
    with pytest.raises(RefusedError, match="without a reason") as caught:
        check_reason(target(Rails(require_reason=True)), reason)
    assert "--reason" in caught.value.hint
    check_reason(target(Rails(require_reason=True)), "page 4711")
    check_reason(target(NO_RAILS), reason)


def test_too_many_nodes_are_refused_with_the_numbers() -> None:
    """Nodes are counted once, however many steps change them; as many as allowed pass."""
    check_plan(target(Rails(max_hosts_per_run=2)), plan(steps=3), Risk.LOW)
    with pytest.raises(RefusedError, match=r"3 nodes > max_hosts_per_run 2 of fleet") as caught:
        check_plan(target(Rails(max_hosts_per_run=2)), plan(nodes="abc"), Risk.LOW)
    assert "--node" in caught.value.hint


def test_a_risk_above_the_allowed_one_is_refused() -> None:
    """With the way to leave that step out, where the command has one."""
    check_plan(target(Rails(allowed_risk=Risk.MEDIUM)), plan(), Risk.MEDIUM)
    with pytest.raises(RefusedError, match="disruptive > allowed_risk medium") as caught:
        check_plan(target(Rails(allowed_risk=Risk.MEDIUM)), plan(), Risk.DISRUPTIVE, "--max-risk medium")
    assert caught.value.hint == "--max-risk medium"
    with pytest.raises(RefusedError) as caught:
        check_plan(target(Rails(allowed_risk=Risk.LOW)), plan(), Risk.MEDIUM)
    assert "runbook.toml" in caught.value.hint


class Told:
    """A journal that is written by hand, at times that are set by hand."""

    def __init__(self) -> None:
        self.clock = MemoryClock(START)
        self.journal = MemoryJournal(self.clock, "anna", "bastion")

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def wait(self, length: timedelta) -> "Told":
        self.clock.sleep(length.total_seconds())
        return self

    def jump(self, length: timedelta) -> "Told":
        """Set the wall clock, and let no time go by."""
        self.clock.set_wall(self.now + length)
        return self

    def tell(self, event: Event, run: str, **details: Any) -> "Told":
        self.journal.append(event, run, details)
        return self

    def steps(self, count: int, run: str = "run-1", where: str = "fleet") -> "Told":
        """A run that takes so many steps now."""
        made = replace(plan(run, steps=count), target=where)
        self.tell(Event.RUN_STARTED, run, plan=details_of(made))
        for index in range(1, count + 1):
            self.tell(Event.STEP_INTENT, run, step=index, mark="m", changes=[])
        return self

    def rollback(self, since: timedelta, run: str = "rollback-1", *, changed: bool = True) -> "Told":
        """A rollback that ended so long ago."""
        made = plan(run, issue="rollback")
        host = {
            "host": "a",
            "state": "changed" if changed else "unchanged",
            "old": 0.1,
            "read_back": 0.05,
            "message": "",
        }
        self.tell(Event.RUN_STARTED, run, plan=details_of(made))
        self.tell(Event.STEP_INTENT, run, step=1, mark="m", changes=[])
        self.tell(Event.STEP_OUTCOME, run, step=1, done=True, hosts=[host])
        return self.tell(Event.RUN_ENDED, run, status="done").wait(since)

    @property
    def record(self) -> Record:
        entries, now = settled(self.journal, self.clock)
        return record_of(entries, "fleet", now)


def refusal(told: Told, limit: int, steps: int) -> str:
    """What is said of a run of so many steps under that limit; nothing where it may begin."""
    try:
        check_steps(target(Rails(max_steps_per_hour=limit)), plan("run-2", steps=steps), told.record)
    except RefusedError as error:
        return f"{error.message} / {error.hint}"
    return ""


def test_steps_of_the_last_hour_and_of_this_run_are_added_up() -> None:
    """As many as allowed pass; the refusal says when there is room."""
    told = Told().steps(3).wait(20 * MINUTE).steps(2, "run-2").wait(10 * MINUTE)
    assert refusal(told, 8, 3) == ""
    said = refusal(told, 7, 3)
    assert "5 steps in the last hour + 3 of this run = 8 > max_steps_per_hour 7 of fleet" in said
    assert "in 30 minutes" in said
    assert "in 50 minutes" in refusal(told, 4, 3), "the newer ones have to grow old, too"
    assert "alone" in refusal(told, 2, 3)
    assert refusal(told.wait(30 * MINUTE), 7, 3) == "", "an hour old"


def test_the_steps_of_other_targets_do_not_count() -> None:
    """Those of every run on this one do."""
    assert len(Told().steps(3, where="other").steps(2, "run-2").record.steps) == 2


def test_a_clock_that_is_set_back_opens_no_gate() -> None:
    """Nor does it close one for ever."""
    told = Told().steps(5).jump(-3 * HOUR)
    assert refusal(told, 5, 1), "set back after the steps"
    told.steps(1, "run-2").jump(-3 * HOUR)
    assert refusal(told, 6, 1), "and set back again"
    assert refusal(told.wait(59 * MINUTE), 6, 1)
    assert refusal(told.wait(1 * MINUTE), 6, 1) == ""


def test_an_entry_from_the_far_future_holds_nothing_up_for_ever() -> None:
    """A clock that was wrong once: who meets it journals that, and time counts from there, for everybody."""
    told = Told().jump(timedelta(days=30_000)).steps(6).jump(timedelta(days=-30_000)).wait(HOUR)
    assert refusal(told, 6, 1)
    (found,) = [entry for entry in told.journal.entries() if entry.event is Event.CLOCK_SET_BACK]
    assert found.details["last"].startswith("2109")
    assert refusal(told.wait(59 * MINUTE), 6, 1)
    assert refusal(told.wait(MINUTE), 6, 1) == ""
    assert sum(entry.event is Event.CLOCK_SET_BACK for entry in told.journal.entries()) == 1


def test_a_clock_that_is_corrected_a_little_is_not_worth_an_entry() -> None:
    """NTP does that all the time."""
    told = Told().steps(1).jump(timedelta(seconds=-59))
    assert len(told.record.steps) == 1
    assert {entry.event for entry in told.journal.entries()} == {Event.RUN_STARTED, Event.STEP_INTENT}


def entries_at(seconds: Sequence[int]) -> list[Entry]:
    """An entry at each of these moments."""
    return [
        Entry(seq, START + timedelta(seconds=each), Event.RUN_RESUMED, "", "anna", "bastion", {})
        for seq, each in enumerate(seconds, start=1)
    ]


@given(some.lists(some.integers(-100_000, 100_000), min_size=1), some.integers(-100_000, 100_000))
def test_ages_fall_along_the_journal_and_are_never_too_small(seconds: list[int], now: int) -> None:
    """The order of the journal is the order of ages; no age is negative, or less than both clocks say."""
    found = list(ages(entries_at(seconds), START + timedelta(seconds=now)).values())
    assert found == sorted(found, reverse=True)
    assert all(
        age >= max(timedelta(0), timedelta(seconds=now - each)) for each, age in zip(seconds, found, strict=True)
    )


def test_what_waits_in_the_second_place_makes_nothing_of_the_journal_younger() -> None:
    """It is counted by numbers of its own, from 1 on; those of the journal mean the journal's entries."""
    waiting = [replace(each, at=each.at + HOUR) for each in entries_at([0, 60])]
    found = ages([*entries_at([0, 60]), *waiting], START + 2 * HOUR)
    assert (found[1], found[2]) == (2 * HOUR, 2 * HOUR - MINUTE)


@given(some.lists(some.integers(0, 1000), min_size=1), some.integers(0, 1000), some.integers(0, 10_000), some.data())
def test_setting_the_clock_back_makes_nothing_older(
    gaps: list[int], last: int, back: int, data: some.DataObject
) -> None:
    """The ages are those that a clock would give that nobody touched, less what cannot be known."""
    true = [sum(gaps[: index + 1]) for index in range(len(gaps))]
    cut = data.draw(some.integers(0, len(gaps)))
    wrong = [each if index < cut else each - back for index, each in enumerate(true)]
    now = true[-1] + last
    right = ages(entries_at(true), START + timedelta(seconds=now))
    found = ages(entries_at(wrong), START + timedelta(seconds=now - back))
    assert all(found[seq] <= right[seq] for seq in right)


def test_after_a_rollback_a_second_person_is_needed() -> None:
    """For as long as the target says, and no longer; the refusal says how long that is."""
    fleet = target(Rails(cool_down=30 * MINUTE))
    told = Told().rollback(12 * MINUTE)
    (why,) = approval_needed(fleet, plan(), Risk.LOW, told.record)
    assert "rollback rollback-1 was 12 minutes ago < cool_down 30 minutes: 18 minutes are left" in why
    with pytest.raises(RefusedError, match="18 minutes are left"):
        check_history(fleet, plan(), told.journal, told.clock)
    told.wait(18 * MINUTE)
    assert approval_needed(fleet, plan(), Risk.LOW, told.record) == ()
    check_history(fleet, plan(), told.journal, told.clock)


def test_the_rest_ends_when_the_rollback_is_undone_and_does_not_begin_when_it_changed_nothing() -> None:
    """What is not in effect needs no rest."""
    fleet = target(Rails(cool_down=HOUR))
    assert not approval_needed(fleet, plan(), Risk.LOW, Told().rollback(MINUTE, changed=False).record)
    told = Told().rollback(MINUTE)
    undo = details_of(plan("undo-1", issue="rollback", undoes="rollback-1"))
    told.tell(Event.RUN_STARTED, "undo-1", plan=undo).tell(Event.RUN_ENDED, "undo-1", status="done")
    assert not told.record.rollback
    assert not approval_needed(fleet, plan(), Risk.LOW, told.record)


def test_an_approval_lets_a_run_pass_the_rest_only_where_it_is_newer() -> None:
    """What was approved before the rollback was approved of another fleet."""
    fleet = target(Rails(cool_down=HOUR))
    asked = {"plan": details_of(plan()), "risk": "low", "why": [], "seconds": 3600}
    given_ = {"digest": digest_of(plan()), "seconds": 3600, "reason": ""}

    def approved(told: Told) -> Told:
        return told.tell(Event.APPROVAL_ASKED, "run-1", **asked).tell(Event.APPROVAL_GIVEN, "run-1", **given_)

    after = approved(Told().rollback(MINUTE))
    check_history(fleet, plan(), after.journal, after.clock)
    before = approved(Told()).rollback(MINUTE)
    with pytest.raises(RefusedError, match="rollback-1"):
        check_history(fleet, plan(), before.journal, before.clock)


@pytest.mark.parametrize(
    ("risk", "asked", "needed"),
    [(Risk.LOW, None, 0), (Risk.DISRUPTIVE, None, 0), (Risk.MEDIUM, Risk.DISRUPTIVE, 0), (Risk.MEDIUM, Risk.MEDIUM, 1)],
)
def test_a_second_person_is_needed_from_a_risk_on(risk: Risk, asked: Risk | None, needed: int) -> None:
    """And not at all where the target does not say so."""
    assert len(approval_needed(target(Rails(require_approval=asked)), plan(), risk, Record())) == needed


@given(
    some.builds(
        plan,
        nodes=some.lists(some.text(min_size=1), unique=True),
        steps=some.integers(1, 3),
        reason=some.text(some.characters(exclude_categories=["Cs"])),
        watch_seconds=some.floats(0, 1e6),
    )
)
def test_a_plans_digest_survives_the_journal(made: RunPlan) -> None:
    """What is read back of it is what was approved; any change is another digest."""
    journal = MemoryJournal(MemoryClock())
    journal.append(Event.APPROVAL_ASKED, made.id, {"plan": details_of(made)})
    (entry,) = journal.entries()
    read = plan_of(entry.details["plan"])
    again = MemoryJournal(MemoryClock())
    again.append(Event.APPROVAL_ASKED, made.id, {"plan": details_of(read)})
    (entry,) = again.entries()
    assert digest_of(plan_of(entry.details["plan"])) == digest_of(read)
    assert digest_of(replace(read, allow_disruptive=True)) != digest_of(read)


def test_a_plan_is_narrowed_to_nodes_and_to_a_risk() -> None:
    """What is left out stands there as skipped, with its reason."""
    changes = tuple(Change(node, KEY, 0.1, 0.05) for node in "abc")
    whole = Plan("x", tuple(PlannedStep(i, step, changes, ()) for i, step in enumerate(RUNBOOK.steps, start=1)))
    assert narrowed(whole, (), None) == whole
    some_nodes = narrowed(whole, ("b",), None)
    assert {step.nodes for step in some_nodes.steps} == {("b",)}
    assert [each.reason for each in some_nodes.steps[0].skipped] == ["it is not among the --node"] * 2
    calm = narrowed(whole, (), Risk.LOW)
    assert all(bool(step.changes) == (step.step.risk is Risk.LOW) for step in calm.steps)
    assert any(each.reason.endswith("above --max-risk low") for step in calm.steps for each in step.skipped)
