"""Concepts as a person looks at them: what were they made of, and are they any good?"""

from collections.abc import Mapping
from dataclasses import dataclass

from runbook.model.measurement import Silence


@dataclass(frozen=True, slots=True)
class RecentConcept:
    """One concept; `formed_at` is as the node writes it, `texts` are its members', the strongest first."""

    id: str
    space: str
    formed_at: str
    size: int
    coherence: float
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A concept, and why it is weak; empty where it is not."""

    concept: RecentConcept
    weak: str = ""


NodeConcepts = Mapping[str, tuple[RecentConcept, ...] | Silence]
