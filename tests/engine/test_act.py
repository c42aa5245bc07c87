"""Acting on an issue, over ports in memory."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from fleet_in_memory import ORDINARY, RUN, SICK, STEPS, STOPPED, World, world

from runbook.errors import LockedError
from runbook.issues.high_formation_rate import CLUSTER_SIZE, CONCEPTS, SAMPLE_RATE, THRESHOLD
from runbook.model.answer import Answer
from runbook.model.journal import Event
from runbook.model.play import HostState, PlayRequest
from runbook.model.run import RunStatus, StepState

KEYS = (THRESHOLD, SAMPLE_RATE, CLUSTER_SIZE)
NAMES = ("a", "b", "c", "d", "e", "f")


def all_of(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every node with those settings."""
    return {name: dict(values) for name in NAMES}


def failing_at(key: str, node: str, scene: World) -> None:
    """From now on that node keeps its value of that key, whatever it is told."""

    class Ignoring(dict[str, Any]):
        def __setitem__(self, name: str, value: Any) -> None:
            if name != key:
                super().__setitem__(name, value)

    scene.fleet.settings[node] = Ignoring(scene.fleet.settings[node])


def test_a_run_that_helps_changes_every_node_and_is_recovered() -> None:
    """All steps on all sick nodes, read back, and a journal that tells all of it."""
    scene = world(NAMES)
    carried = scene.act()
    assert carried.status is RunStatus.RECOVERED
    assert scene.settings == all_of(ORDINARY)
    run = scene.runs()[RUN]
    assert run.status is RunStatus.RECOVERED
    assert [progress.state for progress in run.steps] == [StepState.DONE] * STEPS
    assert all(progress.changed == NAMES for progress in run.steps)
    assert scene.journal.verify().sound


def test_nodes_that_are_well_or_do_not_answer_are_left_alone() -> None:
    """A healthy node keeps its settings, and a dead one is not in the plan."""
    scene = world(NAMES, b=ORDINARY | {SAMPLE_RATE: 0.09})
    scene.fleet.ill = lambda settings: settings == SICK
    scene.fleet.dead["c"] = "refused"
    plan = scene.diagnosed()
    assert {change.node for step in plan.steps for change in step.changes} == {"a", "d", "e", "f"}
    assert scene.act(plan=plan).status is RunStatus.RECOVERED
    assert scene.settings["b"][SAMPLE_RATE] == 0.09
    assert scene.settings["c"] == SICK


def test_a_watch_asks_for_the_limits_that_the_plan_brings() -> None:
    """Of one node, lower than the issue's own: it is at rest, and that is not low enough here."""
    scene = world(NAMES)
    plan = replace(scene.diagnosed(), limits={"b": {"growth_per_hour(process_resident_memory_bytes)": -1.0}})
    carried = scene.act(plan=plan)
    assert carried.status is RunStatus.NOT_RECOVERED
    assert carried.watched is not None
    assert {each.node for each in carried.watched.findings if each.answer is not Answer.YES} == {"b"}


def test_every_change_has_an_intent_before_and_an_outcome_after() -> None:
    """The journal's order is the order of things."""
    scene = world(NAMES)
    scene.act()
    events = [entry.event for entry in scene.journal.entries()]
    steps = [Event.STEP_INTENT, Event.STEP_OUTCOME] * STEPS
    assert events == [Event.RUN_STARTED, *steps, Event.WATCH_STARTED, Event.WATCH_ENDED, Event.RUN_ENDED]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("node", NAMES)
def test_a_step_that_a_node_ignores_is_undone_with_all_before_it(key: str, node: str) -> None:
    """Whichever step and whichever node, first wave or last: everything is as it was."""
    scene = world(NAMES)
    failing_at(key, node, scene)
    carried = scene.act()
    assert carried.status is RunStatus.UNDONE
    assert carried.status.exit_code == 14
    assert scene.settings == all_of(SICK)
    assert len(carried.results) == KEYS.index(key) + 1
    assert [result.step.index for result in carried.undo_results] == list(range(KEYS.index(key) + 1, 0, -1))
    assert scene.runs()[RUN].status is RunStatus.UNDONE
    assert not scene.runs()[RUN].applied


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("node", NAMES)
def test_a_node_that_no_longer_tells_the_setting_needs_a_person_and_the_others_are_put_back(
    key: str, node: str
) -> None:
    """The plan was made while it still told; now nobody can say whether it took the value."""
    scene = world(NAMES)
    plan = scene.diagnosed()
    del scene.fleet.settings[node][key]
    expected = scene.settings
    carried = scene.act(plan=plan)
    assert carried.status is RunStatus.PERSON_NEEDED
    assert scene.settings == expected


