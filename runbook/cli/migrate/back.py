"""Carry out `runbook migrate revert|finalize|status`, and what `resume` and `undo` do with a migration."""

import sys
from dataclasses import dataclass
from pathlib import Path

import click

from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.migrate.online import drop_drafts, tell
from runbook.cli.progress import AUTO, ProgressTalk
from runbook.cli.rails import check_reason
from runbook.cli.screen import show, show_json
from runbook.engine.migrate.back import since_switch
from runbook.engine.migrate.record import migrations_of
from runbook.engine.migrate.run import finalize, go_back, resume, work_on
from runbook.engine.migrate.work import Context
from runbook.errors import ExitCode, RefusedError, RunbookError, UsageError
from runbook.model.generation import Holdings
from runbook.model.migration_run import MigrationRun
from runbook.model.run import RunStatus
from runbook.report.document import envelope
from runbook.report.lines import Line, line, printable
from runbook.report.migration import migration_data, run_lines, since_lines


@dataclass(frozen=True, slots=True)
class Named:
    """What was said on the command line: which run, or the target whose last one is meant."""

    run: str
    target: str | None = None
    config: Path | None = None
    yes: bool = False
    reason: str = ""
    progress: str = AUTO
    as_json: bool = False


def revert_run(named: Named, command: str = "runbook migrate revert", *, silent: bool = False) -> ExitCode:
    """Show what goes along and what does not, ask, and go back; `silent` where something else is told after it.

    Raises:
        UsageError: there is no such migration.
        RefusedError: there is no way back any more; nobody can be asked, or the answer is no.
    """
    current, run = _found(named)
    if run.status in {RunStatus.REVERTED, RunStatus.UNDONE}:
        return ExitCode.DONE if silent else _told(run, command, named)
    if run.finalized:
        raise RefusedError(f"migration {run.plan.id} was finalized: what was before is gone", hint=_other_way(run))
    with ProgressTalk(named.progress) as talk:
        context = _context(current, run, named, talk)
        if not named.yes:
            _show_since(context, run, named)
        run = go_back(context, run)
        drop_drafts(current, run.plan.id)
    return run.status.exit_code if silent else _told(run, command, named)


def _told(run: MigrationRun, command: str, named: Named) -> ExitCode:
    code = tell(run, (), command, as_json=named.as_json)
    return ExitCode.DONE if run.status is RunStatus.UNDONE else code  # it had been put back before


def resume_migration(named: Named) -> ExitCode:
    """Go on with a migration that was interrupted, in its direction."""
    current, run = _found(named)
    with ProgressTalk(named.progress) as talk:
        run = resume(_context(current, run, named, talk), run)
        drop_drafts(current, run.plan.id)
    return tell(run, (), "runbook resume", as_json=named.as_json)


def finalize_run(named: Named) -> ExitCode:
    """Ask, and drop what is kept of before.

    Raises:
        RefusedError: it has not ended, nothing is kept, nobody can be asked, or the answer is no.
    """
    current, run = _found(named)
    if run.status is RunStatus.OPEN:
        raise RefusedError(f"migration {run.plan.id} has not ended", hint=f"runbook resume {run.plan.id}")
    with ProgressTalk(named.progress) as talk:
        context = _context(current, run, named, talk)
        check_reason(context.target, named.reason)
        if not named.yes:
            _confirm("Drop what was served before? There is no way back afterwards.")
        run = finalize(context, run)
    if named.as_json:
        show_json(envelope("migration_run", "runbook migrate finalize", ExitCode.DONE, migration_data(run)))
    else:
        show(run_lines(run))
    return ExitCode.DONE


def show_status(named: Named) -> ExitCode:
    """Where a migration stands: by the journal, and by each node's own word."""
    current, run = _found(named)
    held: dict[str, Holdings] = {}
    with ProgressTalk(named.progress) as talk:
        context = _context(current, run, named, talk)
        for name in run.nodes:
            try:
                held[name] = context.ports.data(name).holdings()
            except RunbookError as error:
                talk.say(f"{name}: {error.message}")
    code = ExitCode.DONE if len(held) == len(run.nodes) else ExitCode.PARTIAL if held else ExitCode.UNREACHABLE
    if named.as_json:
        show_json(envelope("migration_run", "runbook migrate status", code, migration_data(run, holdings=held)))
    else:
        show(run_lines(run))
        show(_held_lines(held))
    return code


def _held_lines(held: dict[str, Holdings]) -> list[Line]:
    return [
        line(f"{name}: {each.state.value} {each.id}, {each.kind}, {each.counts.get('episode', 0)} records", indent=2)
        for name, holdings in held.items()
        for each in holdings.generations
    ]


def _found(named: Named) -> tuple[Session, MigrationRun]:
    current = compose.session()
    current.journal.adopt()
    runs = migrations_of(current.journal.entries())
    if named.run:
        if named.run not in runs:
            raise UsageError(f"there is no migration {named.run!r} in this journal", hint="runbook runs lists all runs")
        return current, runs[named.run]
    target = compose.target_name(current, named.target, named.config)
    last = next((each for each in reversed(runs.values()) if each.plan.target == target), None)
    if last is None:
        raise UsageError(f"no migration of {target} is in this journal", hint="runbook migrate --to single_memory ...")
    return current, last


def _context(current: Session, run: MigrationRun, named: Named, talk: ProgressTalk) -> Context:
    return compose.migration_context(current, compose.target_of(current, run.plan.target, named.config), talk)


def _show_since(context: Context, run: MigrationRun, named: Named) -> None:
    found = {node: since_switch(work_on(context, run, node)) for node in run.nodes}
    if named.as_json:
        for each in since_lines(found):
            click.echo(printable(each.text), err=True)
    else:
        show(since_lines(found))
    _confirm("Go back to it?")


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise RefusedError("nobody can be asked without a terminal", hint="add --yes")
    if not click.confirm(question, default=False, err=True):
        raise RefusedError("not agreed to; nothing was changed")


def _other_way(run: MigrationRun) -> str:
    return f"migrate the other way: runbook migrate --to {run.plan.source_kind}"
