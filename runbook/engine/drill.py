"""Rehearse a known issue on a fleet that was started for it: the same diagnosis, the same plays, the same watch.

One node of several is left well, so that a diagnosis has to tell the sick from the well. Each phase ends by what is
measured, never by what was injected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from runbook.engine.baseline import capture, doubts
from runbook.engine.carry import Carried, Context, carry_out
from runbook.engine.diagnose import survey
from runbook.engine.evidence import Looking, Shelf
from runbook.engine.incident import ActOptions, run_plan
from runbook.engine.plan import make_plan
from runbook.engine.rank import ranked
from runbook.errors import RefusedError
from runbook.model.answer import Answer
from runbook.model.drill import Phase, Rehearsal
from runbook.model.finding import Diagnosis, Plan
from runbook.model.measurement import Baseline, NodeSettings
from runbook.model.risk import Risk
from runbook.model.run import RunStatus
from runbook.model.runbook import Runbook
from runbook.model.target import Node
from runbook.ports import ChangePorts, Clock, ScratchFleet

SHORTEST_BASELINE = timedelta(seconds=10)
"""A mean that was measured for less is known too badly to compare with."""
DETECT_LIMIT = timedelta(seconds=90)
"""From the fault to a diagnosis that names the sick nodes; an alert would have to be out by then."""

ACT_LIMIT = timedelta(seconds=120)
"""From the diagnosis to the last step read back: a person watches it, and begins to doubt it after two minutes."""

LOOK_SECONDS = 5.0
"""How long reading all nodes may take beside the window: what ends with a look ends that much later at most."""


@dataclass(frozen=True, slots=True)
class DrillOptions:
    """How to rehearse. `window` is how long the first look measures; each later one takes twice as long."""

    run_id: str
    who: str
    window: timedelta
    watch: timedelta
    allow_disruptive: bool = False
    detect_limit: timedelta = DETECT_LIMIT
    act_limit: timedelta = ACT_LIMIT


@dataclass(frozen=True, slots=True)
class Scene:
    """What is rehearsed, where, and by which ports; all of them are of the fleet that was started for it.

    `known` are all issues, the rehearsed one among them: each look asks for all of them, as `runbook diagnose` does.
    """

    runbook: Runbook
    known: tuple[Runbook, ...]
    ports: ChangePorts
    fleet: ScratchFleet
    options: DrillOptions
    shelf: Shelf

    @property
    def clock(self) -> Clock:
        """The steady clock that everything is measured by."""
        return self.ports.read.clock

    @property
    def sick(self) -> tuple[Node, ...]:
        """The nodes that are broken: all but the last one."""
        nodes = self.fleet.target.nodes
        return nodes[:-1] or nodes

    def say(self, text: str) -> None:
        """Tell the person."""
        self.ports.read.talk.say(text)


def rehearse(scene: Scene) -> Rehearsal:
    """Break the fleet, and put the runbook to work on it.

    Raises:
        RefusedError: the fleet was not well before the fault, so that nothing can be learned from it.
        RunbookError: as the ports raise.
        InterruptedRunError: the rehearsal was interrupted in the middle of a play.
    """
    well = max(scene.options.window, SHORTEST_BASELINE)
    scene.say(f"1 of 4: measure the fleet while it is well, for {well.total_seconds():g} s")
    quantities = tuple(dict.fromkeys(each for runbook in scene.known for each in runbook.quantities))
    baseline, silent = capture(scene.fleet.target, quantities, scene.ports.read, well)
    if why_not := (*(f"{each.node}: {each.reason}" for each in silent), *doubts(baseline, [scene.runbook])):
        raise RefusedError(f"the drill's fleet is not well to begin with: {'; '.join(why_not)}")
    names = ", ".join(node.name for node in scene.sick)
    limit = scene.options.detect_limit.total_seconds()
    scene.say(f"2 of 4: break {names} ({scene.runbook.drill}), and look until the runbook sees it; at most {limit:g} s")
    began = scene.clock.monotonic()
    scene.fleet.inject(scene.runbook.drill, scene.sick)
    seen = _detect(scene, baseline, began)
    detected = scene.clock.monotonic()
    if seen.wrong:
        return Rehearsal(_phases(scene, None, None, None), seen.wrong)
    plan = make_plan(scene.runbook, seen.diagnosis, seen.settings, baseline)
    return _treat(scene, baseline, plan, (began, detected))


@dataclass(frozen=True, slots=True)
class _Seen:
    """One look: the diagnosis of the issue, the settings read on the way, and what is wrong with the diagnosis."""

    diagnosis: Diagnosis
    settings: NodeSettings
    wrong: tuple[str, ...]


def _detect(scene: Scene, baseline: Baseline, began: float) -> _Seen:
    """Look, each time twice as long as before, until the sick nodes are found or the time is up; the last look."""
    window, limit = scene.options.window, scene.options.detect_limit.total_seconds()
    while True:
        seen = _look(scene, baseline, window)
        left = limit - LOOK_SECONDS - (scene.clock.monotonic() - began)
        if not seen.wrong or left < scene.options.window.total_seconds():
            return seen
        window = min(window * 2, timedelta(seconds=left))
        scene.say(f"not seen yet: looking for {window.total_seconds():.0f} s")


def _look(scene: Scene, baseline: Baseline, window: timedelta) -> _Seen:
    diagnoses, settings = survey(scene.known, scene.fleet.target, scene.ports.read, baseline, window)
    first = ranked(diagnoses, {each.slug: each.explains for each in scene.known})[0].issue
    diagnosis = next(each for each in diagnoses if each.issue == scene.runbook.slug)
    wrong = misjudged(diagnosis, scene.sick)
    if not wrong and first != scene.runbook.slug:  # a cause of one is often a sign of another: told, and no failure
        scene.say(f"detected; among all issues, {first} has more evidence here: runbook diagnose would name it first")
    return _Seen(diagnosis, settings, wrong)


def misjudged(diagnosis: Diagnosis, sick: Sequence[Node]) -> tuple[str, ...]:
    """What a diagnosis has wrong: sick nodes that it does not call sick, and well ones that it does."""
    broken = {node.name for node in sick}
    wrong = []
    for node in diagnosis.nodes:
        told = f"{node.symptoms[0].question}: {node.symptoms[0].arithmetic}"
        if node.node in broken and node.present is not Answer.YES:
            wrong.append(f"not detected: {node.node} was broken, and the diagnosis is {node.present.value} ({told})")
        elif node.node not in broken and node.present is Answer.YES:
            wrong.append(f"wrong diagnosis: {node.node} is well, and was called sick ({told})")
    return tuple(wrong)


def _treat(scene: Scene, baseline: Baseline, plan: Plan, times: tuple[float, float]) -> Rehearsal:
    options, target = scene.options, scene.fleet.target
    began, detected = times
    command = f"{scene.runbook.slug} --act"
    wanted = ActOptions(options.run_id, command, "drill", options.watch, options.allow_disruptive)
    steps = [each for each in plan.steps if each.step.risk < Risk.DISRUPTIVE or options.allow_disruptive]
    run = run_plan(plan, target.name, steps, wanted)
    if not run.steps:
        why = "detected, but the plan has no step that would change anything"
        return Rehearsal(_phases(scene, detected - began, None, None), (why,))
    scene.say(f"3 of 4: act, {len(run.steps)} steps through Ansible; 4 of 4: watch until it has recovered")
    evidence = scene.runbook.evidence
    looking = None if evidence is None else Looking(evidence, scene.shelf)
    carried = carry_out(Context(scene.ports, target, options.who, scene.runbook.verify, baseline, looking), run)
    if carried.watched is None:
        return Rehearsal(_phases(scene, detected - began, None, None), not_recovered(carried))
    # The watch is the last thing that a run does, so that what came before it is the acting.
    acted = scene.clock.monotonic() - carried.watched.seconds
    recover = carried.watched.seconds if carried.status is RunStatus.RECOVERED else None
    return Rehearsal(_phases(scene, detected - began, acted - detected, recover), not_recovered(carried))


def not_recovered(carried: Carried) -> tuple[str, ...]:
    """Why the run did not end as recovered: the steps that failed, and what the watch did not see come back."""
    if carried.status is RunStatus.RECOVERED:
        return ()
    failed = [
        f"step {result.step.index}, {host.host}: {host.state.value}: {host.message}"
        for result in (*carried.results, *carried.undo_results)
        for host in result.hosts
        if not host.done
    ]
    findings = () if carried.watched is None else carried.watched.findings
    missing = [f"{each.node}: {each.question}: {each.arithmetic}" for each in findings if each.answer is not Answer.YES]
    return (f"the run ended as {carried.status.value}", *failed, *missing)


def _phases(scene: Scene, detect: float | None, act_: float | None, recover: float | None) -> tuple[Phase, ...]:
    options = scene.options
    return (
        Phase("detect", detect, options.detect_limit.total_seconds()),
        Phase("act", act_, options.act_limit.total_seconds()),
        Phase("recover", recover, options.watch.total_seconds() + LOOK_SECONDS),
    )