@pytest.mark.parametrize("node", NAMES)
def test_a_node_that_is_lost_before_it_was_touched_needs_nobody(node: str) -> None:
    """A play reads before it writes: nothing was sent to the node, and the others are put back."""
    scene = world(NAMES)
    plan = scene.diagnosed()

    def dies(request: PlayRequest) -> None:
        if request.mark == f"{RUN}.1":
            scene.plays.inner.unreachable.add(node)
            scene.admin.silent[node] = "no connection"

    scene.plays.before = dies
    carried = scene.act(plan=plan)
    assert carried.status is RunStatus.UNDONE
    assert carried.status.exit_code == 14
    assert scene.settings == all_of(SICK)


@pytest.mark.parametrize("step", range(2, STEPS + 1))
@pytest.mark.parametrize("node", NAMES)
def test_a_node_that_is_lost_on_the_way_needs_a_person_and_the_others_are_put_back(step: int, node: str) -> None:
    """It still has what the earlier steps did, so it is not called undone; a later undo reaches it."""
    scene = world(NAMES)
    plan = scene.diagnosed()

    def dies(request: PlayRequest) -> None:
        if request.mark == f"{RUN}.{step}":
            scene.plays.inner.unreachable.add(node)
            scene.admin.silent[node] = "no connection"

    scene.plays.before = dies
    carried = scene.act(plan=plan)
    assert carried.status is RunStatus.PERSON_NEEDED
    assert carried.status.exit_code == 15
    others = {name: values for name, values in scene.settings.items() if name != node}
    assert others == {name: SICK for name in NAMES if name != node}
    scene.plays.inner.unreachable.clear()
    scene.admin.silent.clear()
    undone = scene.undo()
    assert undone.status is RunStatus.DONE
    assert scene.settings == all_of(SICK)


def test_an_undo_that_fails_too_needs_a_person_and_names_the_node() -> None:
    """The steps before it are still put back."""
    scene = world(NAMES)
    failing_at(CLUSTER_SIZE, "f", scene)

    def refuses(request: PlayRequest) -> None:
        scene.plays.inner.ignoring = {"b"} if request.mark == f"{RUN}.2.undo" else set()

    scene.plays.before = refuses
    carried = scene.act()
    assert carried.status is RunStatus.PERSON_NEEDED
    wrong = [host.host for result in carried.undo_results for host in result.hosts if not host.done]
    assert wrong == ["b"]
    assert scene.settings == {**all_of(SICK), "b": {**SICK, SAMPLE_RATE: 0.05}}
    assert [change.node for step in scene.undo_plan().steps for change in step.changes] == ["b"]
    assert scene.undo().status is RunStatus.DONE
    assert scene.settings == all_of(SICK)


@pytest.mark.parametrize("key", KEYS)
def test_a_value_that_someone_changed_since_the_plan_is_not_overwritten(key: str) -> None:
    """Compare and set: the step fails, and what the run did is put back around it."""
    scene = world(NAMES)
    plan = scene.diagnosed()
    other = 4 if key == CLUSTER_SIZE else 0.33
    scene.fleet.settings["d"][key] = other
    carried = scene.act(plan=plan)
    assert carried.status is RunStatus.UNDONE
    assert scene.settings == {**all_of(SICK), "d": {**SICK, key: other}}
    states = {host.host: host.state for host in carried.results[-1].hosts}
    assert states["d"] is HostState.FAILED


def test_a_value_that_someone_already_set_is_not_taken_for_ours_when_the_run_fails() -> None:
    """It was at the new value before the step: putting it back would overwrite someone else's change."""
    scene = world(NAMES)
    plan = scene.diagnosed()
    scene.fleet.settings["b"][THRESHOLD] = 0.65
    failing_at(CLUSTER_SIZE, "f", scene)
    assert scene.act(plan=plan).status is RunStatus.UNDONE
    assert scene.settings == {**all_of(SICK), "b": {**SICK, THRESHOLD: 0.65}}


