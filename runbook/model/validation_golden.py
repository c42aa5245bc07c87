"""Golden queries: texts that are stored, asked for by their own embedding, with what must come to mind."""

from collections.abc import Mapping
from dataclasses import dataclass, field

COUNT = 10
"""So many results are asked for, and so many are the truth."""
QUERIES = 50
"""So many queries a fleet."""


@dataclass(frozen=True, slots=True)
class GoldenQuery:
    """One stored text, asked for by its own embedding (768 numbers of 32 bits).

    `nearest` are the ids of the nearest texts of its space by exact cosine, nearest first, when the baseline was taken;
    `answered` is what the node answered then, `group` which group answered.
    """

    node: str
    space: str
    id: str
    text: str
    embedding: tuple[float, ...]
    nearest: tuple[str, ...]
    answered: tuple[str, ...]
    recall: float
    group: str


@dataclass(frozen=True, slots=True)
class Golden:
    """The golden queries of a fleet, and what choosing them cost."""

    queries: tuple[GoldenQuery, ...]
    read_bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Recalled:
    """One query asked again: of what is nearest now, how much came to mind, 0..1; and what it was in the baseline."""

    query: GoldenQuery
    group: str
    recall: float
    changed: bool
    """Is what is nearest another set than the baseline's, since texts were written or forgotten?"""


@dataclass(frozen=True, slots=True)
class Answered:
    """Every query that was asked again; `missing` says, by query, why one was not; `silent` why a node did not answer.

    `read_bytes` were read from the nodes for the truth, in `seconds`.
    """

    recalled: tuple[Recalled, ...]
    missing: tuple[str, ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)
    read_bytes: int = 0
    seconds: float = 0.0
