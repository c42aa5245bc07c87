"""Carry out `runbook runs`, `resume` and `undo`."""

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from runbook.cli import compose
from runbook.cli.approve import check_beginning, standings, withdraw_run
from runbook.cli.compose import Session
from runbook.cli.issue import known_issues
from runbook.cli.named_run import run_named, set_aside
from runbook.cli.rails import check_going_on
from runbook.cli.screen import ScreenTalk, show, show_json
from runbook.engine.approval import begin
from runbook.engine.carry import Carried, Context
from runbook.engine.history import runs_of
from runbook.engine.resume import resume
from runbook.engine.undo import undo, undo_plan
from runbook.errors import ExitCode, RefusedError
from runbook.model.run import WAY_BACK, Run, RunPlan, RunStatus
from runbook.model.runbook import Runbook
from runbook.report.document import carried_data, envelope, run_data
from runbook.report.lines import Line, Style, line, shown
from runbook.report.run import carried_lines, next_steps, run_lines


@dataclass(frozen=True, slots=True)
class UndoWishes:
    """What was said on the command line of `undo`."""

    force: bool
    config: Path | None
    yes: bool
    reason: str
    as_json: bool


def list_runs(*, last: bool, only_id: bool, as_json: bool) -> ExitCode:
    """Print the runs; COULD_NOT_TELL for `--last` where there is none."""
    current = compose.session()
    journal = current.journal
    runs = list(runs_of([*journal.entries(), *journal.waiting()]).values())
    if last:
        runs = runs[-1:]
    code = ExitCode.COULD_NOT_TELL if last and not runs else ExitCode.DONE
    if as_json:
        show_json(envelope("runs", "runbook runs", code, {"runs": [run_data(run) for run in runs]}))
    elif only_id:
        show(line(run.plan.id) for run in runs)
    else:
        show(
            run_lines(runs, standings(current, runs))
            if runs
            else [line(f"No run in the journal of {current.state}.", Style.FAINT)]
        )
        show(line(f"An earlier journal was set aside: {name}", Style.UNSURE) for name in set_aside(current))
    return code


def _runbook_of(plan: RunPlan) -> Runbook | None:
    return next((each for each in known_issues() if each.slug == plan.issue), None)


def _context(current: Session, plan: RunPlan, config: Path | None, talk: ScreenTalk) -> Context:
    target = compose.target_of(current, plan.target, config)
    ports = compose.change_ports(current, target, compose.read_ports(current, target, talk))
    who = f"{current.who}@{current.where}"
    known = _runbook_of(plan)
    if known is None or plan.undoes:
        return Context(ports, target, who)
    baseline = current.store.load_baseline(target.name)
    return Context(ports, target, who, known.verify, baseline, compose.looking(current, known))


def resume_run(run_id: str, config: Path | None, *, as_json: bool) -> ExitCode:
    """Carry an interrupted run to its end, or begin one that was approved; one that has ended is told as it is."""
    current = compose.session()
    current.journal.adopt()  # the run may be known from the second place only
    run = run_named(current, run_id)
    if run.status is RunStatus.WAITING:
        return _begin(current, run, config, as_json=as_json)
    if run.migrates and run.resumable:
        from runbook.cli.migrate.back import Named, resume_migration  # noqa: PLC0415 - only a migration needs it

        return resume_migration(Named(run_id, config=config, as_json=as_json))
    if not run.resumable:
        return _not_resumed(run, as_json=as_json)
    with ScreenTalk() as talk:
        context = _context(current, run.plan, config, talk)
        check_going_on(current, context.target, run)
        carried = resume(context, run)
    return _tell(carried, "runbook resume", as_json=as_json)


def _not_resumed(run: Run, *, as_json: bool) -> ExitCode:
    """It has ended; or it is a rollback that did not go everywhere, which is given again, and is no good news."""
    again = run.is_brake and run.status in {RunStatus.OPEN, RunStatus.PARTIAL} and not run.undone_by
    code = ExitCode.PARTIAL if again else ExitCode.DONE
    if as_json:
        show_json(envelope("runs", "runbook resume", code, {"runs": [run_data(run)]}))
        return code
    ended = f"was undone by {run.undone_by}" if run.undone_by else f"has ended ({run.status.value})"
    told = f"is a rollback: give it again: {run.way_on}" if again else f"{ended}: there is nothing to resume."
    show([line(f"Run {run.plan.id} {told}")])
    return code


def _begin(current: Session, run: Run, config: Path | None, *, as_json: bool) -> ExitCode:
    """Carry out a run that waited for a second person, if it may begin."""
    with ScreenTalk() as talk:
        context = _context(current, run.plan, config, talk)
        check_beginning(current, context.target, run)
        carried = begin(context, run.plan.id)
    return _tell(carried, "runbook resume", as_json=as_json)


def undo_run(run_id: str, wishes: UndoWishes) -> ExitCode:
    """Undo a run, after asking; nothing left to undo is said and is no error."""
    current = compose.session()
    current.journal.adopt()
    run = run_named(current, run_id)
    if run.status is RunStatus.WAITING:
        return withdraw_run(current, run_id, wishes.reason, as_json=wishes.as_json)
    if run.plan.issue == WAY_BACK:
        raise RefusedError(
            f"run {run_id} took a rollout back: no share is ever restored", hint="a new one: runbook rollout start"
        )
    if run.migrates:
        from runbook.cli.migrate.back import Named, revert_run  # noqa: PLC0415 - only a migration needs it

        flags = bool(undo_plan(run, "", "").steps)  # of a rollback of the data: they follow, and are told then
        named = Named(run_id, None, wishes.config, wishes.yes, wishes.reason, as_json=wishes.as_json)
        code = revert_run(named, "runbook undo", silent=flags and wishes.as_json)
        if code is not ExitCode.DONE or not flags:
            return code
    plan = undo_plan(run, current.new_run_id(), wishes.reason)
    if not plan.steps:
        if run.status is RunStatus.OPEN:  # killed before its first step
            with ScreenTalk() as talk:
                undo(_context(current, plan, wishes.config, talk), plan)
            run = run_named(current, run_id)
        if wishes.as_json:
            show_json(envelope("runs", "runbook undo", ExitCode.DONE, {"runs": [run_data(run)]}))
        else:
            by = f": it was undone by {run.undone_by}" if run.undone_by else ""
            closed = ": it is closed" if run.status is RunStatus.UNDONE and not by else ""
            show([line(f"Run {run_id} has nothing in effect that could be undone{by}{closed}.")])
        return ExitCode.DONE
    if not wishes.yes:
        show(_plan_lines(plan))
        _confirm()
    with ScreenTalk() as talk:
        carried = undo(_context(current, plan, wishes.config, talk), plan, force=wishes.force)
    return _tell(carried, "runbook undo", as_json=wishes.as_json)


def _plan_lines(plan: RunPlan) -> list[Line]:
    return [
        line(f"{change.node}: {change.key}  {shown(change.old)} -> {shown(change.new)}", indent=2)
        for step in plan.steps
        for change in step.changes
    ]


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise RefusedError("nobody can be asked without a terminal", hint="add --yes")
    if not click.confirm("Put these values back?", default=False, err=True):
        raise RefusedError("not agreed to; nothing was changed")


def _tell(carried: Carried, command: str, *, as_json: bool) -> ExitCode:
    code = carried.status.exit_code
    known = _runbook_of(carried.plan)
    escalate = "" if known is None else known.escalate
    if as_json:
        show_json(envelope("run", command, code, {"run": carried_data(carried, next_steps(carried, escalate))}))
    else:
        show(carried_lines(carried, escalate))
    return code
