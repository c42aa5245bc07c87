"""Runs that wait for a second person: asked, approved, withdrawn, expired, begun once; and what no rail holds up."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fleet_in_memory import ORDINARY, RUN, SICK, UNDO, WATCH, CrashError, World, world

from runbook.engine import approval
from runbook.engine.approval import Office, Stage, alike, standing, told
from runbook.engine.history import details_of
from runbook.engine.incident import ActOptions, run_plan
from runbook.engine.journal_time import ages
from runbook.errors import LockedError, RefusedError
from runbook.issues.high_formation_rate import CLUSTER_SIZE
from runbook.model.journal import Event
from runbook.model.play import PlayRequest
from runbook.model.rails import Rails
from runbook.model.risk import Risk
from runbook.model.run import RunPlan, RunStatus

NAMES = ("a", "b", "c")
HOUR = timedelta(hours=1)
STRICT = Rails(1, 1, Risk.LOW, require_reason=True, cool_down=HOUR, require_approval=Risk.LOW)


def fleet(rails: Rails | None = None) -> World:
    """Sick nodes under those rails."""
    scene = world(NAMES)
    scene.target = replace(scene.target, rails=rails or Rails(require_approval=Risk.LOW))
    return scene


def asked(scene: World) -> RunPlan:
    """A run that anna asked for, which waits."""
    plan = scene.diagnosed()
    made = run_plan(plan, "fleet", plan.ordinary, ActOptions(RUN, "x --act", "why", WATCH, allow_disruptive=False))
    approval.ask(scene.journal, scene.target, made, Risk.MEDIUM, ("a test",))
    scene.wire.calls.clear()
    return made


def office(scene: World, who: str) -> Office:
    """Where that person works: what they journal is under their name."""
    scene.journal._who = who
    return Office(scene.ports.journal, scene.ports.locks, scene.ports.read.clock)


def approved(scene: World, lasts: timedelta = HOUR) -> RunPlan:
    """A run that anna asked for and bert approved."""
    made = asked(scene)
    approval.approve(office(scene, "bert"), RUN, "bert", "looks right", lasts)
    scene.wire.calls.clear()
    return made


def wait(scene: World, length: timedelta) -> None:
    """Let that much time go by."""
    scene.ports.read.clock.sleep(length.total_seconds())


def stands(scene: World) -> str:
    """What is said of the run's approval now."""
    return told(scene.runs()[RUN], ages(scene.journal.entries(), scene.ports.read.clock.now()))


def test_asking_changes_nothing_and_keeps_the_whole_plan() -> None:
    """Nothing is open by it either: other runs may begin, and nothing is resumed by accident."""
    scene = fleet()
    made = asked(scene)
    run = scene.runs()[RUN]
    assert (run.plan, run.status, run.who, run.resumable) == (made, RunStatus.WAITING, "anna", False)
    assert run.applied == ()
    assert scene.settings == dict.fromkeys(NAMES, SICK)
    assert stands(scene) == "waiting for approval, 1 hour left"


def test_what_was_approved_is_carried_out() -> None:
    """By anybody; and then the run is like any other, with its approval beside it."""
    scene = fleet()
    made = approved(scene)
    assert stands(scene) == "approved by bert, 1 hour left"
    carried = approval.begin(scene.context, RUN)
    assert (carried.plan, carried.status) == (made, RunStatus.RECOVERED)
    assert scene.settings == dict.fromkeys(NAMES, ORDINARY)
    run = scene.runs()[RUN]
    assert run.approval is not None
    assert run.approval.given is not None
    assert (run.approval.asked.who, run.approval.given.who) == ("anna", "bert")
    assert scene.undo().status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, SICK)


def test_whoever_asked_cannot_approve() -> None:
    """Nothing is journaled by trying."""
    scene = fleet()
    asked(scene)
    with pytest.raises(RefusedError, match="anna asked for run"):
        approval.approve(office(scene, "anna"), RUN, "anna", "", HOUR)
    assert stands(scene).startswith("waiting")


