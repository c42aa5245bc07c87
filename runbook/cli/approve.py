"""Carry out `runbook approve`, and what `resume`, `undo` and `runs` do with a run that waits for it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.named_run import run_named
from runbook.cli.open_runs import refuse_beside_open
from runbook.cli.rails import office
from runbook.cli.screen import show, show_json
from runbook.engine import approval
from runbook.engine.approval import Ages, check_approved, check_approver, digest_of, told
from runbook.engine.journal_time import ages
from runbook.engine.rails import check_plan
from runbook.errors import ExitCode, RefusedError
from runbook.model.run import Run, RunStatus
from runbook.model.target import Target
from runbook.report.document import envelope, run_data
from runbook.report.lines import EMPTY, Line, Style, line, shown


@dataclass(frozen=True, slots=True)
class ApproveWishes:
    """What was said on the command line."""

    config: Path | None
    yes: bool
    reason: str
    as_json: bool


def approve_run(run_id: str, wishes: ApproveWishes) -> ExitCode:
    """Show the plan, ask, and journal the yes.

    Raises:
        UsageError: there is no such run.
        RefusedError: it does not wait, its time is over, this is who asked for it, or the answer is no.
    """
    current = compose.session()
    run = run_named(current, run_id)
    entries = list(current.journal.entries())
    check_approver(run, current.who, ages(entries, current.clock.now()))
    target = compose.target_of(current, run.plan.target, wishes.config)
    if not wishes.as_json:
        show(_plan_lines(run))
    if not wishes.yes:
        _ask(run, seen=not wishes.as_json)
    lasts = target.rails.approval_expires
    run = approval.approve(office(current), run_id, current.who, wishes.reason, lasts)
    if wishes.as_json:
        show_json(envelope("runs", "runbook approve", ExitCode.DONE, {"runs": [run_data(run)]}))
    else:
        stands = standings(current, [run])[run_id]
        show([line(f"Run {run_id}: {stands}", Style.GOOD), line(f"to carry it out: runbook resume {run_id}", indent=2)])
    return ExitCode.DONE


def withdraw_run(current: Session, run_id: str, reason: str, *, as_json: bool) -> ExitCode:
    """`runbook undo` of a run that waits: it will never begin."""
    run = approval.withdraw(office(current), run_id, reason)
    if as_json:
        show_json(envelope("runs", "runbook undo", ExitCode.DONE, {"runs": [run_data(run)]}))
    else:
        show([line(f"Run {run_id} is withdrawn: it had not begun, and never will.")])
    return ExitCode.DONE


def check_beginning(current: Session, target: Target, run: Run) -> None:
    """May a run that waited begin now? Looked at before anything is read from the nodes.

    Raises:
        RefusedError: it is not approved, or does not keep to the rails as they are now, or another run stands half
            done.
    """
    check_approved(run, list(current.journal.entries()), current.clock.now())
    if run.approval is not None:
        check_plan(target, run.plan, run.approval.risk)
    refuse_beside_open(current, target.name)


def standings(current: Session, runs: list[Run]) -> dict[str, str]:
    """By run, where its approval stands while it waits; and who asked and who said yes, once it has begun."""
    waiting = any(run.status is RunStatus.WAITING for run in runs)
    age = ages(current.journal.entries(), current.clock.now()) if waiting else {}
    return {run.plan.id: _stands(run, age) for run in runs if run.approval is not None}


def _stands(run: Run, age: Ages) -> str:
    if run.status is RunStatus.WAITING:
        return told(run, age)
    given = run.approval.given if run.approval is not None else None
    return (
        "" if given is None or run.approval is None else f"asked by {run.approval.asked.who}, approved by {given.who}"
    )


def _plan_lines(run: Run) -> Iterator[Line]:
    """What would be carried out, to the last value; who asked, why, and why a second person is needed."""
    plan = run.plan
    yield line(f"Run {plan.id} on {plan.target}: {plan.command}", Style.STRONG)
    yield line(f"asked for by {run.who} on {run.where}; reason: {plan.reason or 'none'}", indent=2, hang=2)
    if run.approval is not None:
        yield from (line(f"needs a second person: {why}", Style.UNSURE, 2, 2) for why in run.approval.why)
    for step in plan.steps:
        note = "  (emergency: only if the others do not help)" if step.emergency else ""
        yield line(f"{step.index}. {step.title}{note}", Style.STRONG, indent=2)
        for change in step.changes:
            yield line(f"{change.node}: {change.key}  {shown(change.old)} -> {shown(change.new)}", indent=5, hang=2)
        yield line(f"undo: {step.undo} puts the old value back, if nobody changed it since", Style.FAINT, 5)
    yield line(f"digest {digest_of(plan)}", Style.FAINT, indent=2)
    yield EMPTY


def _ask(run: Run, *, seen: bool) -> None:
    """Ask once for the whole.

    Raises:
        RefusedError: nobody can be asked, or the answer is no.
    """
    if not seen or not sys.stdin.isatty():
        what = "nobody can be asked without a terminal" if seen else "with --json nobody sees the plan"
        raise RefusedError(what, hint="add --yes")
    nodes = {change.node for step in run.plan.steps for change in step.changes}
    if not click.confirm(f"Approve this on {len(nodes)} node{'s' * (len(nodes) > 1)}?", default=False, err=True):
        raise RefusedError("not approved; the run goes on waiting", hint=f"to end it: runbook undo {run.plan.id}")
