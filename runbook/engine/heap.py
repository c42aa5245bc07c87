"""Two heap dumps of a node compared: which part grew? Pure."""

from collections.abc import Mapping
from typing import Any

from runbook.model.evidence import PartGrowth

REST = "everything else"
MOST_BYTES = 1 << 63
"""More than any address space holds, and the largest number that the journal takes."""


def grown(first: Mapping[str, Any], last: Mapping[str, Any]) -> tuple[PartGrowth, ...]:
    """The parts that grew, the one that grew most first; what the components do not explain is a part too.

    A dump is `{"resident_bytes": N, "components": {NAME: {"bytes": N} or N}}`; what is no number is left out.
    """
    before, after = _parts(first), _parts(last)
    found = (PartGrowth(part, before.get(part, 0), size) for part, size in after.items())
    return tuple(sorted((each for each in found if each.rise > 0), key=lambda each: -each.rise))


def _parts(dump: Mapping[str, Any]) -> dict[str, int]:
    components = dump.get("components")
    sizes = {name: _bytes(found) for name, found in (components if isinstance(components, Mapping) else {}).items()}
    known = {_text(name): size for name, size in sizes.items() if size is not None}
    resident = _bytes(dump.get("resident_bytes"))
    if resident is not None:
        known[REST] = max(resident - sum(known.values()), 0)
    return known


def _text(name: object) -> str:
    """A name that the journal takes, whatever the node calls its part."""
    return str(name).encode(errors="backslashreplace").decode()


def _bytes(found: object) -> int | None:
    value = found.get("bytes") if isinstance(found, Mapping) else found
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_BYTES else None
