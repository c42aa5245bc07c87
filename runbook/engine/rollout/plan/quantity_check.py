"""Does a quantity in a plan ask for what a node exports, in a way that its kind can answer? Pure."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from runbook.model.contract import METRICS, Kind
from runbook.model.quantity import How

_KINDS = {
    How.LAST: (Kind.GAUGE, Kind.COUNTER),
    How.SHARE: (Kind.GAUGE,),
    How.GROWTH_PER_HOUR: (Kind.GAUGE,),
    How.RISE: (Kind.COUNTER,),
    How.PART: (Kind.COUNTER,),
    How.RATE_PER_MINUTE: (Kind.COUNTER,),
    How.QUANTILE: (Kind.HISTOGRAM,),
    How.MEAN: (Kind.HISTOGRAM,),
    How.MEAN_RATIO: (Kind.HISTOGRAM,),
}
_NEEDS = {How.QUANTILE: "quantile", How.SHARE: "whole", How.PART: "whole", How.MEAN_RATIO: "other"}

Found = tuple[tuple[str | int, ...], str, str]
"""Where in the condition, what is wrong, and what to do."""


def quantity_faults(condition: Mapping[str, Any]) -> Iterator[Found]:
    """Each fault of the condition's quantities; the condition fits its schema."""
    for index, part in enumerate(condition.get("any", ())):
        for place, what, hint in quantity_faults(part):
            yield ("any", index, *place), what, hint
    if "of" in condition:
        for key, what, hint in _of(condition["of"]):
            yield ("of", key), what, hint


def _of(quantity: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    how = How(quantity["how"])
    for key in ("metric", "whole"):
        if key in quantity and quantity[key] not in METRICS:
            close = get_close_matches(quantity[key], METRICS, n=1)
            hint = f"did you mean {close[0]}?" if close else "docs/reference/metrics.md lists them"
            yield key, f"no node exports {quantity[key]}", hint
    found = METRICS.get(quantity["metric"])
    if found is not None and found.kind not in _KINDS[how]:
        fit = ", ".join(each.value for each, kinds in _KINDS.items() if found.kind in kinds)
        yield "how", f"{found.name} is a {found.kind.value}, and has no {how.value}", f"one of: {fit}"
    for needing, key in _NEEDS.items():
        if needing is how and key not in quantity:
            yield "how", f"{how.value} needs `{key}`", ""
    for key in ("quantile", "whole"):
        if key in quantity and _NEEDS.get(how) != key:
            yield key, f"{how.value} has no `{key}`", ""
    if "other" in quantity and how not in {How.MEAN_RATIO, How.PART}:
        yield "other", f"{how.value} has no `other`", ""
