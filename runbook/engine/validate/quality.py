"""Recall quality, concepts and the fan effect. Pure."""

import math
from collections.abc import Sequence
from statistics import fmean

from runbook.engine.figures import figure
from runbook.engine.validate import observe
from runbook.engine.validate.against import Before, Words, by_ratio, by_rise, by_value, nothing, settled, sign
from runbook.engine.validate.blocks import Histogram
from runbook.engine.validate.look import Look
from runbook.engine.validate.observe import Fans
from runbook.model.concept import RecentConcept
from runbook.model.measurement import NodeSamples, Silence
from runbook.model.validation import FLEET, Checked, Kept, Observed, Outcome, Part
from runbook.model.validation_golden import Answered, Recalled
from runbook.model.validation_limits import (
    COHERENCE,
    COHERENT_SHARE,
    CONCEPTS,
    CONFIDENCE_RATIO,
    FAN,
    FAN_DISTANCE,
    FAN_HIGH,
    FAN_HIGH_SHARE,
    RECALL,
    RECALL_DROP,
    RECALL_SHARE,
)
from runbook.statistics.distance import distance
from runbook.statistics.proportions import proportion_interval
from runbook.statistics.typical import ratio_interval

FEWEST_QUERIES = 10
"""Golden queries that a group needs to be judged by itself."""
MOST_CONCEPTS = 1000
"""So many concepts are read of a node at most, the newest."""
_SURE = Words("recall is as sure as before")
_GOLDEN = "what must come to mind does"
_AS_BEFORE = "as much comes to mind as before"
_COHERENT = Words("concepts hold together", "%", 100.0)
_SPREAD = "concepts are shared as before"
_HIGH = Words(f"hardly any concept is shared by more than {FAN_HIGH.value:.0f} episodes", "%", 100.0)


def recall(look: Look) -> Checked:
    """Does what is nearest come to mind, of both groups, and is recall as sure as before?"""
    parts: list[Part] = look.silent("recall is as good as before")
    for node, found in look.heard():
        now, before = observe.sureness(found, look.confidence), look.before(node, Kept.CONFIDENCE)
        parts += [by_ratio(node, _SURE, now, before, CONFIDENCE_RATIO, look.confidence)]
    return Checked(RECALL.name, (*parts, *_golden(look)))


def _golden(look: Look) -> list[Part]:
    answered = look.answered
    if isinstance(answered, str):
        return [nothing(FLEET, _GOLDEN, answered)]
    parts = [nothing(node, _GOLDEN, reason) for node, reason in answered.silent.items()]
    groups = _groups(answered.recalled)
    for group, asked in groups.items():
        parts += [_right(group, asked, look.confidence), _kept(group, asked, look.confidence)]
    if not groups and not parts:
        parts += [nothing(FLEET, _GOLDEN, "none of the golden queries could be asked again")]
    return parts + _bad_nodes(answered, look.confidence)


def _groups(recalled: Sequence[Recalled]) -> dict[str, list[Recalled]]:
    """By group; one with too few queries to say anything is judged together with the other."""
    groups: dict[str, list[Recalled]] = {}
    for each in recalled:
        groups.setdefault(each.group, []).append(each)
    if groups and min(map(len, groups.values())) < FEWEST_QUERIES:
        return {" and ".join(f"{len(asked)} {group}" for group, asked in sorted(groups.items())): list(recalled)}
    return dict(sorted(groups.items()))


def _right(group: str, asked: Sequence[Recalled], confidence: float) -> Part:
    """recall@10 against exact search; for the treatment group that is also its overlap with the episodic order."""
    told = f"{group}, {len(asked)} queries, {sum(each.changed for each in asked)} with another truth than then: "
    what = "recall@10" if "treatment" not in group else "recall@10, which is the overlap with the episodic order,"
    return by_value(
        FLEET,
        Words(f"{_GOLDEN} ({group})", "%", 100.0),
        _mean([each.recall for each in asked], confidence),
        RECALL_SHARE,
        told=f"{told}{what} ",
    )


def _kept(group: str, asked: Sequence[Recalled], confidence: float) -> Part:
    """Each query against its own answer in the baseline."""
    lost = [each.query.recall - each.recall for each in asked]
    told = f"{group}: loss of recall@10 since the baseline, query by query, "
    found = _mean(lost, confidence)
    words = Words(f"{_AS_BEFORE} ({group})", "points", 100.0)
    return by_value(FLEET, words, found, RECALL_DROP, told=told)


def _bad_nodes(answered: Answered, confidence: float) -> list[Part]:
    """A node that answers badly for certain is named, however good the others are."""
    parts = []
    for node in sorted({each.query.node for each in answered.recalled}):
        shares = [each.recall for each in answered.recalled if each.query.node == node]
        told = f"{len(shares)} queries: recall@10 "
        words = Words(_GOLDEN, "%", 100.0)
        part = by_value(node, words, _mean(shares, confidence), RECALL_SHARE, told=told)
        parts += [part] if part.outcome is Outcome.FAIL else []
    return parts


