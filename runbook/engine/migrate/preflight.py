"""May a node be migrated, and from what? Looked at before anything is touched, and told with what to do instead."""

from dataclasses import dataclass
from pathlib import Path

from runbook.archive.layout import Summary
from runbook.engine.migrate.work import Context, generation_of, sequence_of
from runbook.errors import NotSupportedError, RefusedError
from runbook.model.generation import Holdings, State
from runbook.model.migration_run import DUAL, NodePlan

DISK = 2
"""Times the size of the source: what is converted, and its residue."""
_NAMES = {DUAL: "dual memory", "single_memory": "single memory"}


@dataclass(frozen=True, slots=True)
class Ready:
    """A node that may be migrated: its part of the plan, what it holds, and how many writes are newer than the source.

    `bytes` is the size of the source; 0 where it has still to be written.
    """

    plan: NodePlan
    holdings: Holdings
    newer: int = 0
    bytes: int = 0


def look(context: Context, name: str, source_kind: str, target_kind: str) -> Holdings:
    """What the node holds.

    Raises:
        NotSupportedError: it knows no generations.
        RefusedError: it serves the other kind already, or a staging generation is in the way.
    """
    holdings = context.ports.data(name).holdings()
    active = holdings.active
    if active.kind != source_kind:
        done = active.kind == target_kind
        told = f"{name} serves {_NAMES.get(active.kind, active.kind)}"
        if not done:
            raise NotSupportedError(f"{told}, which cannot be migrated to {target_kind}")
        raise RefusedError(f"{told} already", hint="runbook migrate status shows by which run")
    if staging := holdings.of(State.STAGING):
        raise RefusedError(
            f"{name} has a staging generation already, {staging.id}",
            hint="finish what prepares it (runbook runs), or drop it: runbook import --drop",
        )
    return holdings


def from_backup(name: str, backup: Path, summary: Summary, holdings: Holdings) -> Ready:
    """The node with a backup of it, which was read at level 3.

    Raises:
        RefusedError: the backup is of another node, another generation, another kind, or of changes only.
    """
    again = f"make a fresh one: runbook export --format {holdings.active.kind} -o {backup.name}"
    if backup.suffix == ".backup":  # the name of a folder that `backup create` made: nothing is exported over it
        again = "make a fresh one: runbook backup create"
    header = summary.header
    if header.kind != holdings.active.kind:
        raise RefusedError(f"{backup} is of {header.kind}, {name} serves {holdings.active.kind}", hint=again)
    if header.since is not None or header.consistency != "snapshot":
        raise RefusedError(f"{backup} is no snapshot of everything", hint=again)
    if header.node != holdings.node:
        raise RefusedError(
            f"{backup} is a backup of another node ({header.node}), not of {name} ({holdings.node})", hint=again
        )
    generation, sequence = generation_of(summary), sequence_of(summary)
    active = holdings.active
    if generation != active.id:
        raise RefusedError(
            f"{backup} is of generation {generation}; {name} serves {active.id} by now: it does not cover it",
            hint=again,
        )
    if sequence > active.sequence:
        raise RefusedError(
            f"{backup} is newer ({sequence}) than {name} ({active.sequence}): the node went back in time", hint=again
        )
    path = str(backup.absolute())
    plan = NodePlan(name, holdings.node, active.id, path, own=False, sequence=sequence, sha256=summary.sha256)
    return Ready(plan, holdings, active.sequence - sequence, summary.bytes)


def from_itself(name: str, path: Path, holdings: Holdings) -> Ready:
    """The node without a backup: the run writes one first."""
    return Ready(NodePlan(name, holdings.node, holdings.active.id, str(path), own=True), holdings)


def check_disk(context: Context, work: Path, ready: tuple[Ready, ...]) -> None:
    """Is there room for what is made on the way?

    Raises:
        RefusedError: there is not, with the figures.
    """
    # A record is 5 KB at most as a rule: its embedding alone is 4 KB. Where the source is not written yet, it counts.
    sizes = [each.bytes or _RECORD_BYTES * _records(each.holdings) for each in ready]
    # What is made of a node goes when the node is done; what is written of it first stays, as its backup.
    backups = sum(size for each, size in zip(ready, sizes, strict=True) if each.plan.own)
    largest = max(sizes, default=0)
    needed, free = DISK * largest + backups, context.ports.archives.free_bytes(work)
    if free < needed:
        also = f", and {backups // 1_000_000} MB of backups" if backups else ""
        raise RefusedError(
            f"{free // 1_000_000} MB are free on the disk of {work}, {needed // 1_000_000} MB are needed "
            f"({DISK} x {largest // 1_000_000} MB{also})",
            hint="make room there, or set RUNBOOK_STATE to a folder on another disk",
        )


_RECORD_BYTES = 5_000


def _records(holdings: Holdings) -> int:
    return holdings.active.counts.get("episode", 0) + holdings.active.counts.get("concept", 0)
