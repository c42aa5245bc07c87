"""A table of a target that there is not: a misspelt `[targets.prd.automatic]` makes one that is not whole."""

import tomllib
from collections.abc import Mapping
from typing import Any

_NEEDED = ("environment", "inventory")


def is_stray(name: str, targets: Mapping[str, Any]) -> bool:
    """Has it nothing that a target needs, while another one has all of it?"""
    table = targets[name]
    if not name.isprintable() or not isinstance(table, Mapping) or any(key in table for key in _NEEDED):
        return False
    return bool(whole(targets))


def whole(targets: Mapping[str, Any]) -> list[str]:
    """The names of the targets that are there for sure."""
    return [
        name for name, table in targets.items() if isinstance(table, Mapping) and all(key in table for key in _NEEDED)
    ]


def header_of(name: str, text: str) -> tuple[int, str]:
    """The line (from 1) and the words of the first header of that target; 0 and words where it is written otherwise."""
    for number, line in enumerate(text.splitlines(), start=1):
        header = line.strip()
        if header.startswith("[") and name in _targets(header):
            return number, header.partition("#")[0].strip()
    return 0, f"targets.{name}"


def _targets(header: str) -> Mapping[str, Any]:
    """The targets that one line says something of; none where it is no header, but a line of a list, say."""
    try:
        found = tomllib.loads(header).get("targets", {})
    except tomllib.TOMLDecodeError:
        return {}
    return found if isinstance(found, Mapping) else {}
