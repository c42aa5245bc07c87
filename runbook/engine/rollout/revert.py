"""Take a rollout back: flags off by the emergency brake, then the share to nothing, then the evidence.

It waits for no lock, no approval, no freeze window and no rail, and for no journal: what that refuses waits in its
second place. Given again it begins again, so an interruption loses nothing; no share is ever restored.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import groupby

from runbook.engine.apply import LEASE, checked_by, settings_of
from runbook.engine.brake_journal import Recorder
from runbook.engine.brake_record import Rolled, Wish
from runbook.engine.history import details_of
from runbook.engine.outcome import outcome_details
from runbook.engine.rollout import record
from runbook.engine.rollout.crew import Acted, Crew
from runbook.engine.rollout.splitters import gone
from runbook.engine.rollout.state import rollouts_of
from runbook.engine.rollout.values import NOBODY, RATE, UNSPLIT, on_splitters
from runbook.errors import ExitCode, InterruptedRunError, LockedError, RunbookError
from runbook.model.brake import Rollback
from runbook.model.finding import Change
from runbook.model.journal import Event, original
from runbook.model.measurement import NodeSettings, Silence
from runbook.model.play import HostResult, HostState, TogetherRequest
from runbook.model.rollout import Rollout, Standing
from runbook.model.run import WAY_BACK, RunPlan, RunStatus, RunStep
from runbook.model.settings import Value, same
from runbook.model.target import Target

COMMAND = "rollout abort"
DEADLINE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Why:
    """Who or what takes it back (`person`, `judge`, `trigger`, `tripwire`, `complaints`, `rollback`), and why."""

    by: str
    why: str
    ends_as: Standing
    deadline_seconds: float = DEADLINE_SECONDS


@dataclass(frozen=True, slots=True)
class Left:
    """Where the share is not at nothing yet, in words; and the signal that ended it early, as an exit code."""

    told: tuple[str, ...] = ()
    code: ExitCode | None = None


def revert(crew: Crew, rollout: Rollout, why: Why) -> Acted:
    """Take it back, from whatever standing; it is over when every node was read back.

    Raises nothing for what nodes, Ansible, the journal or the shelf do: that is in what it came to.
    """
    with ExitStack() as shown:
        with suppress(RunbookError):  # nothing waits for it, and it waits for nothing: it only tells who watches
            shown.enter_context(crew.ports.locks.hold(_going_back(crew), rollout.id))
        return _revert(crew, rollout, why)


def taken_back_elsewhere(crew: Crew, rollout: Rollout) -> str:
    """Who is taking it back just now, in words; empty where nobody is. Two at once would end each other's plays."""
    try:
        with crew.ports.locks.hold(_going_back(crew), rollout.id):
            return ""
    except LockedError as error:
        return error.message
    except RunbookError:
        return ""


def _going_back(crew: Crew) -> str:
    return f"back-{crew.target.name}"


def _revert(crew: Crew, rollout: Rollout, why: Why) -> Acted:
    recorder = Recorder(lambda: crew.ports.journal, crew.ports.read.talk)
    rollout = _known(crew, rollout)  # who was asked may have thought about it, while a stage was begun
    why, stage, run = _first_said(crew, rollout, why), rollout.current, crew.new_id()
    details = record.reverting(stage, run, why.by, why.ends_as, why.why)
    recorder.note(Event.ROLLOUT_REVERTING, rollout.id, details)
    entering = _is_entering(rollout)
    if entering:
        # Its run may be about to begin, in another process, where the brake does not see it yet.
        recorder.note(Event.RUN_SUPERSEDED, rollout.run, {"by": run, "command": COMMAND})
    crew.say(f"taking rollout {rollout.id} back: {why.why}")
    rolled = crew.pull(Wish(Rollback.FEATURES, run, why.why, why.deadline_seconds, COMMAND))
    left = Left(code=rolled.interrupted) if rolled.interrupted else share_off(crew, recorder, why.why)
    code = left.code or code_of(rolled, left)
    ended = replace(
        rollout, standing=why.ends_as if code is ExitCode.DONE else Standing.REVERTING, why=why.why, run=run
    )
    if left.code is None and entering:
        _let_go(crew, rollout.run)
    again = rollout.standing is Standing.REVERTING and code is not ExitCode.DONE
    unwritten = ""
    if left.code is None and not again:  # a node that is dead for a night is no reason for hundreds of them
        unwritten = _bundle(crew, ended)
    if code is ExitCode.DONE:
        recorder.note(Event.ROLLOUT_ENDED, rollout.id, record.ended(stage, why.ends_as, why.why))
        recorder.settle(WAY_BACK, rolled.plan)
    told = _told(why, rolled, left) + unwritten
    if strays := gone(rollout, crew.target):  # no inventory, no way to them: it is over all the same, and told
        told += f"; NOT ASKED: {'; '.join(strays)}"
    return Acted(_known(crew, ended), code, told, run, rolled)


