"""Level 4: a scratch node takes the backup in, serves it, gives it back, and recalls by it what must come to mind."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from runbook.archive.nearest import COUNT, Nearest, Sample
from runbook.engine.backup.bundle import Sent, digest_of
from runbook.errors import DamagedError
from runbook.model.backup import HIGHEST, Proof
from runbook.ports import DataNode
from runbook.ports.backups import BackupPorts, Bundle

LEAST = 0.99
"""Of what must come to mind, at least so much must: a node that counts right has all of it."""

Scratch = Callable[[int], AbstractContextManager[DataNode]]
"""Starts an empty node with room for so many bytes, and ends it; its recalls are by cosine alone."""


def prove(ports: BackupPorts, name: str, identities: Sequence[Path], scratch: Scratch) -> Proof:
    """Verify the backup at level 3, and then at level 4.

    Raises:
        DamagedError: it is damaged, or what came back is not what went in.
        UnreachableError, StorageError, RefusedError: the scratch node did not start, or refused.
        RunbookError: as `Vault.verify` raises.
    """
    size = next((each.stored_bytes for each in ports.vault.shelf() if each.name == name), 0)
    proof = ports.vault.verify(name, HIGHEST - 1, identities, ports.talk.passing(f"verify {name}", size))
    if not proof.complete:
        return replace(proof, asked=HIGHEST)
    bundle = ports.vault.opened(name, identities)
    with scratch(bundle.backup.raw_bytes) as node:
        share, recalls = _served(ports, bundle, node)
    if share < LEAST:
        raise DamagedError(f"{name}: of what must come to mind, only {share:.1%} did, over {recalls} recalls")
    proven = replace(proof, asked=HIGHEST, level=HIGHEST, recall=share, recalls=recalls)
    ports.vault.remember(proven)
    return proven


def _served(ports: BackupPorts, bundle: Bundle, node: DataNode) -> tuple[float, int]:
    sample = Sample()
    size = bundle.backup.raw_bytes
    records = ports.talk.counted("fill a scratch node", Sent(bundle, "records", see=sample.see), size)
    taken = node.fill(records)
    if "residue" in bundle.parts:
        node.add(taken.generation, Sent(bundle, "residue"))
    node.activate(taken.generation, node.holdings().active.sequence)
    for part in bundle.parts:
        kind = bundle.header(part).kind
        if digest_of(ports, node, kind, "") != bundle.digest(part):
            raise DamagedError(f"a scratch node gave back other {kind} than {bundle.backup.name} holds")
    minds = [[each.id for each in node.recall(cue.space, cue.embedding, COUNT)] for cue in sample.cues]
    nearest = Nearest(sample.cues, minds)
    for batch in bundle.batches("records"):
        nearest.see(batch)
    return nearest.share(), len(minds)
