"""Errors and consolidation. Pure."""

from collections.abc import Mapping, Sequence

from runbook.engine.validate import observe
from runbook.engine.validate.against import Words, by_rise, by_value, nothing
from runbook.engine.validate.look import Look
from runbook.engine.validate.observe import Share
from runbook.model.validation import FLEET, Checked, Kept, Observed, Outcome, Part
from runbook.model.validation_limits import (
    CONSOLIDATION,
    CONSOLIDATION_FLEET,
    CONSOLIDATION_NODE,
    ERRORS,
    ERRORS_FLEET,
    ERRORS_NODE,
    Limit,
)
from runbook.statistics.proportions import proportion_interval

_FAILED = Words("recalls fail no more often than before", "%", 100.0)
_FAILED_FLEET = Words("hardly any recall of the fleet fails", "%", 100.0)
_SUCCEEDED = Words("consolidation runs succeed", "%", 100.0)
_SUCCEEDED_FLEET = Words("nearly all consolidation runs of the fleet succeed", "%", 100.0)
_SAME_PROCESS = "it is the same process throughout"


def errors(look: Look) -> Checked:
    """Do recalls fail no more often than before, and hardly ever at all?"""
    parts: list[Part] = look.silent("recalls are answered")
    shares: dict[str, Share] = {}
    for node, found in look.heard():
        share = observe.errors(found, look.confidence)
        if isinstance(share, str):
            parts += [nothing(node, _FAILED.question, share)]
        else:
            shares[node] = share
            before = look.before(node, Kept.ERRORS)
            parts += [by_rise(node, _FAILED, _observed(share), before, ERRORS_NODE, look.confidence)]
        again = observe.began_again(found)
        if again:
            told = f"it began again {again} time{'s' * (again > 1)} in the window; whether it crashed is not known"
            parts += [Part(node, _SAME_PROCESS, Outcome.UNKNOWN, told)]
    parts += _fleet(look, shares, _FAILED_FLEET, ERRORS_FLEET)
    return Checked(ERRORS.name, tuple(parts))


def consolidation(look: Look) -> Checked:
    """Do consolidation runs succeed?"""
    parts: list[Part] = look.silent(_SUCCEEDED.question)
    shares: dict[str, Share] = {}
    for node, found in look.heard():
        share = observe.consolidation(found, look.confidence)
        if isinstance(share, str):
            parts += [nothing(node, _SUCCEEDED.question, share)]
        else:
            shares[node] = share
            told = _counted(share)
            parts += [by_value(node, _SUCCEEDED, _observed(share), CONSOLIDATION_NODE, told=told)]
    parts += _fleet(look, shares, _SUCCEEDED_FLEET, CONSOLIDATION_FLEET)
    return Checked(CONSOLIDATION.name, tuple(parts))


def _fleet(look: Look, shares: Mapping[str, Share], words: Words, limit: Limit) -> Sequence[Part]:
    """All nodes together: each is a shard of its own, and the stricter limit takes more events than one node has."""
    if not shares:
        return []
    hits, count, worth = (sum(getattr(each, part) for each in shares.values()) for part in ("hits", "count", "worth"))
    low, high = proportion_interval(hits / count * worth, worth, look.confidence)
    whole = Share(hits, count, worth, low, high)
    return [by_value(FLEET, words, _observed(whole), limit, told=_counted(whole))]


def _counted(share: Share) -> str:
    return f"{share.hits:.0f} of {share.count:.0f}: "


def _observed(share: Share) -> Observed:
    return Observed(share.hits / share.count, share.low, share.high)
