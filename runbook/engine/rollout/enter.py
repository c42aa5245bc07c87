"""Enter a stage: its intent, a run that sets its values in waves, a look at every node, and only then the stage counts.

Cut off anywhere, `go_on` brings it to its end: what the run's own entries say decides, never a guess.
"""

from collections.abc import Sequence
from dataclasses import replace

from runbook.engine.carry import Context, carry_out
from runbook.engine.history import runs_of
from runbook.engine.resume import resume
from runbook.engine.rollout import record
from runbook.engine.rollout.allowed import check_allowed
from runbook.engine.rollout.crew import Acted, Crew
from runbook.engine.rollout.plan.document import details_of, digest_of
from runbook.engine.rollout.reasons import brake_pulled
from runbook.engine.rollout.revert import Why, blind, revert
from runbook.engine.rollout.splitters import check_plan
from runbook.engine.rollout.state import current_of
from runbook.engine.rollout.values import silent, steps_into, unlike, wanted
from runbook.engine.undo import undo, undo_plan
from runbook.errors import ExitCode, NotSupportedError, RefusedError, UnreachableError
from runbook.model.gate import Gate
from runbook.model.journal import Event
from runbook.model.rollout import Rollout, RolloutPlan, Stage, Standing
from runbook.model.run import ROLLOUT, RunPlan, RunStatus


def start(crew: Crew, plan: RolloutPlan, rollout: str, reason: str) -> Acted:
    """Journal the rollout with its whole plan, and enter its first stage.

    Raises:
        RefusedError: another rollout of the target is not over, or it is in a freeze window, or its splitters cannot be
            told every stage; nothing was changed.
        UnreachableError, NotSupportedError: a node does not tell its settings, or has not all of them; same.
        LockedError, StorageError: as `enter`.
    """
    with crew.alone(rollout):
        going = current_of(crew.entries(), crew.target.name)
        if going is not None:
            raise RefusedError(
                f"rollout {going.id} of {crew.target.name} is not over: {going.standing.value}, {going.current.name}",
                hint="runbook rollout status   (or: runbook rollout abort)",
            )
        first = plan.stages[0]  # asked first: what cannot be, or may not be, leaves no trace
        _check_freeze(crew, plan, first)
        check_plan(plan, crew.target)
        check_allowed(crew, first, _steps(crew, plan, first, "", reason), "")
        crew.ports.journal.append(
            Event.ROLLOUT_STARTED,
            rollout,
            record.started(crew.target.name, crew.target.environment, details_of(plan), digest_of(plan), reason),
        )
        return enter(crew, crew.now(rollout), 0)


def enter(crew: Crew, rollout: Rollout, number: int, backups: Sequence[str] = (), gates: Sequence[Gate] = ()) -> Acted:
    """Set the values of the stage of that number; the caller holds `crew.alone`, and has passed these gates.

    Raises:
        RefusedError: the target's rails do not let it happen now; nothing was changed.
        UnreachableError, NotSupportedError: a node does not tell its settings, or has not all of them; same.
        LockedError, StorageError: the run could not begin, or go on; `go_on` takes it up.
        InterruptedRunError: the same.
    """
    stage = rollout.plan.stages[number]
    plan = _steps(crew, rollout.plan, stage, crew.new_id(), rollout.reason)
    mine = [each for each in rollout.approved if each.digest == rollout.digest]
    check_allowed(crew, stage, plan, rollout.who, mine)
    details = record.entering(stage, plan.id, backups, gates) | record.split_by(crew.target.splitters)
    crew.ports.journal.append(Event.ROLLOUT_ENTERING, rollout.id, details)
    now = crew.now(rollout.id)
    if now.standing is not Standing.ENTERING:  # held or taken back between the gates and here: nothing is begun
        code = ExitCode.COULD_NOT_TELL if now.standing is Standing.HELD else ExitCode.BAD_NEWS
        return Acted(now, code, f"rollout {now.id} is {now.standing.value}: {now.why}")
    crew.say(f"entering {stage.name}")
    carried = carry_out(Context(crew.ports, crew.target, crew.who), plan)
    return _came_to(crew, crew.now(rollout.id), carried.status)


def go_on(crew: Crew, rollout: Rollout) -> Acted:
    """Bring an entering to its end that was cut off; the caller holds `crew.alone`.

    Raises:
        RefusedError: in a freeze window; also as `enter`.
        Else as `enter`.
    """
    run = runs_of(crew.entries()).get(rollout.run)
    if run is None or run.resumable:  # it was cut off before the window began
        _check_freeze(crew, rollout.plan, rollout.current)
    if run is None:  # cut off before its run began: nothing was changed for it
        return enter(crew, rollout, rollout.stage, rollout.backups)
    crew.say(f"going on with the entering of {rollout.current.name}, run {run.plan.id}")
    if run.undone_by:
        return _back(crew, rollout, f"run {run.plan.id} was undone by {run.undone_by}")
    status = run.status
    if run.resumable:
        status = resume(Context(crew.ports, crew.target, crew.who), run).status
    return _came_to(crew, crew.now(rollout.id), status)


def _check_freeze(crew: Crew, plan: RolloutPlan, stage: Stage) -> None:
    window = plan.frozen(crew.ports.read.clock.now())
    if window is not None:
        raise RefusedError(
            f"freeze until {window.end:%Y-%m-%d %H:%M %Z} ({window.why}): {stage.name} is not entered in it",
            hint="wait; runbook rollout abort is not held up",
        )


