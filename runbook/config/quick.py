"""A configuration read in a hurry, for the emergency brake: only what it needs, without the schema's 90 ms."""

from collections.abc import Mapping
from typing import Any

from runbook.config.stray import is_stray

_TEXTS = {"environment": True, "inventory": True, "prometheus": False, "token_file": False}
"""Keys of a target whose value is a text, and whether it must be there."""


def essentials(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """The parts that say who the nodes are; None where one of them is not as it must be, and the schema tells why.

    What is wrong elsewhere, in a rail, say, must not hold up a rollback.
    """
    targets = document.get("targets", {})
    default = document.get("default_target")
    if document.get("version") != 1 or not isinstance(targets, dict) or not isinstance(default, str | None):
        return None
    found = {name: _target(table) for name, table in targets.items() if name == default or not is_stray(name, targets)}
    if None in found.values():
        return None
    return {"version": 1, "targets": found} | ({} if default is None else {"default_target": default})


def _target(table: Any) -> dict[str, Any] | None:
    if not isinstance(table, dict) or not isinstance(table.get("allow_plain_http", False), bool):
        return None
    for key, needed in _TEXTS.items():
        if not isinstance(table[key], str) if key in table else needed:
            return None
    return {key: table[key] for key in (*_TEXTS, "allow_plain_http") if key in table}