def _mean(shares: Sequence[float], confidence: float) -> Observed:
    """The mean over queries, with Student's interval.

    Few queries, and such as all have the same share, show less spread than there is: each end is then taken as though
    one query more had been half wrong.
    """
    found = ratio_interval([(share, 1.0) for share in shares], confidence)
    if found is None:
        return Observed(None, reason="no query was asked")
    if len(set(shares)) > 1 and len(shares) >= FEWEST_QUERIES:
        return Observed(found.value, found.low, found.high)
    lower, upper = (ratio_interval([*((s, 1.0) for s in shares), (found.value + by, 1.0)]) for by in (-0.5, 0.5))
    low = -math.inf if lower is None else lower.low
    return Observed(found.value, low, math.inf if upper is None else upper.high)


def coherence(look: Look) -> Checked:
    """Do the concepts that are held hold together?"""
    parts: list[Part] = look.silent(_COHERENT.question)
    for node, found in look.heard():
        held = look.concepts.get(node, Silence(node, "its concepts were not read"))
        parts += [_coherent(node, found, held, look)]
    return Checked(CONCEPTS.name, tuple(parts))


def _coherent(node: str, found: NodeSamples, held: tuple[RecentConcept, ...] | Silence, look: Look) -> Part:
    if isinstance(held, Silence):
        return nothing(node, _COHERENT.question, held.reason)
    if not found.named(observe.CONCEPTS):
        return nothing(
            node, _COHERENT.question, f"the node exposes no {observe.CONCEPTS}: how many it holds is not known"
        )
    told_of = sum(each.samples[-1].value for each in found.named(observe.CONCEPTS) if each.samples)
    if not math.isfinite(told_of):
        return nothing(node, _COHERENT.question, f"the node exposes a value that is no number for {observe.CONCEPTS}")
    count = max(float(len(held)), min(told_of, float(MOST_CONCEPTS)))
    if not count:
        return nothing(node, _COHERENT.question, "it holds no concept")
    good = float(sum(each.coherence > COHERENCE.value for each in held))
    # All that there are were counted: nothing is left to chance. The newest of more are a sample.
    low, high = (good / count,) * 2 if told_of <= MOST_CONCEPTS else proportion_interval(good, count, look.confidence)
    mean = fmean(each.coherence for each in held) if held else 0.0
    before = look.before(node, Kept.COHERENCE).value
    was = "" if before is None else f", was {figure(before)}"
    told = f"mean {figure(mean)}{was}; {good:.0f} of {count:.0f} over {COHERENCE.value:g}: "
    return by_value(node, _COHERENT, Observed(good / count, low, high), COHERENT_SHARE, told=told)


def fan_effect(look: Look) -> Checked:
    """Are concepts shared among as many episodes as before?"""
    parts: list[Part] = look.silent(_SPREAD)
    for node, found in look.heard():
        now = observe.fans(found)
        if isinstance(now, str):
            parts += [nothing(node, _SPREAD, now)]
            continue
        counts = look.histograms(node).get(observe.FANS)
        worth = look.before(node, Kept.FAN).value
        if not counts or not worth:
            what = "the baseline kept no distribution to compare with: runbook baseline capture"
            parts += [Part(node, _SPREAD, Outcome.UNKNOWN, what)]
            continue
        before = Fans(Histogram(dict(counts)), worth)
        parts += [_apart(node, now, before, look.confidence), _high(node, now, before, look.confidence)]
    return Checked(FAN.name, tuple(parts))


def _apart(node: str, now: Fans, before: Fans, confidence: float) -> Part:
    sizes = (now.worth, before.worth)
    found = distance(now.histogram.counts, before.histogram.counts, sizes, confidence)
    if found is None:
        return nothing(node, _SPREAD, "the baseline's buckets are others: runbook baseline capture")
    outcome = settled(found.low, found.high, FAN_DISTANCE)
    told = (
        f"{now.histogram.count:.0f} activations against {before.histogram.count:.0f}: the distributions are apart by "
        f"{figure(found.value)} ({figure(found.low)}..{figure(found.high)})"
        f"{sign(outcome, FAN_DISTANCE)}"
    )
    return Part(node, _SPREAD, outcome, told, found.value, found.low, found.high, FAN_DISTANCE.value, 0.0)


def _high(node: str, now: Fans, before: Fans, confidence: float) -> Part:
    share, was = (_over(each, confidence) for each in (now, before))
    reach = max(was.high - (was.value or 0.0), (was.value or 0.0) - was.low)
    return by_rise(node, _HIGH, share, Before(was.value, reach), FAN_HIGH_SHARE, confidence)


def _over(fans: Fans, confidence: float) -> Observed:
    counts = fans.histogram.counts
    under = counts.get(max((bound for bound in counts if bound <= FAN_HIGH.value), default=0.0), 0.0)
    share = (fans.histogram.count - under) / fans.histogram.count
    return Observed(share, *proportion_interval(share * fans.worth, fans.worth, confidence))
