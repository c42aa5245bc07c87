"""The journal folded into rollouts: where each stands, whatever was killed, adopted, or is of a newer version."""

import json
import math
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rollout_in_memory import PLAN, RAMP, ROLLOUT, SHADOW, TARGET, Told

from runbook.engine.rollout.plan.conditions import condition_details, condition_of
from runbook.engine.rollout.plan.document import filled
from runbook.engine.rollout.state import current_of, details_of, digest_of, newest_of, plan_of, rollouts_of
from runbook.errors import DamagedError, UsageError
from runbook.model.duration import as_text, duration
from runbook.model.journal import Entry, Event
from runbook.model.judgement import Guardrail, Metric
from runbook.model.metric import Metric as Measure
from runbook.model.quantity import Condition, Reported, Sustained
from runbook.model.rollout import Advance, FreezeWindow, Judging, RolloutPlan, Standing, Trigger, Tripwire

memory = Measure("process_resident_memory_bytes")
slow = Measure("engram_recall_duration_seconds", (("group", "treatment"),)).quantile(0.99)


def test_a_rollout_walks_from_its_start_to_its_end() -> None:
    """Started, entered, held, released, judged, ended: each entry is seen in where it stands."""
    told = Told()
    assert (told.rollout.standing, told.rollout.stage, told.rollout.who) == (Standing.ENTERING, 0, "anna")
    entered = told.enter(0)
    assert (told.rollout.standing, told.rollout.entered[-1].seq) == (Standing.RUNNING, entered.seq)
    told.tell(Event.ROLLOUT_HELD, why="a storm")
    assert (told.rollout.standing, told.rollout.why) == (Standing.HELD, "a storm")
    told.tell(Event.ROLLOUT_RELEASED, reason="over")
    assert (told.rollout.standing, told.rollout.why) == (Standing.RUNNING, "")
    told.enter(1)
    told.tell(Event.ROLLOUT_JUDGED, stage=1, look=1)
    told.tell(Event.ROLLOUT_JUDGED, stage=1, look=2)
    told.tell(Event.ROLLOUT_JUDGED, stage=0, look=9)
    assert (told.rollout.looks, told.rollout.current.name) == (2, "ramp-5%")
    told.tell(Event.EVIDENCE_WRITTEN, folder="/evidence/1", digest="d")
    told.tell(Event.ROLLOUT_ENDED, standing="completed", why="done")
    assert (told.rollout.standing, told.rollout.bundles) == (Standing.COMPLETED, ("/evidence/1",))
    assert current_of(told.entries, TARGET) is None
    assert newest_of(told.entries, TARGET) == told.rollout


def test_a_stage_that_is_being_entered_is_known_after_a_kill() -> None:
    """The intent is there, the stage is not: neither its time nor its looks began; let go, it is entered still."""
    told = Told()
    told.enter(0)
    told.tell(Event.ROLLOUT_ENTERING, stage=1, run="r")
    told.tell(Event.ROLLOUT_HELD, why="wait")
    told.tell(Event.ROLLOUT_RELEASED)
    assert (told.rollout.standing, told.rollout.stage, len(told.rollout.entered)) == (Standing.ENTERING, 1, 1)


def test_an_entering_that_came_to_nothing_is_held_in_the_stage_before_with_its_looks() -> None:
    """Back in the old stage: its time counts on from when it was entered, and what alpha was spent stays spent."""
    told = Told()
    told.enter(0)
    entered = told.enter(1)
    told.tell(Event.ROLLOUT_JUDGED, stage=1, look=1)
    told.tell(Event.ROLLOUT_ENTERING, stage=2, run="r")
    told.tell(Event.ROLLOUT_HELD, stage=1, why="a node refused")
    rollout = told.rollout
    assert (rollout.standing, rollout.stage, rollout.looks) == (Standing.HELD, 1, 1)
    assert rollout.entered[-1].seq == entered.seq
    told.tell(Event.ROLLOUT_RELEASED)
    assert told.rollout.standing is Standing.RUNNING


def test_a_stage_knows_when_its_entering_began() -> None:
    """The first of two tries: from then on the nodes were between two stages."""
    told = Told()
    first = told.tell(Event.ROLLOUT_ENTERING, stage=0, run="r")
    told.enter(0)
    assert (told.rollout.entered[-1].began, told.rollout.entering) == (first.at, None)


