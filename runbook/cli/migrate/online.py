"""Carry out `runbook migrate` on nodes that go on serving."""

import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import click

from runbook.archive.layout import Summary
from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.migrate.wishes import Wishes
from runbook.cli.open_runs import refuse_beside_open
from runbook.cli.progress import ProgressTalk
from runbook.cli.rails import check_reason
from runbook.cli.screen import show, show_json
from runbook.engine.journal_time import settled
from runbook.engine.migrate.preflight import Ready, check_disk, from_backup, from_itself, look
from runbook.engine.migrate.run import migrate
from runbook.engine.migrate.work import Context
from runbook.engine.rails import approval_needed, check_plan, record_of
from runbook.errors import ExitCode, RefusedError, RunbookError, UsageError
from runbook.material import migration
from runbook.model.migration import Concepts, Loss, losses
from runbook.model.migration_run import DUAL, SINGLE, MigrationPlan, MigrationRun
from runbook.model.risk import Risk
from runbook.model.run import MIGRATION, RunPlan
from runbook.model.target import Target
from runbook.report.document import envelope
from runbook.report.lines import printable
from runbook.report.migration import migration_data, plan_data, plan_lines, run_lines

OTHER = {SINGLE: DUAL, DUAL: SINGLE}


@dataclass(frozen=True, slots=True)
class Planned:
    """A migration before its beginning: the plan, each node's part, and what cannot be carried."""

    plan: MigrationPlan
    ready: tuple[Ready, ...]
    losses: tuple[Loss, ...]


def carry_out(wishes: Wishes) -> ExitCode:
    """The whole command.

    Raises:
        UsageError: what was said does not go together, or does not name the node.
        DamagedError: the backup is damaged; nothing was asked of any node.
        RefusedError: a node cannot be migrated so; nobody can be asked; the rails hold it.
        RunbookError: as `engine.migrate.run` raises.
    """
    _check(wishes)
    summary = None if wishes.backup is None else compose.archives().read(wishes.backup)
    if wishes.plan is not None or wishes.plan_out is not None:
        from runbook.cli.migrate.offline import check_plan  # noqa: PLC0415 - only a plan needs it

        check_plan(wishes)
    current = compose.session()
    target = compose.target_of(current, wishes.target, wishes.config)
    if not wishes.dry_run:
        check_reason(target, wishes.reason)
        refuse_beside_open(current, target.name)
    with ProgressTalk(wishes.progress) as talk:
        context = compose.migration_context(current, target, talk)
        planned = plan_of(context, current, wishes, summary)
        if wishes.dry_run:
            return _tell_plan(planned, as_json=wishes.as_json)
        if not wishes.as_json:
            show(plan_lines(planned.plan, planned.ready, planned.losses))
        if not wishes.yes:
            ask(planned, told=not wishes.as_json)
        check_rails(current, target, _as_run(planned.plan), len(planned.plan.nodes))
        run = migrate(context, planned.plan)
    return tell(run, planned.losses, "runbook migrate", as_json=wishes.as_json)


def _check(wishes: Wishes) -> None:
    if wishes.kind == SINGLE and wishes.backup is None:
        raise UsageError(
            "to single memory only with a backup",
            hint="runbook export --format dual_memory -o backup.json; then --backup backup.json",
        )
    if wishes.kind == DUAL and wishes.backup is not None:
        raise UsageError("to dual memory the node's own data is taken, not a backup", hint="leave out --backup; or -o")
    if wishes.backup is not None and str(wishes.backup) == "-":
        raise UsageError("a node is migrated from a file: a run that is interrupted reads it again", hint="name a file")
    if wishes.backup is None and (wishes.plan is not None or wishes.plan_out is not None):
        raise UsageError("a plan is of a backup", hint="to dual memory: --dry-run tells what would be done")
    if wishes.residue is not None:
        raise UsageError("on a node the residue is found by itself", hint="leave out --residue; or convert with -o")


def plan_of(context: Context, current: Session, wishes: Wishes, summary: Summary | None) -> Planned:
    """What would be done, after a look at the nodes; nothing was touched."""
    target_kind = wishes.kind or SINGLE
    source_kind = OTHER[target_kind]
    run = current.new_run_id()
    if summary is not None and wishes.backup is not None:
        ready: tuple[Ready, ...] = (_of_backup(context, wishes.nodes, wishes.backup, summary, target_kind),)
        counts = dict(summary.counts)
    else:
        names = _names(context.target, wishes.nodes)
        held = {name: look(context, name, source_kind, target_kind) for name in names}
        ready = tuple(from_itself(name, own_backup(current, run, name), found) for name, found in held.items())
        counts = counts_of(ready)
    name = migration(target_kind).name
    plan = MigrationPlan(
        run,
        f"migrate --to {target_kind}",
        context.target.name,
        name,
        source_kind,
        target_kind,
        tuple(each.plan for each in ready),
        str(current.state / "migrations" / run),
        version(),
        wishes.concepts if target_kind == SINGLE else Concepts.DROP,
        wishes.processes,
        wishes.reason,
        wishes.max_rate or 0.0,
    )
    check_disk(context, current.state, ready)
    return Planned(plan, ready, losses(migration(target_kind), counts, plan.concepts))


