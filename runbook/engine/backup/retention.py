"""Which backups are kept: by count, of days, weeks and months that have one. Pure; no clock can make it remove more.

Each node's backups of one kind are judged by themselves, the newest first by their number. A day that has no backup
takes no place, so a clock that jumps ahead ages nothing. What seems newer than the clock takes no place and is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from runbook.model.backup import Backup

LAST = "the last verified one of its node"


@dataclass(frozen=True, slots=True)
class Rule:
    """How many days, weeks and months with a backup are kept, the newest backup of each."""

    daily: int = 7
    weekly: int = 4
    monthly: int = 12


@dataclass(frozen=True, slots=True)
class Retained:
    """A backup, and why it is kept; without a reason it is to go."""

    backup: Backup
    reasons: tuple[str, ...]


def judged(shelf: Iterable[Backup], rule: Rule, now: datetime) -> tuple[Retained, ...]:
    """Every backup, the newest first."""
    of_one = sorted(shelf, key=_whose)
    found = [each for _, group in groupby(of_one, _whose) for each in _judged(list(group), rule, now)]
    return tuple(sorted(found, key=lambda each: each.backup.order, reverse=True))


def _whose(backup: Backup) -> tuple[str, str]:
    return backup.node, backup.kind


def _judged(group: list[Backup], rule: Rule, now: datetime) -> Iterable[Retained]:
    group.sort(key=lambda each: each.order, reverse=True)
    last = next((each for each in group if each.proven), None)
    past = [each for each in group if each.proven and not _is_ahead(each, now)]
    places = _places(past, rule)
    for each in group:
        yield Retained(each, (*_always(each, last, now), *places.get(each.name, ())))


def _always(backup: Backup, last: Backup | None, now: datetime) -> Iterable[str]:
    if backup.damage:
        yield "damaged: look at it, and remove it by hand"
    elif not backup.proven:
        yield "not verified"
    if backup.pinned:
        yield "pinned"
    if backup is last:
        yield LAST
    if backup.created_at and _is_ahead(backup, now):
        yield "newer than the clock"


def _places(past: list[Backup], rule: Rule) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    kinds = (("day", rule.daily, "%F"), ("week", rule.weekly, "%G-%V"), ("month", rule.monthly, "%Y-%m"))
    for name, count, pattern in kinds:
        seen: set[str] = set()
        for each in past:
            bucket = _when(each).strftime(pattern)
            if bucket not in seen and len(seen) < count:
                seen.add(bucket)
                found.setdefault(each.name, []).append(f"{name} {len(seen)} of {count}")
    return found


def _when(backup: Backup) -> datetime:
    return datetime.fromisoformat(backup.created_at)


def _is_ahead(backup: Backup, now: datetime) -> bool:
    return _when(backup) > now
