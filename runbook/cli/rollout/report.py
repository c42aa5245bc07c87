"""Carry out `runbook rollout report`: the learnings page, by the journal alone."""

from pathlib import Path

import click

from runbook.adapters.files import write_atomic
from runbook.cli import compose
from runbook.cli.rollout.where import Where
from runbook.cli.screen import show_json
from runbook.engine.rollout.learnings import learnings_of
from runbook.engine.rollout.state import newest_of, rollouts_of
from runbook.errors import ExitCode, RefusedError, UsageError
from runbook.model.journal import Entry
from runbook.model.rollout import Rollout
from runbook.report.document import envelope
from runbook.report.rollout_acted import rollout_data
from runbook.report.rollout_learnings import learnings_page

_MODE = 0o644  # a page for people


def tell_learnings(where: Where, named: str | None, path: Path | None) -> ExitCode:
    """Print the page, or write it.

    Raises:
        UsageError: there is no rollout of that id.
        RefusedError: the target never had one.
        StorageError: it could not be written.
    """
    current = compose.session()
    target = compose.target_name(current, where.target, where.config)
    entries = [*current.journal.entries(), *current.journal.waiting()]
    rollout = _chosen(entries, target, named)
    page = learnings_page(learnings_of(rollout, entries, current.clock.now()))
    if path is not None:
        write_atomic(path, page.encode(errors="replace"), _MODE)
        click.echo(f"wrote {path}", err=True)
    if where.as_json:
        data = {"rollout": rollout_data(rollout), "markdown": page, "path": None if path is None else str(path)}
        show_json(envelope("rollout_report", "runbook rollout report", ExitCode.DONE, data))
    elif path is None:
        click.echo(page, nl=False)
    return ExitCode.DONE


def _chosen(entries: list[Entry], target: str, named: str | None) -> Rollout:
    if named is not None:
        found = rollouts_of(entries).get(named)
        if found is None:
            raise UsageError(f"the journal knows no rollout {named}", hint="runbook rollout status")
        return found
    newest = newest_of(entries, target)
    if newest is None:
        raise RefusedError(f"no rollout of {target} was ever started", hint="runbook rollout start")
    return newest
