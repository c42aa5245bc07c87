"""Carry out `runbook migrate --all-nodes`: every host converts the data of its own node, in waves."""

from runbook.adapters.archives.fleets import FleetShelf
from runbook.cli import compose
from runbook.cli.compose import Session
from runbook.cli.fleet.hosts import can_ask, changing, confirm, hosts_named, place_of, ports_on, state_here, tell
from runbook.cli.migrate.back import Named
from runbook.cli.migrate.online import check_rails
from runbook.cli.migrate.wishes import Wishes
from runbook.cli.open_runs import refuse_beside_open
from runbook.cli.progress import ProgressTalk
from runbook.cli.rails import check_reason
from runbook.cli.screen import show
from runbook.engine.fleet.work import FINALIZE, MIGRATE, REVERT, FleetWork, change, last_migration, whole_of
from runbook.errors import ExitCode, UsageError
from runbook.material import migration
from runbook.model.fleet_backup import FleetBackup
from runbook.model.migration import Concepts, losses
from runbook.model.migration_run import SINGLE
from runbook.model.run import MIGRATION, RunPlan
from runbook.model.target import Target
from runbook.report.migration import loss_lines

_BACK = (
    "to go back: runbook migrate revert --all-nodes",
    "to let go of what was before: runbook migrate finalize --all-nodes",
)


def migrate_fleet(wishes: Wishes) -> ExitCode:
    """The whole of `migrate --all-nodes`; a wave in which a host fails is the last one.

    Raises:
        UsageError: what was said does not go together.
        RefusedError: the backup lacks a host; the rails hold it; nobody can be asked, or the answer is no.
        DamagedError: the document of the fleet's backup is damaged; no host was asked.
    """
    _check(wishes)
    if not wishes.yes:
        can_ask(as_json=wishes.as_json)
    current = compose.session()
    place, name = place_of(current, str(wishes.backup or ""), None)
    backup = FleetShelf(place).read(name) if wishes.backup is not None else None
    target = compose.target_of(current, wishes.target or (backup.target if backup else None), wishes.config)
    check_reason(target, wishes.reason)
    refuse_beside_open(current, target.name)
    hosts = hosts_named(target, wishes.nodes)
    run = current.new_run_id()
    inputs: dict[str, object] = {"to": wishes.kind, "options": _options(wishes), "state_here": state_here(current)}
    about: dict[str, object] = {"to": wishes.kind}
    if backup is not None:
        inputs["backup_by_host"] = whole_of(backup, name, target.name, hosts)
        about |= {"fleet": name, "manifest": backup.sha256}
    plan = RunPlan(run, f"migrate --to {wishes.kind}", MIGRATION, target.name, wishes.reason, ())
    check_rails(current, target, plan, len(hosts))
    if not wishes.yes:
        _show_losses(wishes, backup, hosts)
        confirm(f"Migrate {len(hosts)} nodes, each on its own host?")
    with ProgressTalk(wishes.progress) as talk, changing(current, target, run):
        ports = ports_on(current, target, None, talk)
        worked = change(ports, FleetWork(run, target.name, MIGRATE, hosts, inputs, wishes.reason, about))
    more = () if worked.done else ("to go on, once what is not done is mended: the same command again",)
    return tell(worked, "runbook migrate", (*more, *_BACK), as_json=wishes.as_json)


def back_on_fleet(named: Named, *, finalize: bool) -> ExitCode:
    """The whole of `migrate revert --all-nodes` and `finalize`: what the last migration of the fleet did.

    Raises:
        UsageError: a run was named; or no fleet was migrated from here.
        RefusedError: nobody can be asked, or the answer is no.
    """
    if named.run:
        raise UsageError("--all-nodes is the last migration of the fleet", hint="leave out RUN")
    if not named.yes:
        can_ask(as_json=named.as_json)
    current = compose.session()
    target = compose.target_of(current, named.target, named.config)
    if finalize:
        check_reason(target, named.reason)
    return _back(current, target, named, finalize=finalize)


def _back(current: Session, target: Target, named: Named, *, finalize: bool) -> ExitCode:
    last = last_migration(current.journal.entries(), target.name)
    runs = dict(last.runs)
    word = "finalize" if finalize else "revert"
    if not named.yes:
        confirm(f"{'Drop what was served before' if finalize else 'Go back'} on {len(runs)} nodes?")
    run = current.new_run_id()
    inputs = {"run_by_host": runs, "to": last.to, "state_here": state_here(current)}
    with ProgressTalk(named.progress) as talk, changing(current, target, run):
        ports = ports_on(current, target, None, talk)
        playbook = FINALIZE if finalize else REVERT
        worked = change(ports, FleetWork(run, target.name, playbook, tuple(runs), inputs, named.reason))
    return tell(worked, f"runbook migrate {word}", as_json=named.as_json)


def _check(wishes: Wishes) -> None:
    if wishes.kind == SINGLE and wishes.backup is None:
        hint = "runbook backup create --all-nodes; then --backup FLEET"
        raise UsageError("a fleet becomes single memory only with a backup of it", hint=hint)
    if wishes.kind != SINGLE and wishes.backup is not None:
        raise UsageError("to dual memory the nodes' own data is taken, not a backup", hint="leave out --backup")
    files = {
        "-o": wishes.output,
        "--residue": wishes.residue,
        "--plan-out": wishes.plan_out,
        "--apply": wishes.plan,
    }
    if said := [name for name, value in files.items() if value is not None]:
        raise UsageError(f"--all-nodes goes without {', '.join(said)}", hint="those are for one --node")
    if wishes.dry_run:
        raise UsageError("--dry-run looks at one node", hint="runbook migrate --dry-run --node NAME")


def _options(wishes: Wishes) -> list[str]:
    rate = [f"--max-rate={wishes.max_rate:g}"] if wishes.max_rate else []
    workers = [f"--workers={wishes.workers}"] if wishes.workers else []
    concepts = [f"--concepts={wishes.concepts.value}"] if wishes.kind == SINGLE else []
    return [*concepts, *workers, *rate]


def _show_losses(wishes: Wishes, backup: FleetBackup | None, hosts: tuple[str, ...]) -> None:
    if backup is None or wishes.kind is None:
        return
    counts: dict[str, int] = {}
    for each in (backup.of(host) for host in hosts):
        for name, count in each.counts.items():
            counts[name] = counts.get(name, 0) + count
    concepts = wishes.concepts if wishes.kind == SINGLE else Concepts.DROP
    show(loss_lines(losses(migration(wishes.kind), counts, concepts), "single memory"))
