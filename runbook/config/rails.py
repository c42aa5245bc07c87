"""The rails of a target, and lengths of time, as `runbook.toml` writes them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from runbook.errors import DamagedError, UsageError
from runbook.model.duration import duration
from runbook.model.rails import Rails, usual_rails
from runbook.model.risk import Risk


def rails_of(place: str, environment: str, table: Mapping[str, Any]) -> Rails:
    """The rails; what the table leaves out is as usual in that environment. The schema has vouched for the types.

    Raises:
        DamagedError: a length of time is none.
    """
    usual = usual_rails(environment)
    expires = length_of(place, table, "approval_expires", usual.approval_expires)
    if not expires:
        raise DamagedError(f"{place}.approval_expires: must be more than 0s", hint="nobody could approve in no time")
    return Rails(
        max_hosts_per_run=_count(table, "max_hosts_per_run"),
        max_steps_per_hour=_count(table, "max_steps_per_hour"),
        allowed_risk=_risk(table, "allowed_risk") or usual.allowed_risk,
        require_reason=table.get("require_reason", usual.require_reason),
        cool_down=length_of(place, table, "cool_down", usual.cool_down),
        require_approval=_risk(table, "require_approval"),
        approval_expires=expires,
    )


def length_of(place: str, table: Mapping[str, Any], key: str, usual: timedelta) -> timedelta:
    """The length of time under that key, or the usual one.

    Raises:
        DamagedError: it is no length of time; the place is named.
    """
    try:
        return duration(table[key]) if key in table else usual
    except UsageError as error:
        raise DamagedError(f"{place}.{key}: {error.message}", hint=error.hint) from None


def _count(table: Mapping[str, Any], key: str) -> int | None:
    return int(table[key]) if key in table else None  # to JSON Schema 3.0 is a whole number


def _risk(table: Mapping[str, Any], key: str) -> Risk | None:
    return Risk[table[key].upper()] if key in table else None