def test_a_value_that_someone_already_set_is_not_taken_for_ours_by_an_undo() -> None:
    """The same, where the run went well."""
    scene = world(NAMES)
    plan = scene.diagnosed()
    scene.fleet.settings["b"][THRESHOLD] = 0.65
    assert scene.act(plan=plan).status is RunStatus.RECOVERED
    assert scene.undo().status is RunStatus.DONE
    assert scene.settings == {**all_of(SICK), "b": {**SICK, THRESHOLD: 0.65}}


@pytest.mark.parametrize("lock", ["target-fleet", f"run-{RUN}"])
def test_a_run_that_finds_the_lock_held_leaves_no_trace(lock: str) -> None:
    """Nothing journaled, nothing changed."""
    scene = world(NAMES)
    with scene.locks.hold(lock, "other"), pytest.raises(LockedError, match="other"):
        scene.act()
    assert scene.journal.lines == []
    assert scene.settings == all_of(SICK)


@pytest.mark.parametrize("node", NAMES)
def test_a_run_that_finds_a_lease_held_gives_back_what_it_took(node: str) -> None:
    """Another machine works on one of the nodes."""
    scene = world(NAMES)
    scene.admin.leases[node] = ("ben@elsewhere", "other-run")
    with pytest.raises(LockedError, match="ben@elsewhere"):
        scene.act()
    assert scene.journal.lines == []
    assert scene.settings == all_of(SICK)
    assert scene.admin.leases == {node: ("ben@elsewhere", "other-run")}
    del scene.admin.leases[node]
    assert scene.act().status is RunStatus.RECOVERED


def test_locks_and_leases_are_given_back_while_it_watches() -> None:
    """Another run may work on the fleet meanwhile."""
    scene = world(NAMES)
    seen: list[tuple[int, bool]] = []
    original = scene.fleet.expose

    def expose(name: str, at: float) -> Any:
        if any(entry.event is Event.WATCH_STARTED for entry in scene.journal.entries()):
            seen.append((len(scene.admin.leases), "target-fleet" in scene.locks._holders))
        return original(name, at)

    scene.ports.read.probes._port.expose = expose  # type: ignore[attr-defined]  # the twin calls it by its field
    scene.act()
    assert seen
    assert set(seen) == {(0, False)}


def test_emergency_steps_are_not_taken_unless_allowed() -> None:
    """Not recovered, and concepts still form."""
    scene = world(NAMES)
    scene.fleet.ill = lambda settings: settings[CONCEPTS] is True
    assert scene.act(disruptive=False).status is RunStatus.NOT_RECOVERED
    assert scene.settings == all_of(ORDINARY)


def test_emergency_steps_are_not_taken_unless_needed() -> None:
    """Allowed, but the ordinary ones helped."""
    scene = world(NAMES)
    assert scene.act(disruptive=True).status is RunStatus.RECOVERED
    assert scene.settings == all_of(ORDINARY)
    assert scene.runs()[RUN].steps[-1].state is StepState.PENDING


def test_emergency_steps_are_taken_where_allowed_and_needed() -> None:
    """After a watch that did not see recovery; a second watch sees it."""
    scene = world(NAMES)
    scene.fleet.ill = lambda settings: settings[CONCEPTS] is True
    assert scene.act(disruptive=True).status is RunStatus.RECOVERED
    assert scene.settings == all_of(STOPPED)


@pytest.mark.parametrize("node", NAMES)
def test_an_emergency_step_that_fails_takes_the_ordinary_ones_back_with_it(node: str) -> None:
    """`undone` says that everything was put back: so it must be."""
    scene = world(NAMES)
    scene.fleet.ill = lambda settings: settings[CONCEPTS] is True
    failing_at(CONCEPTS, node, scene)
    assert scene.act(disruptive=True).status is RunStatus.UNDONE
    assert scene.settings == all_of(SICK)


def test_a_plan_of_emergency_steps_alone_takes_them_at_once() -> None:
    """Every ordinary value is already where the runbook wants it: a watch before would only lose time."""
    scene = world(NAMES, **dict.fromkeys(NAMES, ORDINARY))
    scene.fleet.ill = lambda settings: settings[CONCEPTS] is True
    assert scene.act(disruptive=True).status is RunStatus.RECOVERED
    assert scene.settings == all_of(STOPPED)
    assert sum(entry.event is Event.WATCH_STARTED for entry in scene.journal.entries()) == 1