def test_what_is_taken_back_goes_nowhere_else_and_what_is_over_stays_over() -> None:
    """Neither a late `entered` nor a release brings back what reverts; an end counts once."""
    told = Told()
    told.enter(0)
    told.tell(Event.ROLLOUT_REVERTING, why="harm", standing="rolled back")
    told.tell(Event.ROLLOUT_ENTERED, stage=1)
    told.tell(Event.ROLLOUT_RELEASED)
    assert (told.rollout.standing, told.rollout.stage, told.rollout.why) == (Standing.REVERTING, 0, "harm")
    told.tell(Event.ROLLOUT_ENDED, standing="rolled back")
    told.tell(Event.ROLLOUT_ENDED, standing="completed")
    told.tell(Event.ROLLOUT_ENTERING, stage=1)
    assert (told.rollout.standing, told.rollout.why) == (Standing.ROLLED_BACK, "harm")


def test_people_are_kept_with_what_they_said() -> None:
    """Approvals with the digest that was approved, notes with the stage that they were noted at."""
    told = Told()
    told.enter(0)
    told.tell(Event.ROLLOUT_APPROVED, who="bert", digest=told.rollout.digest)
    told.tell(Event.ROLLOUT_APPROVED, who="carl", digest="x", phase="ramp", reason="looks well")
    told.tell(Event.ROLLOUT_NOTED, who="dora", stage=0, complaints=2, text="slow")
    told.tell(Event.ROLLOUT_NOTED, who="dora", text="only a remark")
    rollout = told.rollout
    assert [(each.who, each.phase, each.digest == rollout.digest) for each in rollout.approved] == [
        ("bert", None, True),
        ("carl", "ramp", False),
    ]
    assert [(each.complaints, each.stage, each.text) for each in rollout.notes] == [
        (2, 0, "slow"),
        (None, 0, "only a remark"),
    ]


def test_an_adopted_entry_counts() -> None:
    """What the journal refused, and took over later, is part of the rollout as if it had not."""
    told = Told()
    told.enter(0)
    kept = {
        "at": told.now.isoformat(),
        "event": "rollout.reverting",
        "run": ROLLOUT,
        "who": "anna",
        "where": "here",
        "details": {"why": "tripwire"},
    }
    told.tell(Event.JOURNAL_ADOPTED, by="", entry=kept)
    assert (told.rollout.standing, told.rollout.why) == (Standing.REVERTING, "tripwire")


def test_unknown_details_of_a_newer_version_are_passed_over() -> None:
    """More keys in an entry, in the plan, in a phase: the same rollout."""
    told = Told()
    first = told.entries[0]
    plan = {**first.details["plan"], "moon": "full", "phases": [{**p, "x": 1} for p in first.details["plan"]["phases"]]}
    told.entries[0] = replace(first, details={**first.details, "plan": plan, "more": True})
    told.tell(Event.ROLLOUT_NOTED, complaints=None, mood="good")
    assert told.rollout.plan == PLAN


@pytest.mark.parametrize(
    ("event", "details"),
    [
        (Event.ROLLOUT_ENTERED, {"stage": 99}),
        (Event.ROLLOUT_ENTERED, {"stage": True}),
        (Event.ROLLOUT_ENTERING, {}),
        (Event.ROLLOUT_ENDED, {"standing": "nowhere"}),
        (Event.ROLLOUT_STARTED, {"target": "x", "plan": {"phases": 3}}),
        (Event.ROLLOUT_STARTED, {"target": "x"}),
    ],
)
def test_an_entry_that_is_none_of_ours_is_damage(event: Event, details: dict[str, object]) -> None:
    """A stage that the plan does not have, a plan that is none: said, with the entry's number; never guessed."""
    told = Told()
    told.entries.append(Entry(2, told.now, event, ROLLOUT, "anna", "here", details))
    with pytest.raises(DamagedError):
        rollouts_of(told.entries)


def test_targets_do_not_see_each_other() -> None:
    """A rollout of another target is none of this one's."""
    told = Told()
    assert current_of(told.entries, "other") is None
    assert current_of(told.entries, TARGET) == told.rollout


