"""The stored records, field for field what the archive format `dual_memory/v1` carries.

Times are microseconds since 1970 in UTC; embeddings are the bytes of 768 little-endian float32.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Episode:
    """One event."""

    space: str
    id: str
    content: str
    when: int
    embedding: bytes
    created_at: int
    where: str | None = None
    who: tuple[str, ...] = ()
    embedding_provenance: Mapping[str, object] | None = None
    encoding_confidence: float = 0.7
    vividness_confidence: float = 0.7
    reliability_confidence: float = 0.7
    activation: float = 0.5
    consolidation_score: float = 0.0
    last_recall: int = 0
    recall_count: int = 0
    decay_rate: float = 0.05
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Concept:
    """A generalisation of a cluster of episodes; its embedding is their centroid."""

    space: str
    id: str
    embedding: bytes
    coherence: float
    instance_count: int
    formed_at: int
    confidence: float
    created_at: int
    activation: float = 0.5
    last_access: int = 0


@dataclass(frozen=True, slots=True)
class Binding:
    """The weighted edge between an episode and a concept that was made of it."""

    space: str
    episode_id: str
    concept_id: str
    strength: float
    contribution: float
    created_at: int
    last_activated: int = 0


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def now() -> int:
    """The wall time: for people, never for order or for decisions."""
    return microseconds(datetime.now(UTC))


def timestamp(moment: int) -> str:
    """RFC 3339 in UTC with microseconds."""
    return (_EPOCH + timedelta(microseconds=moment)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_of(text: str) -> int:
    """Microseconds since 1970 of what `timestamp` wrote."""
    return microseconds(datetime.fromisoformat(text))
