"""Backups of fleets as lines for people and as data."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from runbook.engine.fleet.backup import FleetVerified
from runbook.model.backup import PROVES
from runbook.model.fleet_backup import PER_NODE, FleetBackup, KeptFleetBackup, NodeBackup
from runbook.report.archives import counts_words, size_words
from runbook.report.lines import Line, Style, line

MOMENTS = "each node's backup is one snapshot of that node; they are not of one instant"


def fleet_data(kept: KeptFleetBackup) -> dict[str, Any]:
    """One of them; without parts where it is damaged."""
    backup = kept.backup
    if backup is None:
        return {"name": kept.name, "damage": kept.damage}
    return {
        "name": kept.name,
        "damage": "",
        "number": backup.number,
        "target": backup.target,
        "created_at": backup.created_at,
        "complete": backup.complete,
        "consistency": PER_NODE,
        "records": backup.records,
        "stored_bytes": backup.stored_bytes,
        "sha256": backup.sha256,
        "nodes": [_node_data(each) for each in backup.nodes],
        "missing": [{"host": each.host, "why": each.why} for each in backup.missing],
    }


def fleets_data(folder: Path, kept: Sequence[KeptFleetBackup]) -> dict[str, Any]:
    """What a command says of them."""
    return {"folder": str(folder), "fleets": [fleet_data(each) for each in kept]}


def verified_data(folder: Path, verified: FleetVerified) -> dict[str, Any]:
    """What was proven on the hosts."""
    failed = {host: {"code": code, "message": why} for host, (code, why) in verified.failed.items()}
    proven = {"asked": verified.asked, "level": verified.level, "levels": dict(verified.levels), "failed": failed}
    return fleets_data(folder, [KeptFleetBackup(verified.name, verified.backup)]) | {"verified": proven}


def created_fleet_lines(kept: KeptFleetBackup, folder: Path) -> Iterator[Line]:
    """What `backup create --all-nodes` made."""
    yield line(f"Backup of a fleet {kept.name}", Style.STRONG)
    yield line(f"in {folder}", Style.FAINT, indent=2)
    if kept.backup is not None:
        yield from _parts(kept.backup)
        yield line(MOMENTS, Style.FAINT, indent=2, hang=2)


def fleet_shelf_lines(shelf: Sequence[KeptFleetBackup]) -> Iterator[Line]:
    """Their part of `backup list`."""
    for kept in shelf:
        yield line(f"{kept.name}  fleet", Style.STRONG)
        if kept.backup is None:
            yield line(f"DAMAGED: {kept.damage}", Style.BAD, indent=2, hang=2)
            continue
        backup = kept.backup
        held = (
            f"{backup.target}: {len(backup.nodes)} nodes, {backup.records} records, {size_words(backup.stored_bytes)}"
        )
        yield line(f"{held} on their hosts", indent=2, hang=2)
        if not backup.complete:
            names = ", ".join(each.host for each in backup.missing)
            yield line(f"INCOMPLETE: without {names}", Style.BAD, indent=2, hang=2)


def verified_fleet_lines(verified: FleetVerified) -> Iterator[Line]:
    """What the hosts found."""
    yield line(f"Backup of a fleet {verified.name}", Style.STRONG)
    for host, level in verified.levels.items():
        short = "" if level >= verified.asked else f", not {verified.asked}"
        yield line(f"{host}: level {level} reached{short}", Style.UNSURE if short else Style.GOOD, indent=2)
    for host, (_, why) in verified.failed.items():
        yield line(f"{host}: FAILED: {why}", Style.BAD, indent=2, hang=2)
    yield from _missing(verified.backup)
    if verified.level is not None:
        yield line(f"all of it at level {verified.level}: {PROVES[verified.level]}", Style.FAINT, indent=2, hang=2)


def _parts(backup: FleetBackup) -> Iterator[Line]:
    for each in backup.nodes:
        told = f"{counts_words(each.counts)}, {size_words(each.stored_bytes)} stored, level {each.level} reached"
        yield line(f"{each.host}: {told}", indent=2, hang=2)
        yield line(f"{each.folder}/{each.backup}", Style.FAINT, indent=4, hang=2)
        if each.consistency != "snapshot":
            yield line("fuzzy: records and residue are not of one moment", Style.UNSURE, indent=4)
    yield from _missing(backup)


def _missing(backup: FleetBackup) -> Iterator[Line]:
    for each in backup.missing:
        yield line(f"{each.host}: MISSING: {each.why}", Style.BAD, indent=2, hang=2)


def _node_data(node: NodeBackup) -> dict[str, Any]:
    return {
        "host": node.host,
        "node": node.node,
        "folder": node.folder,
        "backup": node.backup,
        "kind": node.kind,
        "snapshot": node.snapshot,
        "consistency": node.consistency,
        "manifest_sha256": node.manifest,
        "content_digest": node.digest,
        "counts": dict(node.counts),
        "stored_bytes": node.stored_bytes,
        "level": node.level,
    }