def blind(crew: Crew, why: Why) -> tuple[Rolled, Left]:
    """The same where the journal does not tell of any rollout: flags off and the share to nothing, whatever it was."""
    recorder = Recorder(lambda: crew.ports.journal, crew.ports.read.talk)
    rolled = crew.pull(Wish(Rollback.FEATURES, crew.new_id(), why.why, why.deadline_seconds, COMMAND))
    return rolled, Left(code=rolled.interrupted) if rolled.interrupted else share_off(crew, recorder, why.why)


def share_off(crew: Crew, recorder: Recorder, reason: str) -> Left:
    """The share to nothing and the named spaces emptied, everywhere at once: one play on splitters, one on nodes."""
    steps = _steps(crew.target, _settings(crew))
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


def _settings(crew: Crew) -> NodeSettings:
    """What nodes and splitters run with; where nobody may ask them, the play is tried on all of them."""
    hosts = crew.target.hosts
    try:
        return crew.ports.read.nodes.settings(hosts)
    except RunbookError as error:
        return {host.name: Silence(host.name, error.message) for host in hosts}


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


def _is_entering(rollout: Rollout) -> bool:
    """Is a run setting the values of a stage, as far as the journal knows? A hold does not end it."""
    entered = bool(rollout.entered) and rollout.entered[-1].run == rollout.run
    return bool(rollout.run) and not entered and rollout.standing in {Standing.ENTERING, Standing.HELD}


def _first_said(crew: Crew, rollout: Rollout, why: Why) -> Why:
    """What was said when it was first begun to be taken back, where it was: a second try does not change that."""
    if rollout.standing is not Standing.REVERTING:
        return why
    try:
        entries = crew.entries()
    except RunbookError:
        return replace(why, why=rollout.why or why.why)
    said = [
        each.details
        for each in map(original, entries)
        if each.event is Event.ROLLOUT_REVERTING and each.run == rollout.id
    ]
    if not said:
        return why
    first = said[0]
    return replace(why, by=str(first["by"]), why=str(first["why"]), ends_as=Standing(first["ends_as"]))


def code_of(rolled: Rolled, left: Left) -> ExitCode:
    """What the brake says; PARTIAL where it is all off, and a share is not at nothing yet."""
    if rolled.exit_code is not ExitCode.DONE:
        return rolled.exit_code
    return ExitCode.PARTIAL if left.told else ExitCode.DONE


def _let_go(crew: Crew, run: str) -> None:
    """Give back the leases of a run that was killed while it was entering; one that is alive gives back its own."""
    nodes = crew.target.nodes
    with (
        suppress(RunbookError),
        crew.ports.locks.hold(f"run-{run}", run),
        crew.ports.read.nodes.lease(nodes, crew.who, run, LEASE),
    ):
        pass


def _bundle(crew: Crew, rollout: Rollout) -> str:
    """Write the evidence; what is to be told of it, where it could not be."""
    try:
        crew.bundle(rollout, f"taken back: {rollout.why}")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the way back ends and is journaled
        crew.say(f"THE EVIDENCE COULD NOT BE WRITTEN ({error}): runbook rollout report has what the journal knows")
        return "; NO EVIDENCE OF IT WAS WRITTEN"
    return ""


def _known(crew: Crew, rollout: Rollout) -> Rollout:
    """As the journal tells it, where it can be read."""
    try:
        return rollouts_of(crew.entries()).get(rollout.id, rollout)
    except RunbookError:
        return rollout


def _told(why: Why, rolled: Rolled, left: Left) -> str:
    if left.code is not None:
        return f"interrupted while it was taken back ({why.why}): give it again"
    off = len(rolled.nodes) - len(rolled.stragglers)
    told = f"{why.ends_as.value}: {why.why.rstrip('.')}; off on {off} of {len(rolled.nodes)} nodes"
    return f"{told}; NOT AT NOTHING YET: {'; '.join(left.told)}: mend that, and give it again" if left.told else told
