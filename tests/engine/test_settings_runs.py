"""Settings set by hand as runs, over ports in memory: carried, put back, undone; and their history in the journal."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fleet_in_memory import ORDINARY, SICK, UNDO, CrashError, World, world

from runbook.engine.carry import Carried, carry_out
from runbook.engine.setting_history import changes_of, last_of
from runbook.engine.settings_runs import ISSUE, disagreeing, plan_settings, risk_of, run_plan
from runbook.issues.high_formation_rate import CONCEPTS, SAMPLE_RATE, THRESHOLD
from runbook.model.measurement import Silence
from runbook.model.risk import Risk
from runbook.model.run import RunStatus
from runbook.model.setting_change import SettingChange
from runbook.model.settings import Value

HAND = "20261122T200000-0000"


def set_by_hand(scene: World, wanted: dict[str, Value], run: str = HAND) -> Carried:
    """As `runbook flags set` does it, without a watch."""
    settings = scene.ports.read.nodes.settings(scene.target.nodes)
    plan = plan_settings(scene.target.name, settings, wanted)
    return carry_out(replace(scene.context, verify=None), run_plan(plan, run, "flags set", "by hand"))


def history(scene: World, key: str) -> list[SettingChange]:
    """What the journal knows of that setting."""
    return [change for change in changes_of(scene.journal.entries(), "fleet") if change.key == key]


def test_the_plan_says_who_is_changed_who_is_not_and_why() -> None:
    """A value that is there already, a node that is silent, a node that does not know the setting."""
    settings = {"a": SICK, "b": {**SICK, CONCEPTS: False}, "c": Silence("c", "refused"), "d": {}}
    plan = plan_settings("fleet", settings, {CONCEPTS: False, SAMPLE_RATE: 0.5})
    (step,) = plan.steps
    assert [(each.node, each.old, each.new) for each in step.changes] == [("a", True, False)]
    assert (step.do, step.undo, plan.risk) == ("set_features", "restore_features", Risk.DISRUPTIVE)
    assert [each.node for each in plan.already] == ["b", "a", "b"]
    assert {(each.node, each.reason) for each in plan.left_out} == {
        ("c", "refused"),
        ("d", f"it does not tell {CONCEPTS}"),
        ("d", f"it does not tell {SAMPLE_RATE}"),
    }
    assert [risk_of(CONCEPTS, value=value) for value in (True, False)] == [Risk.MEDIUM, Risk.DISRUPTIVE]
    assert risk_of(SAMPLE_RATE, 1.0) is Risk.LOW
    assert disagreeing(settings, [CONCEPTS, SAMPLE_RATE]) == (CONCEPTS,)


def test_it_is_a_run_that_undo_knows() -> None:
    """Set, journaled, undone; the history has both, in order, with the reason."""
    scene = world(("a", "b"))
    assert set_by_hand(scene, {CONCEPTS: False, SAMPLE_RATE: 0.1}).status is RunStatus.DONE
    assert [values[CONCEPTS] for values in scene.settings.values()] == [False, False]
    assert scene.runs()[HAND].plan.issue == ISSUE
    assert scene.undo(HAND).status is RunStatus.DONE
    assert scene.settings == {"a": SICK, "b": SICK}
    told = [(each.run, each.node, each.old, each.new, each.reason) for each in history(scene, CONCEPTS)]
    assert told == [
        (HAND, "a", True, False, "by hand"),
        (HAND, "b", True, False, "by hand"),
        (UNDO, "a", False, True, "undone by test"),
        (UNDO, "b", False, True, "undone by test"),
    ]
    assert last_of(history(scene, CONCEPTS))["a", CONCEPTS].new is True


def test_the_history_has_what_incidents_did_too() -> None:
    """The run of an issue, on the same target; another target has none of it."""
    scene = world(("a", "b"))
    scene.act()
    assert [(each.node, each.old, each.new) for each in history(scene, THRESHOLD)] == [
        ("a", SICK[THRESHOLD], ORDINARY[THRESHOLD]),
        ("b", SICK[THRESHOLD], ORDINARY[THRESHOLD]),
    ]
    assert changes_of(scene.journal.entries(), "another") == ()


def test_what_a_failed_run_put_back_is_told_as_that() -> None:
    """The first step is done and goes back when the second one fails; what was never changed is not in it."""
    scene = world(("a", "b"))
    scene.fleet.settings["b"] = _Ignoring(SICK, SAMPLE_RATE)
    assert set_by_hand(scene, {THRESHOLD: 0.4, SAMPLE_RATE: 0.1}).status is RunStatus.UNDONE
    told = [(each.node, each.old, each.new, each.put_back) for each in history(scene, THRESHOLD)]
    assert told == [("a", 0.2, 0.4, False), ("b", 0.2, 0.4, False), ("a", 0.4, 0.2, True), ("b", 0.4, 0.2, True)]
    assert {each.node for each in history(scene, SAMPLE_RATE)} == {"a"}


def test_a_change_of_which_nobody_knows_the_end_is_in_doubt() -> None:
    """Until the run is resumed, which reads the nodes."""
    scene = world(("a",))
    scene.wire.trip_after = 1 + _calls_before_the_play()
    with pytest.raises(CrashError):
        set_by_hand(scene, {CONCEPTS: False})
    scene.wire.trip_after = None
    (change,) = history(scene, CONCEPTS)
    assert change.in_doubt
    scene.resume(HAND)
    (change,) = history(scene, CONCEPTS)
    assert (change.in_doubt, change.new) == (False, False)


def test_the_last_change_is_the_one_that_was_journaled_last_whatever_the_clock_said() -> None:
    """The clock is set back by a day between two changes."""
    scene = world(("a",))
    set_by_hand(scene, {CONCEPTS: False})
    before = list(scene.journal.entries())
    set_by_hand(scene, {CONCEPTS: True}, UNDO)
    later = [replace(entry, at=entry.at - timedelta(days=1)) for entry in scene.journal.entries()][len(before) :]
    changes = changes_of([*before, *later], "fleet")
    assert [change.new for change in changes] == [False, True]
    assert last_of(changes)["a", CONCEPTS].run == UNDO


def _calls_before_the_play() -> int:
    scene = world(("a",))
    set_by_hand(scene, {CONCEPTS: False})
    return scene.wire.calls.index("plays.run")


class _Ignoring(dict[str, Value]):
    """Settings of which one stays as it is."""

    def __init__(self, values: dict[str, Value], key: str) -> None:
        super().__init__(values)
        self._key = key

    def __setitem__(self, name: str, value: Value) -> None:
        if name != self._key:
            super().__setitem__(name, value)
