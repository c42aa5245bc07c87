"""Carry out `runbook backup restore FLEET`: every host fills a staging generation of its node; then all are served."""

from runbook.adapters.archives.fleets import FleetShelf
from runbook.cli import compose
from runbook.cli.backup.restore import RestoreWishes
from runbook.cli.fleet.hosts import can_ask, changing, confirm, hosts_named, place_of, ports_on, state_here, tell
from runbook.cli.progress import ProgressTalk
from runbook.cli.rails import check_reason, check_switch
from runbook.cli.screen import show
from runbook.engine.fleet.work import ACTIVATE, RESTORE, FleetWork, change, whole_of
from runbook.errors import ExitCode, UsageError
from runbook.model.run import RunPlan
from runbook.report.fleet_work import worked_lines

_COMMAND = "runbook backup restore"


def restore_fleet(wishes: RestoreWishes) -> ExitCode:
    """The whole command: nothing is served anywhere before every host has filled and proven its generation.

    Raises:
        RefusedError: the backup lacks a host; nobody can be asked, or the person said no.
    """
    if wishes.identities:
        raise UsageError("the identity is the hosts'", hint="set engram_backup_identity in the inventory")
    if wishes.activate and not wishes.yes:
        can_ask(as_json=wishes.as_json)
    current = compose.session()
    place, name = place_of(current, wishes.name, wishes.folder)
    backup = FleetShelf(place).read(name)
    target = compose.target_of(current, wishes.target or backup.target, wishes.config)
    check_reason(target, wishes.reason)
    hosts = hosts_named(target, [wishes.node] if wishes.node else [])
    run = current.new_run_id()
    with ProgressTalk(wishes.progress) as talk, changing(current, target, run):
        ports = ports_on(current, target, place, talk)
        if wishes.activate:
            check_switch(current, target, RunPlan(run, "restore", "backup restore", target.name, wishes.reason, ()))
        paths = whole_of(backup, name, target.name, hosts)
        about = {"fleet": name, "manifest": backup.sha256}
        inputs = {"backup_by_host": paths, "state_here": state_here(current)}
        first = inputs | {"options": _options(wishes)}
        worked = change(ports, FleetWork(run, target.name, RESTORE, hosts, first, wishes.reason, about))
        if wishes.activate and worked.done:
            if not wishes.yes:
                show(worked_lines(worked))
                confirm(f"Have {len(hosts)} nodes serve this backup?")
            second = inputs | {"options": ["--other-node"] if wishes.other_node else []}
            worked = change(ports, FleetWork(run, target.name, ACTIVATE, hosts, second, wishes.reason, about))
    return tell(worked, _COMMAND, _next(wishes, done=worked.done), as_json=wishes.as_json)


def _options(wishes: RestoreWishes) -> list[str]:
    said = {"--other-node": wishes.other_node, "--replace": wishes.replace}
    return [name for name, is_said in said.items() if is_said]


def _next(wishes: RestoreWishes, *, done: bool) -> tuple[str, ...]:
    if not done:
        return (f"what is not done: mend it, then the same command again; runbook backup verify {wishes.name}",)
    return () if wishes.activate else ("to serve it: the same command with --activate",)
