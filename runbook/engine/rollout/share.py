"""A share to nothing, and the named spaces emptied, everywhere at once: by one play on splitters, one on nodes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby

from runbook.engine.apply import checked_by, settings_of
from runbook.engine.brake_journal import Recorder
from runbook.engine.history import details_of
from runbook.engine.outcome import outcome_details
from runbook.engine.rollout.crew import Crew
from runbook.engine.rollout.values import NOBODY, RATE, UNSPLIT, on_splitters
from runbook.errors import ExitCode, InterruptedRunError, RunbookError
from runbook.model.finding import Change
from runbook.model.journal import Event
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.play import HostResult, HostState, TogetherRequest
from runbook.model.run import WAY_BACK, RunPlan, RunStatus, RunStep
from runbook.model.settings import Value, same
from runbook.model.target import Target

COMMAND = "rollout abort"
"""What a person gives again where it did not come to its end."""


@dataclass(frozen=True, slots=True)
class Left:
    """Where the share is not at nothing yet, in words; and the signal that ended it early, as an exit code."""

    told: tuple[str, ...] = ()
    code: ExitCode | None = None


def share_off(crew: Crew, recorder: Recorder, reason: str, silent: Collection[str] = ()) -> Left:
    """The share to nothing and the named spaces emptied, everywhere at once: one play on splitters, one on nodes.

    The `silent` nodes are known not to answer: they are not asked what they run with, which may take long; the play
    is tried on them.
    """
    steps = _steps(crew.target, _settings(crew, silent))
    if not steps:
        return Left()
    plan = RunPlan(crew.new_id(), COMMAND, WAY_BACK, crew.target.name, reason, steps)
    recorder.note(Event.RUN_STARTED, plan.id, {"plan": details_of(plan), "environment": crew.target.environment})
    left: list[tuple[str, str, str]] = []
    ended: tuple[str, ...] = ()
    code: ExitCode | None = None
    for play, together in groupby(steps, key=lambda step: step.do):
        try:
            left += _take(crew, recorder, plan, tuple(together))
        except (KeyboardInterrupt, InterruptedRunError) as error:
            code = getattr(error, "code", ExitCode.INTERRUPTED)
            ended = (f"{play}: interrupted",)
            break
    told = (*_each_once(left), *ended)
    status = RunStatus.PARTIAL if told else RunStatus.DONE
    recorder.note(Event.RUN_ENDED, plan.id, {"status": status.value, "exit_code": int(code or status.exit_code)})
    return Left(told, code)


def _each_once(left: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    """Host, key and message in words: one nginx that is down is one trouble, however many settings it has."""
    keys: dict[tuple[str, str], list[str]] = {}
    for host, key, message in left:
        keys.setdefault((host, message), []).append(key)
    yield from (f"{host}: {', '.join(known)}: {message}" for (host, message), known in keys.items())


def _settings(crew: Crew, silent: Collection[str]) -> NodeSettings:
    """What nodes and splitters run with; where nobody may ask them, the play is tried on all of them."""
    asked = [host for host in crew.target.hosts if host.name not in silent]
    dead = {name: Silence(name, "it did not answer the brake") for name in silent}
    try:
        return {**dead, **crew.ports.read.nodes.settings(asked)}
    except RunbookError as error:
        return {**dead, **{host.name: Silence(host.name, error.message) for host in asked}}


def _steps(target: Target, settings: NodeSettings) -> tuple[RunStep, ...]:
    """Splitters first: where there are any, it is them who say who is treated.

    The share of one that says that it has none goes back, too: a play that was killed may have left another one in its
    file, and the next reload would bring it.
    """
    steps: list[RunStep] = []
    for hosts, play in ((target.splitters, UNSPLIT), (target.nodes, "restore_config")):
        for key, value in NOBODY.items():
            files = play == UNSPLIT and key == RATE
            changes = tuple(_changes({host.name: settings[host.name] for host in hosts}, key, value, files=files))
            if changes:
                title = f"Set {key} to {'nothing' if value == () else value}"
                title = on_splitters(title) if play == UNSPLIT else title
                steps.append(RunStep(len(steps) + 1, title, play, play, key, changes))
    return tuple(steps)


def _changes(settings: NodeSettings, key: str, value: Value, *, files: bool) -> Iterator[Change]:
    for name, known in settings.items():
        if isinstance(known, Silence):
            yield Change(name, key, value, value)
        elif key in known and (files or not same(known[key], value)):
            yield Change(name, key, known[key], value)


def _take(crew: Crew, recorder: Recorder, plan: RunPlan, steps: Sequence[RunStep]) -> list[tuple[str, str, str]]:
    """One play for these steps, and one look at its hosts; where it did not take effect: host, key, and why."""
    mark = f"{plan.id}.{steps[0].index}"
    for step in steps:
        changes = [{"node": each.node, "key": each.key, "old": each.old, "new": each.new} for each in step.changes]
        intent = {"step": step.index, "title": step.title, "playbook": step.do, "mark": mark, "changes": changes}
        recorder.note(Event.STEP_INTENT, plan.id, intent)
        crew.say(f"{step.title} ({step.key})")
    played = _played(crew, steps, mark)
    told: list[tuple[str, str, str]] = []
    settings: NodeSettings = {}
    with suppress(RunbookError):  # where nobody may ask them, the play's own word stands, as for a silent node
        settings = settings_of(crew.ports, crew.target, *steps)
    for step in steps:
        hosts = checked_by(settings, step, played[step.key])
        recorder.note(Event.STEP_OUTCOME, plan.id, outcome_details(step, hosts))
        told += [(host.host, step.key, host.message) for host in hosts if not host.done]
    return told


def _played(crew: Crew, steps: Sequence[RunStep], mark: str) -> Mapping[str, Sequence[HostResult]]:
    """What came of each setting. A broken Ansible can break in any way: then nothing is set, and it is told."""
    values = {step.key: {change.node: change.new for change in step.changes} for step in steps}
    try:
        return crew.ports.plays.run_together(TogetherRequest(steps[0].do, values, mark), crew.say)
    except InterruptedRunError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        told = error.message if isinstance(error, RunbookError) else f"{type(error).__name__}: {error}"
    return {key: [HostResult(host, HostState.NOT_REACHED, message=told) for host in values[key]] for key in values}
