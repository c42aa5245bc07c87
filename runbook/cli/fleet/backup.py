"""Carry out `runbook backup` on a whole fleet: the hosts work, and what they tell is put together here."""

from collections.abc import Sequence

import runbook
from runbook.adapters.archives.fetched import FetchedBackups
from runbook.adapters.archives.fleets import FleetShelf
from runbook.cli import compose
from runbook.cli.backup.create import CreateWishes
from runbook.cli.backup.verify import VerifyWishes
from runbook.cli.fleet.hosts import place_of, ports_on, state_here
from runbook.cli.progress import ProgressTalk
from runbook.cli.screen import show, show_json
from runbook.engine.backup.create import writing
from runbook.engine.fleet.backup import LOCK, FleetWanted, code_of, create_fleet, verify_fleet
from runbook.engine.fleet.fetch import fetch_fleet
from runbook.engine.fleet.work import FleetWorked, whole_of
from runbook.errors import ExitCode, UsageError
from runbook.model.fleet_backup import KeptFleetBackup
from runbook.ports.backups import FleetPorts
from runbook.report.document import envelope
from runbook.report.fleet_backup import created_fleet_lines, fleets_data, verified_data, verified_fleet_lines
from runbook.report.fleet_work import worked_data, worked_lines

PREFIX = "fleet-"
"""What the name of a fleet's backup begins with."""


def names_a_fleet(names: Sequence[str]) -> bool:
    """Is the backup of a fleet meant?

    Raises:
        UsageError: it is one of several.
    """
    found = any(name.rpartition("/")[2].startswith(PREFIX) and not name.endswith(".backup") for name in names)
    if found and len(names) > 1:
        raise UsageError("one backup of a fleet at a time", hint=f"runbook backup verify {names[0]}")
    return found


def create_backups(wishes: CreateWishes) -> ExitCode:
    """The whole of `backup create --all-nodes`; partial where a node is missing."""
    if wishes.node is not None or wishes.parent not in {"auto", ""}:
        raise UsageError("--all-nodes goes without --node and --parent", hint="each host chooses its own parent")
    current = compose.session()
    target = compose.target_of(current, wishes.target, wishes.config)
    with ProgressTalk(wishes.progress) as talk:
        ports = ports_on(current, target, wishes.folder, talk)
        wanted = FleetWanted(
            current.new_run_id(),
            target.name,
            tuple(node.name for node in target.nodes),
            f"engram-runbook {runbook.__version__}",
            wishes.recipients,
            state_here(current),
        )
        with writing(ports, wanted.run, wait=wishes.wait, lock=LOCK):
            kept = create_fleet(ports, wanted)
            came = _fetched(ports, kept, wanted.run, wait=wishes.wait) if wishes.fetch else None
    whole = kept.backup is not None and kept.backup.complete and (came is None or came.done)
    code = ExitCode.DONE if whole else ExitCode.PARTIAL
    if wishes.as_json:
        data = fleets_data(ports.vault.folder, [kept]) | ({} if came is None else {"fetched": worked_data(came)})
        show_json(envelope("backup_fleet", "runbook backup create", code, data))
    else:
        show(created_fleet_lines(kept, ports.vault.folder))
        if came is not None:
            show(worked_lines(came))
    return code


def _fetched(ports: FleetPorts, kept: KeptFleetBackup, run: str, *, wait: bool) -> FleetWorked | None:
    if kept.backup is None:
        return None
    with writing(ports, run, wait=wait):
        return fetch_fleet(ports, FetchedBackups(ports.vault.folder), kept.name, kept.backup, run)


def verify_backup_of_fleet(wishes: VerifyWishes) -> ExitCode:
    """The whole of `backup verify FLEET`: on the hosts, where the data is."""
    if wishes.identities:
        raise UsageError("the identity is the hosts'", hint="set engram_backup_identity in the inventory")
    current = compose.session()
    place, name = place_of(current, wishes.names[0], wishes.folder)
    backup = FleetShelf(place).read(name)
    target = compose.target_of(current, wishes.target or backup.target, wishes.config)
    whole_of(backup, name, target.name, ())
    with ProgressTalk(wishes.progress) as talk:
        ports = ports_on(current, target, place, talk)
        verified = verify_fleet(ports, name, wishes.level, current.new_run_id(), state_here(current))
    code = code_of(verified)
    if wishes.as_json:
        data = verified_data(ports.vault.folder, verified)
        show_json(envelope("backup_fleet", "runbook backup verify", code, data))
    else:
        show(verified_fleet_lines(verified))
    return code
