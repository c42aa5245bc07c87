"""Where the memory of a node went: what `POST /api/v1/admin/heap` answers with.

    {"taken_at": "2026-11-23T02:12:00.000000Z",
     "resident_bytes": 128000000,
     "components": {"vectors": {"bytes": 3150000, "entries": 1024}, "episodes": ..., "concepts": ..., "bindings": ...,
                    "cache": ...},
     "other_bytes": 120000000,
     "collections": [190, 17, 3],
     "spaces": {"default": {"episodes": 300, "concepts": 4, "bindings": 20, "orphans": 0, "pending": 0}}}

Bytes are measured. `resident_bytes` is what the kernel says, `other_bytes` what the components do not explain of it:
the interpreter, its libraries, and memory that was freed and is kept for the next use. `collections` counts the runs of
the garbage collector by generation. The components have the names of the metric `engram_memory_bytes`; two dumps of
one process can be compared part by part.
"""

from typing import Any, Protocol

from runbook.sandbox import process
from runbook.sandbox.records import now, timestamp


class Held(Protocol):
    """What a node tells of what it holds."""

    def sizes(self) -> dict[str, dict[str, int]]:
        """Counts per space."""
        ...

    def resident_bytes(self) -> dict[str, int]:
        """Measured bytes by component."""
        ...

    def entries(self) -> dict[str, int]:
        """How many of each component's things there are."""
        ...


def dump(held: Held) -> dict[str, Any]:
    """Take one."""
    resident, sizes, counts = process.resident_bytes(), held.resident_bytes(), held.entries()
    return {
        "taken_at": timestamp(now()),
        "resident_bytes": resident,
        "components": {name: {"bytes": size, "entries": counts[name]} for name, size in sizes.items()},
        "other_bytes": max(resident - sum(sizes.values()), 0),
        "collections": process.collections(),
        "spaces": held.sizes(),
    }
