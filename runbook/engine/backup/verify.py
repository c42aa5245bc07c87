"""Verify backups: each is tried, none hides the next, and what was proven is journaled."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runbook.engine.backup.create import details_of
from runbook.errors import DamagedError, ExitCode, RunbookError, StorageError, UsageError
from runbook.model.backup import Proof
from runbook.model.journal import Event
from runbook.ports.backups import BackupPorts, Vault


@dataclass(frozen=True, slots=True)
class Failed:
    """One that could not be verified, and why."""

    name: str
    error: RunbookError


def worst_of(failed: Sequence[Failed]) -> ExitCode:
    """Damage before all; else that of the first."""
    codes = [each.error.code for each in failed]
    return ExitCode.DAMAGED if ExitCode.DAMAGED in codes else codes[0]


Verify = Callable[[str], Proof]


def up_to_level_3(ports: BackupPorts, level: int, identities: Sequence[Path]) -> Verify:
    """Verifies on this disk alone."""
    sizes = {each.name: each.stored_bytes for each in ports.vault.shelf()}

    def verify(name: str) -> Proof:
        passed = ports.talk.passing(f"verify {name}", sizes.get(name, 0))
        return ports.vault.verify(name, level, identities, passed)

    return verify


def chosen(vault: Vault, names: Sequence[str], *, everything: bool) -> tuple[str, ...]:
    """Which ones: those named, all, or the newest.

    Raises:
        UsageError: there is none at all.
    """
    if names:
        return tuple(names)
    shelf = vault.shelf()
    if not shelf:
        raise UsageError(f"there is no backup in {vault.folder}", hint="runbook backup create")
    return tuple(each.name for each in shelf) if everything else (shelf[0].name,)


def verify_each(ports: BackupPorts, names: Sequence[str], verify: Verify, run: str) -> list[Proof | Failed]:
    """What came of each."""
    found: list[Proof | Failed] = []
    for name in names:
        try:
            proof = verify(name)
        except UsageError:
            raise
        except RunbookError as error:
            found.append(Failed(name, error))
            if isinstance(error, DamagedError):
                with suppress(StorageError):  # a full disk hides no damage
                    ports.journal.append(Event.BACKUP_VERIFIED, run, {"backup": name, "damage": error.message})
        else:
            ports.journal.append(Event.BACKUP_VERIFIED, run, details_of(proof))
            found.append(proof)
    return found
