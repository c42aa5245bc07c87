"""Where in an archive the records of each type, and of each range of keys, stand."""

from collections.abc import Mapping
from dataclasses import dataclass

from runbook.archive.kinds import Key
from runbook.archive.layout import Header

Prefix = tuple[str, str]
"""Space and id; of a binding that of its episode."""


@dataclass(frozen=True, slots=True)
class Region:
    """Some consecutive lines of records of one type; the first and the last are told by their space and id."""

    type: str
    offset: int
    size: int
    records: int
    first: Prefix
    last: Prefix
    sha256: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """A whole archive that was read strictly, and its regions in order. `sha256` is that of its footer."""

    header: Header
    regions: tuple[Region, ...]
    counts: Mapping[str, int]
    bytes: int
    sha256: str


def prefix(type_: str, key: Key) -> Prefix:
    """Space and id of what has that key, or of what it begins with."""
    return (key[0], key[2] if type_ == "tombstone" else key[1])
