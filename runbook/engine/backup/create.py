"""Back up one node: one snapshot, streamed, read strictly on its way, and read back before it is called a backup."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from runbook.errors import DamagedError, LockedError, NotSupportedError, RunbookError, UsageError
from runbook.model.backup import CREATED_AT_LEVEL, Backup, Order, Proof, TwoMomentsError
from runbook.model.generation import Generation
from runbook.model.journal import Event, JournalState
from runbook.ports import DataNode
from runbook.ports.backups import BackupPorts, FleetPorts

LOCK = "backups"
AUTO, NONE = "auto", "none"
"""What a parent may be, beside a name: the newest that fits, or none."""
SINGLE = "single_memory"
_TRIES = 5
_PAUSE_SECONDS = 1.0
_BYTES = {"episode": 5200, "concept": 4600, "binding": 300}
"""About how large a record is in an archive; only for the time left."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; `parent` is `auto`, `none` or a name, `run` names this run in the journal and the lock."""

    run: str
    target: str
    written_by: str
    parent: str = AUTO
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Created:
    """The backup that holds the node's state now; not `fresh` where it was there already."""

    proof: Proof
    fresh: bool
    swept: int


@contextmanager
def writing(ports: BackupPorts | FleetPorts, run: str, *, wait: bool, lock: str = LOCK) -> Iterator[None]:
    """Hold a lock of the folder; with `wait` until it is free.

    Raises:
        LockedError: another run holds it; the message names it.
    """
    with ExitStack() as held:
        told = False
        while True:
            try:
                held.enter_context(ports.locks.hold(lock, run))
                break
            except LockedError as error:
                if not wait:
                    raise LockedError(error.message, hint="wait until it has ended, or add --wait") from None
                if not told:
                    ports.talk.say(f"waiting: {error.message}")
                told = True
            ports.clock.sleep(_PAUSE_SECONDS)
        yield


def check_journal(ports: BackupPorts) -> JournalState:
    """Where the journal stands: what cannot be recorded is not begun.

    Raises:
        DamagedError: it is damaged.
    """
    found = ports.journal.verify()
    if not found.sound:
        raise DamagedError(f"the journal {found.path} is damaged", hint="runbook audit verify")
    return found


def create(ports: BackupPorts, node: DataNode, wanted: Wanted) -> Created:
    """Back up what the node serves; whoever calls holds the lock.

    Where nothing has changed since the newest backup, that one is verified again, and is the answer: it holds what the
    node holds now, which is journaled.

    Raises:
        UsageError: there is no such parent, or a recipient is none.
        DamagedError: the journal or what the node sent is damaged, or what was read back is not what was written.
        UnreachableError, NotSupportedError, RefusedError, StorageError: as the ports raise them.
    """
    swept = ports.vault.sweep()
    if swept:
        ports.talk.say(f"cleared up {swept} unfinished {'backup' if swept == 1 else 'backups'} of killed runs")
    journal = check_journal(ports)
    holdings = node.holdings()
    active = holdings.active
    shelf = ports.vault.shelf()
    wanted = replace(wanted, recipients=tuple(sorted({each.strip() for each in wanted.recipients})))
    mine = [each for each in shelf if (each.node, each.kind, each.damage) == (holdings.node, active.kind, "")]
    if (proof := _same(ports, mine, active, wanted)) is not None:
        ports.journal.append(Event.BACKUP_VERIFIED, wanted.run, {**details_of(proof), "unchanged": True})
        return Created(proof, fresh=False, swept=swept)
    parent = _parent(shelf, mine, wanted)
    point = (journal.entries, journal.head) if journal.entries else None
    order = Order(wanted.target, node.name, wanted.written_by, parent, wanted.recipients, point)
    proof = _written(ports, node, order, active)
    try:
        ports.journal.append(Event.BACKUP_CREATED, wanted.run, details_of(proof))
    except RunbookError:
        ports.talk.say(f"{proof.backup.name} is written and read back, but the journal does not take it")
        raise
    return Created(proof, fresh=True, swept=swept)


def details_of(proof: Proof) -> dict[str, object]:
    """What the journal keeps of a backup."""
    backup = proof.backup
    of = {"target": backup.target, "host": backup.host, "node": backup.node, "kind": backup.kind}
    seen = {"snapshot": backup.snapshot, "digest": backup.digest, "manifest": backup.seal}
    return {"backup": backup.name, **of, **seen, "records": backup.records, "level": proof.level}


def _same(ports: BackupPorts, mine: list[Backup], active: Generation, wanted: Wanted) -> Proof | None:
    """The newest one, where it holds this very state for the same eyes; verified again."""
    newest = mine[0] if mine else None
    if newest is None or newest.snapshot != f"{active.id}:{active.sequence}" or newest.consistency != "snapshot":
        return None
    if newest.recipients != wanted.recipients:
        return None
    try:
        passed = ports.talk.passing("verify", newest.stored_bytes)
        return ports.vault.verify(newest.name, CREATED_AT_LEVEL, (), passed)
    except DamagedError as error:
        ports.talk.say(f"{newest.name} holds this state, but is damaged: {error.message}")
        return None


def _parent(shelf: tuple[Backup, ...], mine: list[Backup], wanted: Wanted) -> str | None:
    if wanted.parent == NONE:
        return None
    if wanted.parent == AUTO:
        fit = (each for each in mine if each.proven and each.recipients == wanted.recipients)
        return next((each.name for each in fit), None)
    found = next((each for each in shelf if each.name == wanted.parent), None)
    if found is None:
        raise UsageError(f"there is no backup {wanted.parent} to be the parent", hint="runbook backup list")
    if found.damage:
        raise DamagedError(f"{found.name} is damaged: {found.damage}", hint="take another --parent, or none")
    return found.name


def _written(ports: BackupPorts, node: DataNode, order: Order, active: Generation) -> Proof:
    """Records and residue of one moment; of a node that is written to all the time, at last of two, and it says so."""
    total = sum(_BYTES.get(name, 0) * count for name, count in active.counts.items())
    for tried in range(1, _TRIES + 1):
        with ExitStack() as streams:
            records = streams.enter_context(node.export(active.kind))
            residue = streams.enter_context(node.export("residue")) if active.kind == SINGLE else None
            counted = ports.talk.counted(f"back up {node.name}", records, total)
            try:
                return ports.vault.write(replace(order, fuzzy=tried == _TRIES), counted, residue)
            except TwoMomentsError as error:
                ports.talk.say(f"{error.message}; once more")
    raise NotSupportedError(f"{node.name} gave no two streams of one moment")  # pragma: no cover - the last is fuzzy
