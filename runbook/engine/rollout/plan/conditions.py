"""Conditions and quantities as small JSON objects, and back: `{above: 500, of: {metric: ..., how: growth_per_hour}}`.

The word of a condition is its first key, and that key's value its main number. What is as usual is left out.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any, assert_never

from runbook.model.duration import as_text, duration
from runbook.model.quantity import (
    Above,
    AboveBaseline,
    Below,
    BelowBaseline,
    Condition,
    How,
    Labels,
    Quantity,
    Regained,
    Reported,
    Settled,
    Sustained,
)

_UNITS = {
    How.RATE_PER_MINUTE: "per minute",
    How.QUANTILE: "s",
    How.GROWTH_PER_HOUR: "MB/h",
    How.SHARE: "%",
    How.PART: "%",
    How.MEAN_RATIO: "x",
}
_SCALES = {How.GROWTH_PER_HOUR: 1e-6, How.SHARE: 100.0, How.PART: 100.0}


def condition_details(condition: Condition) -> dict[str, Any]:
    """The condition as JSON, complete: `condition_of` gives the same one back."""
    match condition:
        case Above():
            return {"above": condition.limit, "of": quantity_details(condition.quantity)}
        case Below():
            return {"below": condition.limit, "of": quantity_details(condition.quantity)}
        case AboveBaseline() | Settled():
            word = "above_baseline" if isinstance(condition, AboveBaseline) else "settles"
            ends = {"floor": condition.floor} if condition.floor else {}
            if condition.ceiling is not None:
                ends["ceiling"] = condition.ceiling
            return {word: condition.factor, **ends, "of": quantity_details(condition.quantity)}
        case BelowBaseline() | Regained():
            word = "below_baseline" if isinstance(condition, BelowBaseline) else "regains"
            bottom = {"bottom": condition.bottom} if condition.bottom else {}
            return {word: condition.factor, **bottom, "of": quantity_details(condition.quantity)}
        case Sustained():
            return {"any": [condition_details(part) for part in condition.parts]}
        case Reported():
            return {"reported": condition.name, "unit": condition.unit, "least": condition.least}
        case _:
            assert_never(condition)


def condition_of(details: Mapping[str, Any]) -> Condition:
    """The condition that was written so.

    Raises:
        KeyError, TypeError, ValueError, UsageError: it is none.
    """
    if "any" in details:
        return Sustained(tuple(_above(part) for part in details["any"]))
    if "reported" in details:
        return Reported(str(details["reported"]), str(details["unit"]), int(details["least"]))
    word = next((word for word in _MAKERS if word in details), None)
    if word is None:
        raise ValueError(f"{', '.join(details)} is no condition")
    return _MAKERS[word](quantity_of(details["of"]), _number(details[word]), details)


def _number(value: object) -> float:
    """Only a number that is one: no text, no truth, nothing endless."""
    if type(value) not in {int, float} or not math.isfinite(value):  # type: ignore[arg-type]  # a number by now
        raise ValueError(f"{value!r} is no number")
    return float(value)  # type: ignore[arg-type]  # same


def _floor(details: Mapping[str, Any]) -> float:
    return _number(details.get("floor", 0.0))


def _ceiling(details: Mapping[str, Any]) -> float | None:
    return None if details.get("ceiling") is None else _number(details["ceiling"])


def _bottom(details: Mapping[str, Any]) -> float:
    return _number(details.get("bottom", 0.0))


_MAKERS: Mapping[str, Callable[[Quantity, float, Mapping[str, Any]], Condition]] = {
    "above": lambda what, limit, _: Above(what, limit),
    "below": lambda what, limit, _: Below(what, limit),
    "above_baseline": lambda what, factor, also: AboveBaseline(what, factor, _floor(also), _ceiling(also)),
    "settles": lambda what, factor, also: Settled(what, factor, _floor(also), _ceiling(also)),
    "below_baseline": lambda what, factor, also: BelowBaseline(what, factor, _bottom(also)),
    "regains": lambda what, factor, also: Regained(what, factor, _bottom(also)),
}


def _above(details: Mapping[str, Any]) -> Above:
    part = condition_of(details)
    if not isinstance(part, Above):
        raise TypeError("only `above` can be one of `any`")
    return part


def quantity_details(quantity: Quantity) -> dict[str, Any]:
    """The quantity as JSON; unit and scale are left out where they are as usual."""
    details: dict[str, Any] = {"metric": quantity.metric, "how": quantity.how.value}
    if quantity.quantile is not None:
        details["quantile"] = quantity.quantile
    if quantity.unit != _UNITS.get(quantity.how, ""):
        details["unit"] = quantity.unit
    if quantity.scale != _SCALES.get(quantity.how, 1.0):
        details["scale"] = quantity.scale
    for key, labels in (("labels", quantity.labels), ("other", quantity.other)):
        if labels:
            details[key] = dict(labels)
    if quantity.whole:
        details["whole"] = quantity.whole
    if quantity.over is not None:
        details["over"] = as_text(quantity.over)
    return details


def quantity_of(details: Mapping[str, Any]) -> Quantity:
    """The quantity that was written so.

    Raises:
        KeyError, TypeError, ValueError, UsageError: it is none.
    """
    how = How(details["how"])
    return Quantity(
        metric=str(details["metric"]),
        how=how,
        unit=str(details.get("unit", _UNITS.get(how, ""))),
        quantile=None if details.get("quantile") is None else _number(details["quantile"]),
        scale=_number(details.get("scale", _SCALES.get(how, 1.0))),
        labels=_labels(details.get("labels", {})),
        other=_labels(details.get("other", {})),
        whole=str(details.get("whole", "")),
        over=duration(details["over"]) if "over" in details else None,
    )


def _labels(details: Mapping[str, str]) -> Labels:
    return tuple((str(name), str(value)) for name, value in details.items())
