"""Fetch the backups of a fleet to this machine, and prove each before it counts as one here."""

from pathlib import Path

from runbook.engine.fleet.work import FleetWork, FleetWorked, carry_out
from runbook.errors import RunbookError
from runbook.model.fleet_backup import FleetBackup
from runbook.model.play import HostState, WorkResult
from runbook.ports.backups import Fetched, FleetPorts

FETCH = "fetch_backup"


def fetch_fleet(ports: FleetPorts, fetched: Fetched, name: str, backup: FleetBackup, run: str) -> FleetWorked:
    """Every part that is not here yet; whoever calls holds the lock of the folder.

    Raises:
        StorageError: there is no room for all of them; nothing was fetched.
    """
    here = [each.host for each in backup.nodes if fetched.has(each.backup, each.manifest)]
    parts = [each for each in backup.nodes if each.host not in here]
    drafts: dict[str, Path] = {}
    try:
        needed = sum(each.stored_bytes for each in parts)
        drafts = {each.host: fetched.draft(needed) for each in parts}
        inputs = {
            "backup_by_host": {each.host: f"{each.folder}/{each.backup}" for each in parts},
            "into_by_host": {host: str(path) for host, path in drafts.items()},
        }
        about = {"fleet": name, "manifest": backup.sha256, "here_already": here}
        work = FleetWork(run, backup.target, FETCH, tuple(drafts), inputs, about=about)
        came = carry_out(ports, work).results if parts else ()
        results = [_taken(fetched, backup, each, drafts[each.host]) for each in came]
    finally:
        for path in drafts.values():
            fetched.drop(path)
    results += [WorkResult(host, HostState.UNCHANGED, 0, None, "it is here already") for host in here]
    order = [each.host for each in backup.nodes]
    return FleetWorked(work, tuple(sorted(results, key=lambda each: order.index(each.host))))


def _taken(fetched: Fetched, backup: FleetBackup, result: WorkResult, draft: Path) -> WorkResult:
    """What came is proven before it has its name here."""
    if not result.done:
        return result
    part = backup.of(result.host)
    try:
        level = fetched.take(draft, part.backup, part.manifest)
    except RunbookError as error:
        return WorkResult(result.host, HostState.FAILED, error.code, None, error.message)
    return WorkResult(result.host, HostState.CHANGED, 0, None, f"{result.message}; level {level} reached here")
