"""The switch to a restored generation, under a freeze of writes: what was forgotten meanwhile is so in it, too."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from runbook.archive.layout import Header
from runbook.archive.writer import ArchiveWriter
from runbook.engine.backup.note import Note
from runbook.engine.backup.since import since
from runbook.engine.switched import switched
from runbook.errors import RunbookError, StepFailedError
from runbook.model.backup import Backup
from runbook.model.generation import Generation, WrittenSinceError
from runbook.model.journal import Event
from runbook.ports import DataNode
from runbook.ports.backups import BackupPorts

_FREEZE = timedelta(seconds=60)
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Switch:
    """From the generation that is served to the one that was filled, in which run, on which target and why."""

    run: str
    target: str
    reason: str
    backup: Backup
    active: Generation
    generation: str


def activate(ports: BackupPorts, node: DataNode, switch: Switch, sequence: int, *, known: bool) -> int:
    """Serve it; up to `sequence` what was forgotten is held back already. The sequence from which the node goes on.

    `known` says whether what was forgotten since can be told: the backup is of this very node.

    Raises:
        StepFailedError: the node was written to in every freeze; nothing was switched.
        UnknownOutcomeError: the node broke off in the switch, and does not say what it serves.
        RunbookError: as the node raises.
    """
    of = {"target": switch.target, "node": node.name, "reason": switch.reason, "backup": switch.backup.name}
    details = {**of, "generation": switch.generation, "replaces": switch.active.id}
    with Note(ports.journal, Event.DATA_ACTIVATED, switch.run, details).kept() as facts:
        for _ in range(_TRIES):
            with _frozen(ports, node) as stands, suppress(WrittenSinceError):
                if known and stands != sequence:
                    _forget_also(ports, node, switch, sequence)
                    sequence = stands
                facts["sequence"] = at = _served(node, switch, stands)
                return at
        raise StepFailedError(f"{node.name} was written to in each of {_TRIES} freezes", hint="restore when it rests")


def _served(node: DataNode, switch: Switch, stands: int) -> int:
    """Ask for the switch; where the answer was lost, the node itself says whether it was made."""
    node.freeze(_FREEZE)  # from now on again: what came before may have taken long
    return switched(node, switch.generation, stands)


@contextmanager
def _frozen(ports: BackupPorts, node: DataNode) -> Iterator[int]:
    """No writes while this lasts; at which sequence number the node stands."""
    began = ports.clock.monotonic()
    try:
        yield node.freeze(_FREEZE)
    finally:
        _unfreeze(ports, node)
        ports.talk.say(f"{node.name}: writes were refused for {(ports.clock.monotonic() - began) * 1000:.0f} ms")


def _unfreeze(ports: BackupPorts, node: DataNode) -> None:
    """Whatever went wrong, writes go on; where the node cannot be told, its freeze ends by itself."""
    try:
        node.unfreeze()
    except RunbookError as error:
        seconds = _FREEZE.total_seconds()
        ports.talk.say(f"COULD NOT END THE FREEZE of {node.name} ({error}): it ends by itself within {seconds:.0f} s")


def _forget_also(ports: BackupPorts, node: DataNode, switch: Switch, sequence: int) -> None:
    """What was forgotten since the generation was filled is forgotten in it, before it is served."""
    found = since(ports, node, switch.active, sequence)
    if not found.tombstones:
        return
    backup = switch.backup
    of = "memory" if backup.kind == "single_memory" else "episode"
    snapshot = f"{switch.active.id}:{found.sequence}"
    waiting: list[bytes] = []
    writer = ArchiveWriter(
        waiting.append, Header(backup.kind, backup.created_at, backup.node, snapshot, since=sequence)
    )
    for space, id_ in sorted((each["space"], each["id"]) for each in found.tombstones):
        same = {"type": "tombstone", "space": space, "of": of, "id": id_}
        writer.add({**same, "concept_id": "", "sequence": found.sequence})
    writer.finish()
    node.add(switch.generation, waiting)
    ports.talk.say(f"{len(found.tombstones)} more were forgotten meanwhile, and are not brought back")
