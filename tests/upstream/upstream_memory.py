"""What upstream 0.1 keeps, as read from its source: spaces, memories, and what its store does to them.

Faults that are kept on purpose: a space that is named is made; a memory that resembles another one is dropped or
replaces it while the answer says 201; lists repeat records and have no order; nothing can be deleted.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

SPACE = re.compile(r"[a-z0-9_-]{3,64}")
ALIKE = 0.95
CONSTANT = (0.5,) * 768
"""The embedding of whatever came without one: all of those resemble each other."""
WARM_BELOW = 0.7
SKIPPED, MERGED = 0.9, 0.95


class RefusedSpaceError(Exception):
    """No name for a space."""


@dataclass(frozen=True, slots=True)
class Record:
    """One stored episode."""

    id: str
    content: str
    confidence: float
    when: str
    embedding: tuple[float, ...]
    where: str | None = None
    who: tuple[str, ...] = ()

    def resembles(self, other: "Record") -> bool:
        """Cosine similarity of 0.95 or more."""
        dot = math.fsum(a * b for a, b in zip(self.embedding, other.embedding, strict=True))
        lengths = math.sqrt(math.fsum(a * a for a in self.embedding) * math.fsum(b * b for b in other.embedding))
        return lengths > 0 and dot / lengths >= ALIKE


@dataclass(slots=True)
class Space:
    """One space: `hot` answers GET by id, `buffer` is what lists show, `warm` repeats some of it."""

    id: str
    root: str
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    hot: dict[str, Record] = field(default_factory=dict)
    buffer: list[Record] = field(default_factory=list)
    warm: list[Record] = field(default_factory=list)

    def store(self, record: Record) -> float:
        """Keep it, unless it resembles one that is at least as sure; the activation that the answer tells."""
        twin = next((kept for kept in self.hot.values() if kept.resembles(record)), None)
        if twin is not None and twin.confidence >= record.confidence:
            return record.confidence * SKIPPED
        if twin is not None:
            del self.hot[twin.id]  # it stays in the buffer: listed, but not found by its id
        self.hot[record.id] = record
        self.buffer.insert(len(self.buffer) // 2, record)  # no order
        if record.confidence < WARM_BELOW:
            self.warm.append(record)
        return record.confidence * (1.0 if twin is None else MERGED)

    def listed(self, tier: str) -> Sequence[Record]:
        """What a list of that tier shows; `all` repeats what is in more than one."""
        return {"hot": self.buffer, "warm": self.warm, "cold": []}.get(tier) or (
            [*self.buffer, *self.warm] if tier == "all" else []
        )

    @property
    def counts(self) -> dict[str, int]:
        """Counts by tier; the total counts a record twice that is in two tiers."""
        hot, warm = len(self.hot), len(self.warm)
        return {"hot": hot, "warm": warm, "cold": 0, "total": hot + warm}


class Registry:
    """All spaces. `made_by_asking` are those that somebody made by merely naming them."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._ids = count(1)
        self.spaces: dict[str, Space] = {}
        self.made_by_asking: list[str] = []
        self.create("default")

    def create(self, name: str) -> Space:
        """Make it, or find it."""
        if SPACE.fullmatch(name) is None:
            raise RefusedSpaceError(name)
        return self.spaces.setdefault(name, Space(name, f"{self._root}/{name}"))

    def named(self, name: str) -> Space:
        """The space of that name, made where there is none, as upstream does for any request."""
        if name not in self.spaces and SPACE.fullmatch(name):
            self.made_by_asking.append(name)
        return self.create(name)

    def new_id(self, prefix: str) -> str:
        """Eight hexadecimal digits."""
        return f"{prefix}_{next(self._ids):08x}"


def score(query: str, record: Record) -> float:
    """How well a text recalls a memory: by letters and words only."""
    asked, content = query.lower(), record.content.lower()
    if asked == record.id.lower() or asked in content:
        return 1.0
    if content in asked:
        return 0.7
    words = set(asked.split())
    return 0.5 * len(words & set(content.split())) / len(words) if words else 0.0
