"""Prune and pin: what goes is planned first, and only goes once what stays was proven again."""

from collections.abc import Sequence

from runbook.engine.backup.create import check_journal
from runbook.engine.backup.retention import LAST, Retained, Rule, judged
from runbook.errors import UsageError
from runbook.model.backup import CREATED_AT_LEVEL, Backup
from runbook.model.journal import Event
from runbook.ports.backups import BackupPorts


def plan(ports: BackupPorts, rule: Rule) -> tuple[Retained, ...]:
    """What would be kept, and what would go; nothing is changed."""
    return judged(ports.vault.shelf(), rule, ports.clock.now())


def prune(ports: BackupPorts, rule: Rule, run: str) -> tuple[Retained, ...]:
    """Remove what the rule does not keep, the oldest first; whoever calls holds the lock.

    Raises:
        DamagedError: a backup that stays as the last verified one of its node is damaged; nothing was removed.
        StorageError: the disk refused; what had not gone yet is there whole.
    """
    check_journal(ports)
    ports.vault.sweep()
    found = plan(ports, rule)
    gone = [each.backup for each in found if not each.reasons]
    if not gone:
        return found
    _prove_again(ports, found, gone)
    names = [each.name for each in reversed(gone)]
    keeping = {"daily": rule.daily, "weekly": rule.weekly, "monthly": rule.monthly}
    ports.journal.append(Event.BACKUP_PRUNED, run, {"removing": names, "rule": keeping, "done": False})
    for name in names:
        ports.vault.remove(name)
    ports.journal.append(Event.BACKUP_PRUNED, run, {"removed": names, "done": True})
    return found


def pin(ports: BackupPorts, name: str, run: str, *, on: bool) -> Backup:
    """Have it never pruned, or let go of that; whoever calls holds the lock.

    Raises:
        UsageError: there is no such backup.
    """
    check_journal(ports)
    found = next((each for each in ports.vault.shelf() if each.name == name), None)
    if found is None:
        raise UsageError(f"there is no backup {name} in {ports.vault.folder}", hint="runbook backup list")
    ports.journal.append(Event.BACKUP_PINNED, run, {"backup": name, "pinned": on})
    ports.vault.pin(name, on=on)
    return next(each for each in ports.vault.shelf() if each.name == name)


def _prove_again(ports: BackupPorts, found: Sequence[Retained], gone: Sequence[Backup]) -> None:
    """What was verified long ago may have rotted since: the last one of each node that loses any is read again."""
    losing = {(each.node, each.kind) for each in gone}
    for each in found:
        backup = each.backup
        if LAST in each.reasons and (backup.node, backup.kind) in losing:
            passed = ports.talk.passing(f"verify {backup.name}", backup.stored_bytes)
            ports.vault.verify(backup.name, CREATED_AT_LEVEL, (), passed)
