"""Restore a backup into a staging generation of its node: all of it or nothing, and never over what is served.

What was forgotten on the node since the backup stays forgotten: it is held back from what the node is sent. With
`activate` the switch is made under a freeze of writes, so that nothing forgotten slips in between, and the generation
that was served is kept.
"""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from runbook.archive.forgetting import Forgotten
from runbook.engine.backup.activate import Switch, activate
from runbook.engine.backup.bundle import Sent, digest_of
from runbook.engine.backup.note import Note
from runbook.engine.backup.since import since
from runbook.errors import DamagedError, RefusedError, RunbookError, StepFailedError
from runbook.model.backup import Backup
from runbook.model.generation import Generation, Holdings, State
from runbook.model.journal import Event
from runbook.ports import DataNode
from runbook.ports.backups import BackupPorts, Bundle

LEVEL = 3
"""What is proven of a backup before anything else is done with it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for; `other_node` takes a backup whose node is another, or has another history.

    `still` is asked before the switch, and raises where it may not be made any more.
    """

    run: str
    target: str
    name: str
    reason: str = ""
    identities: tuple[Path, ...] = ()
    activate: bool = False
    other_node: bool = False
    replace: bool = False
    still: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a restore would do, before it does anything. `unknown` says why it cannot be told what was forgotten."""

    backup: Backup
    active: Generation
    staging: Generation | None
    forgotten: int
    written: int
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """What it did. `sequence` is where the node goes on, None where the generation is not served yet."""

    outlook: Outlook
    generation: str
    filled: bool
    held_back: dict[str, int]
    sequence: int | None = None


def look(ports: BackupPorts, node: DataNode, wish: Wish) -> Outlook:
    """Prove the backup, and ask the node; nothing is changed.

    Raises:
        DamagedError: the backup is damaged.
        RefusedError: it is encrypted and no identity opens it; it is of another node, or the node's history does not
            reach back to it; or something else is being prepared there.
        UnreachableError, NotSupportedError, StorageError: as the ports raise them.
    """
    backup = _proven(ports, wish)
    holdings = node.holdings()
    unknown = _unknown(backup, holdings, node.name)
    if unknown and not wish.other_node:
        hint = "--other-node restores it all the same: what was forgotten there since cannot be told, and comes back"
        raise RefusedError(unknown, hint=hint)
    staging = holdings.of(State.STAGING)
    if staging is not None and staging.kind != backup.kind and not wish.replace:
        raise _occupied(node, staging)
    if unknown:
        return Outlook(backup, holdings.active, staging, 0, 0, unknown)
    with closing(ports.vault.forgotten()) as forgotten:
        written = since(ports, node, holdings.active, backup.sequence, forgotten).written
        return Outlook(backup, holdings.active, staging, forgotten.count, written)


def restore(ports: BackupPorts, node: DataNode, wish: Wish, outlook: Outlook) -> Restored:
    """Fill a staging generation, prove it, and with `activate` serve it.

    Whatever goes wrong before the switch: what is served is as it was, and what this run filled is dropped.

    Raises:
        StepFailedError: what the node gave back is not what it was sent; or it was written to in every freeze.
        RunbookError: as `look`.
    """
    bundle = ports.vault.opened(wish.name, wish.identities)
    if bundle.backup.seal != outlook.backup.seal:
        raise DamagedError(f"{wish.name} has changed since it was proven", hint="verify it")
    note = Note(ports.journal, Event.BACKUP_RESTORED, wish.run, _details(node, wish, outlook))
    with note.kept() as facts, closing(ports.vault.forgotten()) as forgotten:
        sequence = outlook.active.sequence
        if not outlook.unknown:
            sequence = since(ports, node, outlook.active, outlook.backup.sequence, forgotten).sequence
        generation, filled, held = _staged(ports, node, wish, outlook, _Sends.of(bundle, forgotten))
        facts |= {"generation": generation, "filled": filled, "held_back": held}
    restored = Restored(outlook, generation, filled, held)
    if not wish.activate:
        return restored
    with _dropped_on_failure(ports, node, generation, filled=filled):
        wish.still()
        switch = Switch(wish.run, wish.target, wish.reason, outlook.backup, outlook.active, generation)
        at = activate(ports, node, switch, sequence, known=not outlook.unknown)
    return dataclasses.replace(restored, sequence=at)


def _proven(ports: BackupPorts, wish: Wish) -> Backup:
    size = next((each.stored_bytes for each in ports.vault.shelf() if each.name == wish.name), 0)
    proof = ports.vault.verify(wish.name, LEVEL, wish.identities, ports.talk.passing(f"verify {wish.name}", size))
    if not proof.complete:
        raise RefusedError(f"{wish.name} cannot be opened: {proof.why_not}", hint="give its --identity")
    return proof.backup


def _unknown(backup: Backup, holdings: Holdings, name: str) -> str:
    if backup.node != holdings.node:
        return f"{backup.name} is of the node {backup.node}, and {name} is {holdings.node}"
    if backup.sequence > holdings.active.sequence:
        here = f"{name} stands at change {holdings.active.sequence}"
        return f"{backup.name} holds changes up to {backup.sequence}, and {here}: its history is another one"
    return ""


def _occupied(node: DataNode, staging: Generation) -> RefusedError:
    return RefusedError(
        f"{node.name} is preparing the generation {staging.id} ({staging.kind}), which is not this backup",
        hint="is a migration or an import under way? if nobody needs it, --replace drops it",
    )


@dataclass(frozen=True, slots=True)
class _Sends:
    """What is to be sent: the records, and perhaps residue."""

    bundle: Bundle
    parts: tuple[tuple[str, Sent], ...]

    @classmethod
    def of(cls, bundle: Bundle, forgotten: Forgotten) -> "_Sends":
        found = forgotten if forgotten.count else None
        return cls(bundle, tuple((part, Sent(bundle, part, found)) for part in bundle.parts))

    def held_back(self) -> dict[str, int]:
        """What was, by type; once all has passed."""
        return dict(self.parts[0][1].held_back)

    def read(self) -> None:
        """Have all of it pass, for its digests."""
        for _, sent in self.parts:
            for _ in sent.batches():
                pass


def _staged(
    ports: BackupPorts, node: DataNode, wish: Wish, outlook: Outlook, sends: _Sends
) -> tuple[str, bool, dict[str, int]]:
    """The generation that holds the backup, proven; an earlier run may have filled it."""
    if outlook.staging is not None:
        if not wish.replace:
            ports.talk.say(f"{node.name} has prepared {outlook.staging.id} already: is it this backup?")
            sends.read()
            if _wrong(ports, node, outlook.staging.id, sends):
                raise _occupied(node, outlook.staging)
            return outlook.staging.id, False, sends.held_back()
        node.drop(outlook.staging.id)
    (_, records), *residue = sends.parts
    taken = node.fill(ports.talk.counted(f"restore to {node.name}", records, outlook.backup.raw_bytes))
    with _dropped_on_failure(ports, node, taken.generation, filled=True):
        for _, sent in residue:
            node.add(taken.generation, sent)
        if wrong := _wrong(ports, node, taken.generation, sends):
            raise StepFailedError(f"{node.name} gave back other {wrong} than it was sent; nothing was switched")
    return taken.generation, True, sends.held_back()


def _wrong(ports: BackupPorts, node: DataNode, generation: str, sends: _Sends) -> str:
    """Which kind of the generation's content is not what was sent; empty where all of it is."""
    for part, sent in sends.parts:
        kind = sends.bundle.header(part).kind
        if digest_of(ports, node, kind, generation) != sent.digest:
            return kind
    return ""


@contextmanager
def _dropped_on_failure(ports: BackupPorts, node: DataNode, generation: str, *, filled: bool) -> Iterator[None]:
    """All or nothing: what this run has filled does not stay when it fails."""
    try:
        yield
    except BaseException:
        if filled:
            with suppress(RunbookError):
                node.drop(generation)
                ports.talk.say(f"{node.name}: the generation {generation} is dropped again; nothing was switched")
        raise


def _details(node: DataNode, wish: Wish, outlook: Outlook) -> dict[str, object]:
    backup = outlook.backup
    of = {"target": wish.target, "node": node.name, "reason": wish.reason, "backup": backup.name}
    seen = {"manifest": backup.seal, "digest": backup.digest, "other_node": bool(outlook.unknown)}
    return of | seen | {"activate": wish.activate}
