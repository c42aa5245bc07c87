"""Back up a fleet: each node on its own host, all at once, and a document that names them, written last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from runbook.archive import fleet_manifest
from runbook.errors import DamagedError, ExitCode, NotSupportedError, RunbookError, UnreachableError
from runbook.model.fleet_backup import PER_NODE, FleetBackup, KeptFleetBackup, Missing, NodeBackup
from runbook.model.journal import Event
from runbook.model.play import HostState, WorkRequest, WorkResult
from runbook.ports.backups import FleetPorts

LOCK = "fleet"
CREATE, VERIFY = "backup_node", "verify_backup"
"""The playbooks."""
_SHOWN = 900


@dataclass(frozen=True, slots=True)
class FleetWanted:
    """What is asked for: of which target, of which nodes, for whose eyes; `run` names this run in journal and lock.

    Hosts that are this very machine have their state folders below `state_here`.
    """

    run: str
    target: str
    hosts: tuple[str, ...]
    written_by: str
    recipients: tuple[str, ...] = ()
    state_here: str = ""


@dataclass(frozen=True, slots=True)
class FleetVerified:
    """What verifying on the hosts brought: `levels` by host, why not by host, and who failed with which code."""

    name: str
    backup: FleetBackup
    asked: int
    levels: Mapping[str, int]
    failed: Mapping[str, tuple[int | None, str]]

    @property
    def level(self) -> int | None:
        """What is proven of all of it; None where a part is not."""
        whole = not self.failed and self.backup.complete and len(self.levels) == len(self.backup.nodes)
        return min(self.levels.values()) if whole else None


def create_fleet(ports: FleetPorts, wanted: FleetWanted) -> KeptFleetBackup:
    """Have every host back up its node; where some fail, what the others did is kept, and says who is missing.

    Whoever calls holds the lock.

    Raises:
        DamagedError: the journal is damaged.
        RunbookError: no host has done it; the error is that of the hosts, where they are of one mind.
    """
    state = ports.journal.verify()
    if not state.sound:
        raise DamagedError(f"the journal {state.path} is damaged", hint="runbook audit verify")
    inputs = {"target": wanted.target, "recipients": list(wanted.recipients), "state_here": wanted.state_here}
    mark = f"backup-{wanted.run}"
    results = ports.hosts.work(WorkRequest(CREATE, wanted.hosts, mark, inputs), ports.talk.say)
    kept = ports.vault.write(_backup_of(ports, wanted, results, (state.entries, state.head)))
    assert kept.backup is not None  # noqa: S101 - what was just read back
    ports.journal.append(Event.BACKUP_CREATED, wanted.run, details_of(kept.name, kept.backup))
    return kept


def verify_fleet(ports: FleetPorts, name: str, level: int, run: str, state_here: str = "") -> FleetVerified:
    """Have every host verify its part, where it lies; it must still be the very one.

    Raises:
        UsageError, DamagedError: there is no such fleet's backup, or its document is damaged.
    """
    backup = ports.vault.read(name)
    parts = {each.host: each for each in backup.nodes}
    paths = {host: f"{part.folder}/{part.backup}" for host, part in parts.items()}
    inputs = {"target": backup.target, "backup_by_host": paths, "level": level, "state_here": state_here}
    results = ports.hosts.work(WorkRequest(VERIFY, tuple(parts), f"verify-{run}", inputs), ports.talk.say)
    found = _verified(name, backup, level, results)
    ports.journal.append(
        Event.BACKUP_VERIFIED,
        run,
        {
            **details_of(name, backup),
            "levels": dict(found.levels),
            "level": found.level,
            "failed": sorted(found.failed),
        },
    )
    return found


def code_of(verified: FleetVerified) -> ExitCode:
    """Damage before all; then what is not proven; then who is missing."""
    codes = {code for code, _ in verified.failed.values()}
    if ExitCode.DAMAGED in codes:
        return ExitCode.DAMAGED
    if verified.failed and not verified.levels and len(codes) == 1 and (only := codes.pop()):
        return ExitCode(only)
    if verified.failed or not verified.backup.complete:
        return ExitCode.PARTIAL
    short = any(level < verified.asked for level in verified.levels.values())
    return ExitCode.COULD_NOT_TELL if short else ExitCode.DONE


def details_of(name: str, backup: FleetBackup) -> dict[str, object]:
    """What the journal keeps of it."""
    return {
        "fleet": name,
        "target": backup.target,
        "manifest": backup.sha256,
        "complete": backup.complete,
        "consistency": PER_NODE,
        "records": backup.records,
        "backups": {each.host: each.backup for each in backup.nodes},
        "levels": {each.host: each.level for each in backup.nodes},
        "missing": [each.host for each in backup.missing],
    }


def _backup_of(
    ports: FleetPorts, wanted: FleetWanted, results: Sequence[WorkResult], point: tuple[int, str]
) -> FleetBackup:
    nodes, missing = [], []
    for result in results:
        try:
            nodes.append(_part(result))
        except _NoPartError as problem:
            missing.append(Missing(result.host, str(problem)[:_SHOWN]))
    if not nodes:
        raise _nobody(results, missing)
    return FleetBackup(
        target=wanted.target,
        number=1,
        created_at=f"{ports.clock.now().astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
        written_by=wanted.written_by,
        nodes=tuple(nodes),
        missing=tuple(missing),
        journal=point if point[0] else None,
    )


class _NoPartError(Exception):
    """This host brought no backup; why."""


def _part(result: WorkResult) -> NodeBackup:
    """What a host tells of the backup that it wrote, or found that it had."""
    if not result.done or result.report is None:
        raise _NoPartError(result.message or result.state.value)
    try:
        proof = result.report["proofs"][0]
        told = proof["backup"]
        part = NodeBackup(
            host=result.host,
            node=told["node"],
            folder=result.report["folder"],
            backup=told["name"],
            kind=told["kind"],
            snapshot=told["snapshot"],
            consistency=told["consistency"],
            manifest=told["manifest_sha256"],
            digest=told["content_digest"],
            counts=dict(told["counts"]),
            stored_bytes=told["stored_bytes"],
            level=proof["level"],
        )
    except (LookupError, TypeError, ValueError) as problem:
        raise _NoPartError(f"its runbook is of another version: {problem!r}") from None
    if fault := fleet_manifest.fault_of(part):
        raise _NoPartError(f"what it tells of its backup cannot be: {fault}")
    if told["host"] != result.host:
        raise _NoPartError(f"it backed up {told['host']} instead: two hosts share a folder")
    return part


def _nobody(results: Sequence[WorkResult], missing: Sequence[Missing]) -> RunbookError:
    """No host did it: the error that they share, else the widest."""
    hint = "; ".join(f"{each.host}: {each.why}" for each in missing)
    if all(each.state in {HostState.UNREACHABLE, HostState.NOT_REACHED} for each in results):
        return UnreachableError("no host could be reached; nothing was backed up", hint=hint)
    codes = {each.code for each in results}
    only = codes.pop() if len(codes) == 1 else None
    error = RunbookError("no host backed up its node", hint=hint)
    if not only:  # of several minds, or done by their own account without a backup that can be one
        return NotSupportedError("no host backed up its node", hint=hint)
    error.code = ExitCode(only)
    return error


def _verified(name: str, backup: FleetBackup, level: int, results: Sequence[WorkResult]) -> FleetVerified:
    levels: dict[str, int] = {}
    failed: dict[str, tuple[int | None, str]] = {}
    for result in results:
        proof = _proof(result)
        if proof is None:
            failed[result.host] = (result.code, result.message or result.state.value)
        elif proof["backup"]["manifest_sha256"] != backup.of(result.host).manifest:
            failed[result.host] = (ExitCode.DAMAGED, "another backup lies there under its name")
        else:
            levels[result.host] = proof["level"]
    return FleetVerified(name, backup, level, levels, failed)


def _proof(result: WorkResult) -> Mapping[str, Any] | None:
    """What was proven, even where it is less than was asked for."""
    try:
        proof: Mapping[str, Any] = (result.report or {})["proofs"][0]
        sound = type(proof["level"]) is int and isinstance(proof["backup"]["manifest_sha256"], str)
    except (LookupError, TypeError):
        return None  # a host may tell anything
    return proof if sound else None