def _steps(crew: Crew, plan: RolloutPlan, stage: Stage, run: str, reason: str) -> RunPlan:
    settings = crew.ports.read.nodes.settings(crew.target.hosts)
    if quiet := silent(settings):
        where = "node and splitter" if crew.target.splitters else "node"
        raise UnreachableError(f"a stage is set on every {where}, and not all answer: {'; '.join(quiet)}")
    steps = steps_into(crew.target, settings, plan, stage)
    if steps.left_out:
        told = "; ".join(dict.fromkeys(f"{each.node}: {each.reason}" for each in steps.left_out))
        raise NotSupportedError(f"{stage.name} cannot be set on every node: {told}")
    return RunPlan(run, f"rollout {stage.name}", ROLLOUT, crew.target.name, reason, steps.steps)


def _came_to(crew: Crew, rollout: Rollout, status: RunStatus) -> Acted:
    """From how the run ended to what the rollout is now."""
    if rollout.standing not in {Standing.ENTERING, Standing.HELD}:
        # Taken back meanwhile, by another process: a play of ours may have set something after that one's last look.
        rolled, _ = blind(crew, Why("person", rollout.why, rollout.standing))
        told = f"rollout {rollout.id} is {rollout.standing.value}: {rollout.why}"
        return Acted(crew.now(rollout.id), ExitCode.BAD_NEWS, told, rollout.run, rolled)
    match status:
        case RunStatus.DONE:
            return _set(crew, rollout)
        case RunStatus.PERSON_NEEDED:
            why = f"run {rollout.run} failed, and could not be put back: look at the nodes"
            return replace(_back(crew, rollout, why), code=ExitCode.PERSON_NEEDED)
        case RunStatus.SUPERSEDED:
            return _overtaken(crew, rollout, f"a rollback overtook run {rollout.run}")
        case _:
            return _back(crew, rollout, f"run {rollout.run} failed, and was put back")


def _set(crew: Crew, rollout: Rollout) -> Acted:
    """Every value is set: may the stage count?"""
    if pulled := brake_pulled(rollout, crew.entries()):  # before the run began, so it was not overtaken
        return _overtaken(crew, rollout, f"run {pulled} pulled the emergency brake")
    if rollout.standing is Standing.HELD:
        told = f"held while {rollout.current.name} was being entered ({rollout.why}): it is set, and not begun"
        return Acted(rollout, ExitCode.COULD_NOT_TELL, told, rollout.run)
    return _read_back(crew, rollout)


def _overtaken(crew: Crew, rollout: Rollout, why: str) -> Acted:
    told = f"{why}, while {rollout.current.name} was being entered"
    acted = revert(crew, rollout, Why("rollback", told, Standing.ROLLED_BACK))
    return acted if acted.code is not ExitCode.DONE else replace(acted, code=ExitCode.BAD_NEWS)


def _read_back(crew: Crew, rollout: Rollout) -> Acted:
    """Do all nodes and splitters say that they run with the values of the stage? Then it is entered, and not before."""
    stage = rollout.current
    settings = crew.ports.read.nodes.settings(crew.target.hosts)
    if quiet := silent(settings):
        told = f"{stage.name} is set, and not read back everywhere: {'; '.join(quiet)}"
        return Acted(rollout, ExitCode.COULD_NOT_TELL, told, rollout.run)
    if wrong := unlike(settings, wanted(crew.target, rollout.plan, stage)):
        return _undo(crew, rollout, f"{stage.name} was set, but {'; '.join(wrong)}")
    crew.ports.journal.append(Event.ROLLOUT_ENTERED, rollout.id, record.entered(stage, rollout.run))
    return Acted(crew.now(rollout.id), ExitCode.DONE, f"{stage.name} is entered", rollout.run)


def _undo(crew: Crew, rollout: Rollout, why: str) -> Acted:
    run = runs_of(crew.entries())[rollout.run]
    plan = undo_plan(run, crew.new_id(), why)
    try:
        status = undo(Context(crew.ports, crew.target, crew.who), plan).status
    except RefusedError as error:  # somebody else set another value meanwhile: theirs is not overwritten
        return replace(_back(crew, rollout, f"{why}; not put back: {error.message}"), code=ExitCode.PERSON_NEEDED)
    if status is RunStatus.DONE:
        return _back(crew, rollout, f"{why}; it was put back")
    acted = _back(crew, rollout, f"{why}; run {plan.id}, which was to put it back, is {status.value}")
    return replace(acted, code=ExitCode.PERSON_NEEDED)


def _back(crew: Crew, rollout: Rollout, why: str) -> Acted:
    """The stage before goes on, held; a rollout that has not had its first one is over."""
    stages, journal = rollout.plan.stages, crew.ports.journal
    if not rollout.entered:
        journal.append(Event.ROLLOUT_ENDED, rollout.id, record.ended(rollout.current, Standing.ABORTED, why))
    else:
        before = stages[rollout.entered[-1].stage]
        journal.append(Event.ROLLOUT_HELD, rollout.id, record.held(before, why, "entering"))
    return Acted(crew.now(rollout.id), ExitCode.STEP_FAILED, why, rollout.run)
