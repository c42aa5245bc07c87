"""The backups of a target's nodes as the journal tells of them, and the one that a gate may count on. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from runbook.model.journal import Entry, Event, original


@dataclass(frozen=True, slots=True)
class KeptBackup:
    """One backup of one node: of which moment (the journal's entry), and the highest level that it was verified at."""

    node: str
    name: str
    seq: int
    level: int


def kept_of(entries: Iterable[Entry], target: str) -> tuple[KeptBackup, ...]:
    """Every backup of the target that is not known to be damaged or removed, in the order of their moments.

    Only one that this journal saw being made has a known age; a verification raises its level, never its age, unless
    it found that the node's data is still the very same. An entry that does not read so is passed over: nothing is
    known by it.
    """
    kept: dict[tuple[str, str], KeptBackup] = {}
    for entry in map(original, entries):
        details = entry.details
        if entry.event is Event.BACKUP_PRUNED and isinstance(details.get("removed"), list):
            kept = {key: each for key, each in kept.items() if each.name not in details["removed"]}
        elif entry.event is Event.BACKUP_VERIFIED and "damage" in details:
            kept = {key: each for key, each in kept.items() if each.name != details.get("backup")}
        elif entry.event in {Event.BACKUP_CREATED, Event.BACKUP_VERIFIED} and details.get("target") == target:
            made = entry.event is Event.BACKUP_CREATED or details.get("unchanged") is True
            for found in _told(entry.seq, details):
                _keep(kept, found, made=made)
    return tuple(sorted(kept.values(), key=lambda each: each.seq))


def _keep(kept: dict[tuple[str, str], KeptBackup], found: KeptBackup, *, made: bool) -> None:
    key = (found.node, found.name)
    before = kept.get(key)
    if before is None and made:
        kept[key] = found
    elif before is not None:
        seq = found.seq if made else before.seq
        kept[key] = replace(before, seq=seq, level=max(before.level, found.level))


def _told(seq: int, details: Mapping[str, Any]) -> Iterator[KeptBackup]:
    """One backup, or the parts of a fleet's; a part that failed is none."""
    levels, level = details.get("levels"), details.get("level")
    parts = details.get("backups")
    if isinstance(parts, dict):
        failed = details.get("failed") or ()
        for node, name in parts.items():
            reached = levels.get(node) if isinstance(levels, dict) else level
            if node not in failed and type(reached) is int:
                yield KeptBackup(str(node), str(name), seq, reached)
    elif isinstance(details.get("backup"), str) and type(level) is int:
        yield KeptBackup(str(details.get("host", "")), details["backup"], seq, level)


def newest(kept: Iterable[KeptBackup], node: str, level: int) -> KeptBackup | None:
    """The newest backup of that node that was verified at that level at least."""
    return next((each for each in reversed(list(kept)) if each.node == node and each.level >= level), None)


def fresh(
    kept: Iterable[KeptBackup], nodes: Iterable[str], age: Mapping[int, timedelta], within: timedelta, level: int
) -> tuple[str, ...]:
    """The names of the newest such backups, one for each node; nothing where a node has none that is young enough."""
    all_kept = tuple(kept)
    found = [newest(all_kept, node, level) for node in nodes]
    if any(each is None or age[each.seq] > within for each in found):
        return ()
    return tuple(each.name for each in found if each is not None)
