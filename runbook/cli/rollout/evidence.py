"""Put together what a bundle of evidence is made of; only what acts on a rollout comes by here."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from runbook.adapters.archives.vault import FolderVault
from runbook.adapters.evidence_shelf import FolderShelf
from runbook.adapters.journal.redaction import clean
from runbook.adapters.journal.slice import follow
from runbook.cli import compose
from runbook.cli.backup.create import FOLDER
from runbook.cli.compose import Session
from runbook.engine.proof.write import Lines, Sources
from runbook.errors import RunbookError
from runbook.model.target import Target
from runbook.ports import ChangePorts


def sources_of(current: Session, target: Target, ports: ChangePorts) -> Sources:
    """The real ones: the state folder's journal, its rows and its backups; nothing is read yet.

    Raises:
        UsageError: the target's name cannot be a file's.
    """

    def backups(names: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        return backups_named(FolderVault(current.state / FOLDER), names)

    return Sources(
        shelf=FolderShelf(current.state, clean),
        rows=compose.cell_store(current, target.name),
        journal=ports.journal,
        read=ports.read,
        target=target,
        lines=lambda first: lines_from(current, first),
        backups=backups,
    )


def lines_from(current: Session, first: int) -> Lines:
    """The journal from that entry on.

    Raises:
        DamagedError, StorageError: it does not read.
    """
    found = follow(b"".join(current.journal.lines(first)), "journal.jsonl")
    return Lines(found.raw, found.entries, found.head)


def backups_named(vault: FolderVault, names: Sequence[str]) -> list[dict[str, Any]]:
    """Each as its manifest tells; of one that lies elsewhere (on its host) its name alone is known."""
    try:
        known = {each.name: each for each in vault.shelf()} if names else {}
    except RunbookError as error:
        return [{"name": name, "not_read": error.message} for name in names]
    return [asdict(known[name]) if name in known else {"name": name, "not_read": "it is not here"} for name in names]
