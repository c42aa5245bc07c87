"""Carry out `runbook rollback data`: the flags off first, then every node's data to single memory."""

import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.migrate.online import counts_of, own_backup, version
from runbook.cli.progress import ProgressTalk
from runbook.cli.rollback import new_run, pull
from runbook.cli.screen import show, show_json
from runbook.engine.brake_record import Rolled, Wish
from runbook.engine.history import runs_of
from runbook.engine.migrate.preflight import Ready, check_disk, from_itself, look
from runbook.engine.migrate.run import migrate
from runbook.engine.migrate.work import Context
from runbook.errors import ExitCode, InterruptedRunError, RefusedError, RunbookError, UnreachableError
from runbook.material import migration
from runbook.model.brake import FLAGS, Rollback
from runbook.model.migration import Concepts, Loss, losses
from runbook.model.migration_run import DUAL, SINGLE, MigrationPlan, MigrationRun
from runbook.model.run import RunStatus
from runbook.model.target import Target
from runbook.report.document import envelope
from runbook.report.lines import EMPTY, Line, Style, line
from runbook.report.migration import counted, kept_lines, loss_lines, migration_data, plan_data, run_lines
from runbook.report.rollback import rolled_data, rolled_lines

COMMAND = "rollback data"
ALREADY = "it serves single memory already"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was said on the command line."""

    yes: bool
    reason: str
    deadline: timedelta
    target: str | None
    config: Path | None
    progress: str
    as_json: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The nodes that can be migrated, and why each other one cannot."""

    ready: tuple[Ready, ...]
    left_out: dict[str, str]
    errors: tuple[RunbookError, ...]

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What a single memory cannot hold of all that."""
        return losses(migration(SINGLE), counts_of(self.ready), Concepts.DROP)


def carry_out(wishes: Wishes) -> ExitCode:
    """The whole command.

    Raises:
        UsageError, DamagedError: who the nodes are cannot be found out.
        RefusedError: nobody can be asked, or the person said no; or another migration stands half done.
        RunbookError: as `engine.migrate.run` raises; the flags are off by then.
    """
    current = compose.session()
    target = compose.target_of(current, wishes.target, wishes.config)
    run, started = new_run(), time.monotonic()
    with ProgressTalk(wishes.progress) as talk:
        context = compose.migration_context(current, target, talk)
        if not wishes.yes:
            _confirm(target, _look(context, current, run))
            started = time.monotonic()
        wish = Wish(Rollback.FULL, run, wishes.reason, wishes.deadline.total_seconds(), COMMAND)
        rolled = pull(target, wish, current.telling, talk, started)
        if not wishes.as_json:
            show(rolled_lines(rolled))
        _stop_where_interrupted(target, rolled)
        return _migrate(_Rest(context, current, wishes, rolled))


def _stop_where_interrupted(target: Target, rolled: Rolled) -> None:
    """The brake tells what became of the flags; that no data was migrated is told here, for it may say DONE.

    Raises:
        InterruptedRunError: the brake was interrupted.
    """
    if rolled.interrupted is not None:
        run = rolled.plan.id
        hint = f"runbook {COMMAND} --target {target.name}   (or: runbook undo {run})"
        error = InterruptedRunError("interrupted: no data was migrated", hint=hint, run=run)
        error.code = rolled.interrupted
        raise error


@dataclass(frozen=True, slots=True)
class _Rest:
    context: Context
    current: Session
    wishes: Wishes
    rolled: Rolled


def _migrate(rest: _Rest) -> ExitCode:
    context, run = rest.context, rest.rolled.plan.id
    _refuse_beside_migration(rest.current, context.target, run)
    silent = frozenset(each.node.name for each in rest.rolled.nodes if not each.reached)
    found = _look(context, rest.current, run, silent)
    for name, why in found.left_out.items():
        context.ports.talk.say(f"{name} is left out: {why}")
    plan = _plan(rest, found)
    if not found.ready:
        return _nothing_to_do(rest, plan, found)
    check_disk(context, rest.current.state, found.ready)
    if not rest.wishes.as_json:
        show([EMPTY, *loss_lines(found.losses, "single memory")])
    return _tell(rest, migrate(context, plan), found)


def _look(context: Context, current: Session, run: str, silent: frozenset[str] = frozenset()) -> Found:
    """Every node; those that were `silent` just now are not waited for again: the others need not stand in line."""
    ready, left_out, errors = [], {}, []
    for node in context.target.nodes:
        try:
            if node.name in silent:
                raise UnreachableError(f"{node.name} did not answer")
            holdings = context.ports.data(node.name).holdings()
            if holdings.active.kind == SINGLE:
                left_out[node.name] = ALREADY
                continue
            holdings = look(context, node.name, DUAL, SINGLE)
        except RunbookError as error:
            left_out[node.name] = error.message
            errors.append(error)
        else:
            ready.append(from_itself(node.name, own_backup(current, run, node.name), holdings))
    return Found(tuple(ready), left_out, tuple(errors))


def _plan(rest: _Rest, found: Found) -> MigrationPlan:
    run = rest.rolled.plan.id
    return MigrationPlan(
        run,
        COMMAND,
        rest.context.target.name,
        migration(SINGLE).name,
        DUAL,
        SINGLE,
        tuple(each.plan for each in found.ready),
        str(rest.current.state / "migrations" / run),
        version(),
        reason=rest.wishes.reason,
        rollback=True,
    )


def _refuse_beside_migration(current: Session, target: Target, run: str) -> None:
    """Two migrations of one node are never under way.

    Raises:
        RefusedError: one stands half done, and has to be brought to its end, or back, first.
    """
    for each in runs_of(current.journal.entries()).values():
        is_open = each.migrates and each.status is RunStatus.OPEN
        if is_open and each.plan.target == target.name and each.plan.id != run:
            raise RefusedError(
                f"the flags are off; the data is as it was: migration {each.plan.id} has not ended",
                hint=f"first: {each.way_on}",
                run=run,
            )


def _nothing_to_do(rest: _Rest, plan: MigrationPlan, found: Found) -> ExitCode:
    """No node was migrated: each serves single memory already, or could not be asked."""
    if found.errors:
        error = found.errors[0]
        error.run = plan.id
        raise error
    code = rest.rolled.exit_code
    if rest.wishes.as_json:
        _show_json(rest, code, plan_data(plan, (), ()), found)
    else:
        show([EMPTY, line("Every node serves single memory already: no data was migrated.")])
    return code


def _tell(rest: _Rest, run: MigrationRun, found: Found) -> ExitCode:
    """Partial where one of the two halves is."""
    code = run.status.exit_code
    if code is ExitCode.DONE and (rest.rolled.status is not RunStatus.DONE or found.errors):
        code = ExitCode.PARTIAL
    if rest.wishes.as_json:
        _show_json(rest, code, migration_data(run, found.losses), found)
        return code
    show([EMPTY, *run_lines(run)])
    show(line(f"left out: {name}: {why}", Style.UNSURE, 2, 2) for name, why in found.left_out.items())
    return code


def _show_json(rest: _Rest, code: ExitCode, data: dict[str, Any], found: Found) -> None:
    more = {"rollback": rolled_data(rest.rolled), "left_out": found.left_out}
    show_json(envelope("migration_run", f"runbook {COMMAND}", code, data | more))


def _confirm(target: Target, found: Found) -> None:
    """One question for all of it, in plain words."""
    for each in _question(target, found):
        show([each])
    if not sys.stdin.isatty():
        raise RefusedError("nobody can be asked without a terminal", hint="add --yes")
    if not click.confirm(f"Do this on {len(target.nodes)} nodes of {target.name}?", default=False, err=True):
        raise RefusedError("not agreed to; nothing was changed")


def _question(target: Target, found: Found) -> list[Line]:
    lines = [line(f"Roll the data of {target.name} ({target.environment}) back to single memory", Style.STRONG)]
    lines += [line(f"{key} -> false", indent=2) for key in FLAGS[Rollback.FULL]]
    for each in found.ready:
        told = counted(each.holdings.active)
        lines.append(line(f"{each.plan.node}: {told}; written to {each.plan.source} first", indent=2, hang=2))
        lines += kept_lines(each)
    lines += [line(f"{name} is left out: {why}", Style.UNSURE, 2, 2) for name, why in found.left_out.items()]
    lines += loss_lines(found.losses, "single memory")
    lines.append(line("Writes are refused for a moment at the switch of each node: clients ask again.", indent=2))
    lines.append(line("To go back afterwards: runbook undo RUN, until it is finalized.", indent=2))
    return lines
