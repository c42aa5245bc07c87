"""A work of every host on the data of its own node: restore, serve, migrate, go back; journaled before and after."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from runbook.engine.backup.note import Note
from runbook.errors import ExitCode, RefusedError, UsageError
from runbook.model.fleet_backup import FleetBackup
from runbook.model.journal import Entry, Event
from runbook.model.play import HostState, WorkRequest, WorkResult
from runbook.ports.backups import FleetPorts

RESTORE, ACTIVATE = "restore_backup", "activate_backup"
MIGRATE, REVERT, FINALIZE = "migrate_data", "revert_migration", "finalize_migration"
"""The playbooks; each is the name of a work too."""
CHANGES = frozenset({RESTORE, ACTIVATE, MIGRATE, REVERT, FINALIZE})
_NOBODY = {HostState.UNREACHABLE, HostState.NOT_REACHED}


@dataclass(frozen=True, slots=True)
class FleetWork:
    """What is asked for: which playbook on which hosts, in which run, on which target and why.

    `inputs` are the playbook's own; `about` is what the journal keeps beside.
    """

    run: str
    target: str
    playbook: str
    hosts: tuple[str, ...]
    inputs: Mapping[str, Any]
    reason: str = ""
    about: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FleetWorked:
    """What came of it, host by host, in the order of the fleet."""

    work: FleetWork
    results: tuple[WorkResult, ...]

    @property
    def done(self) -> bool:
        """Has every host done it?"""
        return all(each.done for each in self.results)

    @property
    def code(self) -> ExitCode:
        """Partial where some have done it; where none has, what the hosts say, if they are of one mind."""
        if self.done:
            return ExitCode.DONE
        if any(each.done for each in self.results):
            return ExitCode.PARTIAL
        if all(each.state in _NOBODY for each in self.results):
            return ExitCode.UNREACHABLE
        tried = {each.code for each in self.results if each.state not in _NOBODY}
        only = tried.pop() if len(tried) == 1 else None
        return ExitCode(only) if only else ExitCode.PARTIAL


def change(ports: FleetPorts, work: FleetWork) -> FleetWorked:
    """The same for what changes a node; whoever calls holds the lock of the target, so that no other is at it.

    Raises:
        PersonNeededError: what a killed run left does not end.
        RunbookError: as `carry_out`.
    """
    _stop_orphans(ports, work.target)
    return carry_out(ports, work)


def carry_out(ports: FleetPorts, work: FleetWork) -> FleetWorked:
    """Have the hosts do it.

    Raises:
        StorageError, DamagedError: the journal does not take the intent; nothing was done.
        RunbookError: as the hosts' port raises.
    """
    details = {"work": work.playbook, "target": work.target, "reason": work.reason, **work.about}
    with Note(ports.journal, Event.FLEET_WORKED, work.run, {**details, "hosts": list(work.hosts)}).kept() as facts:
        inputs = {"target": work.target, "reason": work.reason, **work.inputs}
        mark = f"{work.playbook}-{work.run}"
        results = ports.hosts.work(WorkRequest(work.playbook, work.hosts, mark, inputs), ports.talk.say)
        facts["results"] = {each.host: _fact(each) for each in results}
    return FleetWorked(work, results)


def whole_of(backup: FleetBackup, name: str, target: str, hosts: Sequence[str]) -> dict[str, str]:
    """Where the backup of each of these hosts lies, on that host.

    Raises:
        RefusedError: it is of another target, or one of them is missing from it.
    """
    if backup.target != target:
        raise RefusedError(f"{name} is of {backup.target}, not of {target}", hint=f"--target {backup.target}")
    there = {each.host: f"{each.folder}/{each.backup}" for each in backup.nodes}
    if missing := [host for host in hosts if host not in there]:
        raise RefusedError(f"{name} is without {', '.join(missing)}", hint="runbook backup create --all-nodes")
    return {host: there[host] for host in hosts}


@dataclass(frozen=True, slots=True)
class LastMigration:
    """What the data of a fleet became, and by which run of each host that took part, as its own journal calls it.

    The run is empty where the host could not tell it any more: then its own journal has to.
    """

    to: str
    runs: Mapping[str, str]


def last_migration(entries: Iterable[Entry], target: str) -> LastMigration:
    """That of each host, in the direction of the last one of all.

    Raises:
        UsageError: this journal has none.
    """
    to, runs = "", dict[str, str]()
    for entry in entries:
        told = entry.details
        if entry.event is not Event.FLEET_WORKED or (told.get("work"), told.get("target")) != (MIGRATE, target):
            continue
        if told["to"] != to:
            to, runs = told["to"], {}
        if told["state"] == "intended":
            runs |= {host: "" for host in told["hosts"] if host not in runs}
            continue
        for host, fact in (told.get("results") or {}).items():
            if fact.get("run"):
                runs[host] = fact["run"]
            elif fact["state"] == HostState.NOT_REACHED and not runs.get(host):
                runs.pop(host, None)
    if not runs:
        raise UsageError(f"no migration of the fleet {target} is in this journal", hint="runbook runs")
    return LastMigration(to, runs)


def _stop_orphans(ports: FleetPorts, target: str) -> None:
    """End the plays of works on that target whose own process was killed, before another one begins."""
    begun: dict[str, str] = {}
    for entry in ports.journal.entries():
        told = entry.details
        if entry.event is Event.FLEET_WORKED and told["target"] == target and told["work"] in CHANGES:
            begun[f"{told['work']}-{entry.run}"] = told["state"]
    for mark, state in begun.items():
        if state == "intended" and (count := ports.hosts.stop_orphans(mark)):
            ports.talk.say(f"ended {count} processes that a killed run had left ({mark})")


def _fact(result: WorkResult) -> dict[str, object]:
    """What the journal keeps of a host."""
    told = {name: (result.report or {}).get(name) for name in ("run", "status", "generation", "sequence")}
    kept = {name: value for name, value in told.items() if value is not None}
    return {"state": result.state.value, "code": result.code, "message": result.message, **kept}
