"""A look at recent concepts: which are weak, and are there too many of them? Pure."""

from collections.abc import Sequence
from datetime import datetime

from runbook.engine.recorded import recorded
from runbook.model.answer import Answer
from runbook.model.concept import RecentConcept, Reviewed
from runbook.model.finding import Finding
from runbook.model.measurement import Baseline, Silence
from runbook.model.runbook import Review
from runbook.model.settings import CATALOGUE

SOURCE = "node"


def review(
    asked: Review, node: str, concepts: Sequence[RecentConcept] | Silence, baseline: Baseline | None
) -> tuple[Finding, tuple[Reviewed, ...]]:
    """YES where more than `asked.share` of the concepts are weak, measured by the settings of when the node was well.

    A node that formed none lately gives NO; one that does not tell is UNKNOWN.
    """
    if isinstance(concepts, Silence):
        return Finding(node, asked.title, Answer.UNKNOWN, f"no data: {concepts.reason}", SOURCE), ()
    limits = [_limit(key, node, baseline) for key in (asked.coherence_key, asked.size_key)]
    looked = tuple(Reviewed(each, _weakness(each, *limits)) for each in concepts[: asked.most])
    weak = sum(bool(each.weak) for each in looked)
    hours = f"{asked.within.total_seconds() / 3600:g} h"
    if not looked:
        return Finding(node, asked.title, Answer.NO, f"no concept was formed in the last {hours}", SOURCE, 0.0), ()
    share = weak / len(looked)
    answer = Answer.YES if share > asked.share else Answer.NO
    sign = ">" if answer is Answer.YES else "<="
    arithmetic = f"{weak} of the newest {len(looked)} are weak: {share:.0%} {sign} {asked.share:.0%}"
    return Finding(node, asked.title, answer, arithmetic, SOURCE, share, asked.share), looked


def _limit(key: str, node: str, baseline: Baseline | None) -> float:
    found = recorded(baseline, node, key)
    value = CATALOGUE[key].default if found is None else found
    return float(value) if isinstance(value, int | float) else 0.0


def _weakness(concept: RecentConcept, coherence: float, size: float) -> str:
    reasons = []
    if concept.coherence < coherence:
        reasons.append(f"coherence {concept.coherence:.2f} < {coherence:g}")
    if concept.size < size:
        reasons.append(f"{concept.size} episodes < {size:g}")
    return ", ".join(reasons)


def age(concept: RecentConcept, now: datetime) -> float | None:
    """Seconds since it was formed, or None where its date does not read."""
    try:
        formed = datetime.fromisoformat(concept.formed_at)
    except ValueError:
        return None
    return (now - formed).total_seconds() if formed.tzinfo is not None else None