CONDITIONS: tuple[Condition, ...] = (
    slow.above_baseline(1.1, floor=0.01, ceiling=0.02),
    slow.above_baseline(1.1),
    slow.settles(1.5, floor=0.2),
    slow.below_baseline(0.9),
    slow.regains(0.95, bottom=0.5),
    memory.megabytes_per_hour().lasting(timedelta(hours=3)).above(500.0),
    memory.share_of("engram_memory_limit_bytes").below(80.0),
    Measure("engram_recall_confidence", (("group", "treatment"),))
    .mean_against((("group", "control"),), "x")
    .below(0.95),
    Sustained((memory.megabytes_per_hour().above(500.0), memory.megabytes_per_hour().above(200.0))),
    Reported("complaints", "complaints", 3),
)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_condition_reads_back_as_it_was_written(condition: Condition) -> None:
    """Each kind, with and without what may be left out."""
    assert condition_of(condition_details(condition)) == condition


_lengths = st.timedeltas(timedelta(0), timedelta(days=99_999))
_shares = st.floats(0, 1)


@given(length=_lengths)
def test_a_length_of_time_reads_back_to_the_microsecond(length: timedelta) -> None:
    """Whatever the length."""
    assert duration(as_text(length)) == length


@st.composite
def _plans(draw: st.DrawFn) -> RolloutPlan:
    triggers = tuple(
        Trigger(draw(st.text(min_size=1)), condition, draw(_lengths))
        for condition in draw(st.lists(st.sampled_from(CONDITIONS), max_size=3))
    )
    judging = Judging((Guardrail(Metric.LATENCY, draw(_shares), draw(_shares)),), draw(_lengths), draw(st.booleans()))
    phase = replace(
        RAMP,
        shares=tuple(draw(st.lists(_shares, min_size=1, max_size=3))),
        hold=draw(_lengths),
        maximum=draw(st.none() | _lengths),
        triggers=triggers,
        tripwire=draw(st.none() | st.builds(Tripwire, errors=_shares, window=_lengths)),
        judging=draw(st.none() | st.just(judging)),
        advance=draw(st.sampled_from(Advance)),
        spaces=tuple(draw(st.lists(st.text(), max_size=2))),
    )
    begin = draw(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds have none
    freeze = (FreezeWindow(begin, begin + timedelta(days=2), "holidays"),) if draw(st.booleans()) else ()
    return replace(PLAN, phases=(SHADOW, phase), freeze=freeze, bucket=draw(_lengths), salt=draw(st.text()))


@given(plan=_plans())
def test_every_plan_reads_back_as_it_was_written(plan: RolloutPlan) -> None:
    """Lengths, moments, conditions and shares to the last bit; and so does its digest."""
    again = plan_of(details_of(plan))
    assert again == plan
    assert digest_of(again) == digest_of(plan)


def test_the_digest_changes_with_the_salt_and_with_a_limit() -> None:
    """What was approved is exactly what runs."""
    other = replace(PLAN, phases=(SHADOW, replace(RAMP, complaints=4)))
    assert len({digest_of(PLAN), digest_of(replace(PLAN, salt="sugar")), digest_of(other)}) == 3


_junk = st.sampled_from(
    [None, True, -1, 1e308, 10**400, "", "x", "nan", [], {}, [[]], {"a": 1}, math.inf, math.nan, "\ud800"]
)


@settings(max_examples=60)
@given(data=st.data())
def test_whatever_a_journal_holds_is_a_plan_or_damage(data: st.DataObject) -> None:
    """Any place of it replaced by anything: a plan with a digest, or an error of ours; never a crash."""
    details = json.loads(json.dumps(details_of(PLAN)))
    holder: Any = details
    while True:
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))))
        deeper = isinstance(holder[key], dict | list) and holder[key]
        if not deeper or data.draw(st.booleans()):
            holder[key] = data.draw(_junk)
            break
        holder = holder[key]
    with suppress(DamagedError):
        assert len(digest_of(plan_of(details))) == 64


def test_a_space_that_no_node_can_have_is_refused_as_is_one_that_no_phase_is_for() -> None:
    """Before anything is journaled."""
    named = replace(PLAN, phases=(SHADOW, replace(RAMP, names_spaces=True)))
    for space in ("", " ", "a\udcff", "a\x1b[2J"):
        with pytest.raises(UsageError, match="cannot be the name of a space"):
            filled(named, "salt", (space,))
    with pytest.raises(UsageError, match="no phase of plan small is for named spaces"):
        filled(PLAN, "salt", ("alpha",))
    assert filled(PLAN, "salt") == PLAN