def test_without_an_approval_it_does_not_begin() -> None:
    """The hint says who can help."""
    scene = fleet()
    asked(scene)
    with pytest.raises(RefusedError, match="waiting for approval") as caught:
        approval.begin(scene.context, RUN)
    assert f"runbook approve {RUN}" in caught.value.hint
    assert scene.settings == dict.fromkeys(NAMES, SICK)


def test_question_and_answer_expire() -> None:
    """Each after its own time; nothing is approved or begun by then."""
    scene = fleet()
    asked(scene)
    wait(scene, HOUR)
    assert stands(scene) == "nobody approved it in time"
    with pytest.raises(RefusedError, match="in time"):
        approval.approve(office(scene, "bert"), RUN, "bert", "", HOUR)

    scene = fleet()
    approved(scene, lasts=timedelta(minutes=10))
    wait(scene, timedelta(minutes=9, seconds=59))
    assert stands(scene) == "approved by bert, 1 second left"
    wait(scene, timedelta(seconds=1))
    assert stands(scene) == "approved by bert, but not begun in time"
    with pytest.raises(RefusedError, match="not begun in time"):
        approval.begin(scene.context, RUN)
    assert scene.settings == dict.fromkeys(NAMES, SICK)


def test_a_clock_that_is_set_back_makes_an_approval_no_younger() -> None:
    """It goes on to age from where it was."""
    scene = fleet()
    approved(scene)
    wait(scene, timedelta(minutes=50))
    clock = scene.ports.read.clock
    scene.journal.append(Event.BASELINE_CAPTURED, "", {})
    clock.set_wall(clock.now() - 5 * HOUR)
    scene.journal.append(Event.BASELINE_CAPTURED, "", {})
    wait(scene, timedelta(minutes=10))
    with pytest.raises(RefusedError, match="not begun in time"):
        approval.begin(scene.context, RUN)


def test_another_plan_than_the_approved_one_does_not_begin() -> None:
    """Should the journal ever say two things."""
    scene = fleet()
    made = asked(scene)
    digest = "0" * 64
    scene.journal.append(Event.APPROVAL_GIVEN, RUN, {"digest": digest, "seconds": 3600, "reason": ""})
    with pytest.raises(RefusedError, match="not what was approved"):
        approval.begin(scene.context, RUN)
    assert scene.settings == dict.fromkeys(NAMES, SICK)
    assert approval.digest_of(made) != digest


def test_a_withdrawn_run_never_begins() -> None:
    """Nor is it approved, nor withdrawn again."""
    scene = fleet()
    approved(scene)
    assert approval.withdraw(office(scene, "cleo"), RUN, "not now").status is RunStatus.WITHDRAWN
    for act in (
        lambda: approval.begin(scene.context, RUN),
        lambda: approval.withdraw(office(scene, "cleo"), RUN, ""),
        lambda: approval.approve(office(scene, "bert"), RUN, "bert", "", HOUR),
    ):
        with pytest.raises(RefusedError, match="withdrawn"):
            act()
    assert scene.settings == dict.fromkeys(NAMES, SICK)


def test_it_begins_once() -> None:
    """A second `resume` of somebody who looked before is refused; one at the same time meets the lock."""
    scene = fleet()
    approved(scene)
    with scene.locks.hold(f"run-{RUN}", RUN), pytest.raises(LockedError):
        approval.begin(scene.context, RUN)
    approval.begin(scene.context, RUN)
    with pytest.raises(RefusedError, match="has gone on meanwhile"):
        approval.begin(scene.context, RUN)


def test_a_rollback_makes_an_approval_void() -> None:
    """Even where the target does not rest."""
    scene = fleet()
    approved(scene)
    brake = replace(scene.runs()[RUN].plan, id="rollback-1", issue="rollback")
    scene.journal.append(Event.RUN_STARTED, brake.id, {"plan": details_of(brake)})
    scene.journal.append(Event.STEP_INTENT, brake.id, {"step": 1, "mark": "m", "changes": []})
    with pytest.raises(RefusedError, match="approved before rollback rollback-1"):
        approval.begin(scene.context, RUN)


