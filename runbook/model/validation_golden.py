"""Golden queries: texts that are stored, asked for by their own embedding, with what must come to mind."""

from collections.abc import Mapping
from dataclasses import dataclass, field

COUNT = 10
"""So many results are asked for, and so many are the truth."""
QUERIES = 50
"""So many queries a fleet."""
NEIGHBOURS = 50
"""So many of the nearest are kept of each."""


@dataclass(frozen=True, slots=True)
class GoldenQuery:
    """One stored text, asked for by its own embedding.

    `nearest` are the ids of the nearest texts of its space with their exact cosines, nearest first, when the baseline
    was taken: more than are asked for, since some may be forgotten. `recall` is how much of the truth the node's answer
    held then (0..1), and `group` which group answered.
    """

    node: str
    space: str
    id: str
    text: str
    embedding: tuple[float, ...]
    nearest: tuple[tuple[str, float], ...]
    recall: float
    group: str


@dataclass(frozen=True, slots=True)
class Place:
    """How far a node had come when its texts were read: only what changed since need be read again."""

    generation: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Golden:
    """The golden queries of a fleet, where each node stood, and what choosing them cost.

    `missing` says why there are none of a node.
    """

    queries: tuple[GoldenQuery, ...]
    places: Mapping[str, Place] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
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