def own_backup(current: Session, run: str, node: str) -> Path:
    """Where a run writes a node's data before it migrates it."""
    return current.state / "backups" / f"{run}-{node}.json"


def drop_drafts(current: Session, run: str) -> None:
    """Remove what a killed process left of these, half written; for when the run is over."""
    for path in (current.state / "backups").glob(f".{run}-*.json.*.draft"):
        with suppress(OSError):
            path.unlink()


def counts_of(ready: tuple[Ready, ...]) -> dict[str, int]:
    """Records of each type, of all the nodes; of a single memory each is a memory."""
    found: dict[str, int] = {}
    for each in ready:
        active = each.holdings.active
        for name, count in active.counts.items():
            type_ = "memory" if active.kind == SINGLE and name == "episode" else name
            found[type_] = found.get(type_, 0) + count
    return found


def version() -> str:
    """Of this tool."""
    from importlib.metadata import version as of  # noqa: PLC0415 - only a plan needs it

    return of("engram-runbook")


def _of_backup(context: Context, names: tuple[str, ...], backup: Path, summary: Summary, to: str) -> Ready:
    """The node that the backup is of; where none was named, it is looked for.

    Raises:
        RefusedError: it is of none of them.
    """
    if len(names) > 1:
        raise UsageError("one backup is of one node", hint="name one --node, or none")
    candidates = names or tuple(node.name for node in context.target.nodes)
    for name in candidates[:-1]:
        try:
            if context.ports.data(name).holdings().node != summary.header.node:
                continue
        except RunbookError as error:
            context.ports.talk.say(f"{name} was passed over: {error.message}")
            continue
        candidates = (name,)
        break
    name = _names(context.target, candidates[-1:])[0]
    holdings = look(context, name, OTHER[to], to)
    return from_backup(name, backup, summary, holdings)


def _names(target: Target, names: tuple[str, ...]) -> tuple[str, ...]:
    known = [node.name for node in target.nodes]
    for name in names:
        if name not in known:
            raise UsageError(f"{target.name} has no node {name!r}", hint=f"its nodes: {', '.join(known)}")
    if not names and len(known) > 1:
        raise UsageError(f"{target.name} has {len(known)} nodes", hint=f"name those meant: --node {known[0]} ...")
    return tuple(dict.fromkeys(names)) or tuple(known)


def ask(planned: Planned, *, told: bool) -> None:
    """Ask once for the whole, which is said first where it was not told yet.

    Raises:
        RefusedError: nobody can be asked, or the answer is no.
    """
    if not sys.stdin.isatty():
        raise RefusedError("nobody can be asked without a terminal", hint="add --yes")
    for each in () if told else plan_lines(planned.plan, planned.ready, planned.losses):
        click.echo(printable(each.text), err=True)
    count = len(planned.ready)
    if not click.confirm(f"Migrate {count} node{'s' * (count > 1)}?", default=False, err=True):
        raise RefusedError("not agreed to; nothing was changed")


def _as_run(plan: MigrationPlan) -> RunPlan:
    return RunPlan(plan.id, plan.command, MIGRATION, plan.target, plan.reason, ())


def check_rails(current: Session, target: Target, run: RunPlan, count: int) -> None:
    """The target's rails for so many nodes, as for any run of the highest risk. A clock that was set back is journaled.

    Raises:
        RefusedError: they hold it; one that a second person would have to approve too.
    """
    check_plan(target, run, Risk.DISRUPTIVE)
    limit = target.rails.max_hosts_per_run
    if limit is not None and count > limit:
        raise RefusedError(
            f"the run would change {count} nodes > max_hosts_per_run {limit} of {target.name}",
            hint="name the nodes, some at a time: --node NAME, once for each",
        )
    entries, now = settled(current.journal, current.clock)
    if why := approval_needed(target, run, Risk.DISRUPTIVE, record_of(entries, target.name, now)):
        raise RefusedError(
            f"nothing was changed: {'; '.join(why)}",
            hint="nobody can approve a migration yet: wait, or see [targets.NAME.rails]; to go back: runbook undo RUN",
        )


def _tell_plan(planned: Planned, *, as_json: bool) -> ExitCode:
    if as_json:
        data = plan_data(planned.plan, planned.ready, planned.losses)
        show_json(envelope("migration_run", "runbook migrate", ExitCode.DONE, data))
    else:
        show(plan_lines(planned.plan, planned.ready, planned.losses))
    return ExitCode.DONE


def tell(run: MigrationRun, lost: tuple[Loss, ...], command: str, *, as_json: bool) -> ExitCode:
    """How it went."""
    code = run.status.exit_code
    if as_json:
        show_json(envelope("migration_run", command, code, migration_data(run, lost)))
    else:
        show(run_lines(run))
    return code