def test_what_somebody_changed_meanwhile_stops_the_run() -> None:
    """Compare and set: that node is left alone, and the others are put back."""
    scene = fleet()
    approved(scene)
    scene.fleet.settings["b"][CLUSTER_SIZE] = 99
    assert approval.begin(scene.context, RUN).status is RunStatus.UNDONE
    assert scene.settings == {"a": SICK, "b": {**SICK, CLUSTER_SIZE: 99}, "c": SICK}


def test_a_question_is_asked_once() -> None:
    """Who asks again is shown the run that waits already; another person's, and an expired one, are not it."""
    scene = fleet()
    made = asked(scene)
    again = replace(made, id="another", reason="another")
    runs = scene.runs().values()
    age = ages(scene.journal.entries(), scene.ports.read.clock.now())
    assert alike(runs, again, "anna", age) == scene.runs()[RUN]
    assert alike(runs, again, "bert", age) is None
    assert alike(runs, replace(again, steps=again.steps[:1]), "anna", age) is None
    wait(scene, HOUR)
    age = ages(scene.journal.entries(), scene.ports.read.clock.now())
    assert alike(runs, again, "anna", age) is None
    state = standing(scene.runs()[RUN], age)
    assert state is not None
    assert state.stage is Stage.UNANSWERED


def test_begun_and_cut_off_anywhere_it_ends_as_if_nothing_had_happened() -> None:
    """Before its first entry it waits on; after it, it is resumed: no rail holds up what is half done."""
    position = 1
    while True:
        scene = fleet(Rails(require_approval=Risk.LOW, max_steps_per_hour=3))
        approved(scene)
        scene.wire.trip_after, scene.wire.error = position, CrashError
        try:
            approval.begin(scene.context, RUN)
        except CrashError:
            scene.wire.trip_after = None
        else:
            break
        run = scene.runs()[RUN]
        if run.status is RunStatus.WAITING:
            assert scene.settings == dict.fromkeys(NAMES, SICK)
            approval.begin(scene.context, RUN)
        elif run.resumable:
            scene.resume()
        assert (scene.runs()[RUN].status, scene.settings) == (
            RunStatus.RECOVERED,
            dict.fromkeys(NAMES, ORDINARY),
        ), position
        position += 1
    assert position > 30


def test_no_rail_holds_up_an_undo_or_the_putting_back_of_a_failed_run() -> None:
    """Rails that let nothing begin, put up while the run is under way."""
    scene = fleet()
    scene.target = replace(scene.target, rails=Rails())
    scene.act()
    scene.target = replace(scene.target, rails=STRICT)
    with pytest.raises(RefusedError, match="max_steps_per_hour"):
        scene.act(plan=scene.diagnosed())
    assert scene.undo().status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, SICK)

    def refuses(request: PlayRequest) -> None:
        scene.target = replace(scene.target, rails=STRICT)
        scene.plays.inner.ignoring = {"c"} if request.key == CLUSTER_SIZE else set()

    scene = fleet(Rails())
    scene.plays.before = refuses
    assert scene.act().status is RunStatus.UNDONE
    assert scene.settings == dict.fromkeys(NAMES, SICK)


def test_a_half_undone_run_is_resumed_whatever_the_rails() -> None:
    """And an undo that was cut off too."""
    scene = fleet(Rails())
    scene.act()
    scene.target = replace(scene.target, rails=STRICT)
    scene.wire.calls.clear()
    scene.wire.trip_after = 20
    with pytest.raises(CrashError):
        scene.undo()
    scene.wire.trip_after = None
    assert scene.resume(UNDO).status is RunStatus.DONE
    assert scene.settings == dict.fromkeys(NAMES, SICK)


def test_the_rails_are_asked_once_more_under_the_lock() -> None:
    """Two that were let pass at the same time: the second finds the steps of the first."""
    scene = fleet(Rails(max_steps_per_hour=3))
    plan = scene.diagnosed()
    scene.act(plan=plan)
    with pytest.raises(RefusedError, match="3 steps in the last hour"):
        scene.act(plan=plan)
