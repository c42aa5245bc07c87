"""A condition in words, as documents say it."""

from runbook.model.quantity import (
    Above,
    AboveBaseline,
    Below,
    BelowBaseline,
    Condition,
    How,
    Quantity,
    Regained,
    Reported,
    Settled,
    Sustained,
)

SECONDS_PER_HOUR = 3600
_WITH_INTERVAL = frozenset({How.GROWTH_PER_HOUR, How.MEAN, How.MEAN_RATIO, How.PART})


def condition_text(condition: Condition) -> str:
    """When the condition is YES."""
    match condition:
        case Sustained(parts):
            return "; or ".join(condition_text(part) for part in parts)
        case Reported(name, unit, least):
            return f"`--{name} N` says {least} {unit} or more"
        case Above(quantity, limit) | Below(quantity, limit):
            sign = ">" if isinstance(condition, Above) else "<"
            return f"`{quantity.name}`{_all_of_it(quantity)} {sign} {limit:g} {quantity.unit}"
        case _:
            return _relative(condition)


def _relative(condition: AboveBaseline | Settled | BelowBaseline | Regained) -> str:
    name, unit, factor = f"`{condition.quantity.name}`", condition.quantity.unit, condition.factor
    match condition:
        case BelowBaseline(bottom=bottom) | Regained(bottom=bottom):
            sign = "<" if isinstance(condition, BelowBaseline) else ">="
            limit = f"max({factor:g} x baseline, {bottom:g})" if bottom else f"{factor:g} x baseline"
            return f"{name}{_all_of_it(condition.quantity)} {sign} {limit}"
        case AboveBaseline(floor=floor, ceiling=ceiling) | Settled(floor=floor, ceiling=ceiling):
            sign, word = (">", "or") if isinstance(condition, AboveBaseline) else ("<=", "and")
            more = "" if ceiling is None else f", {word} {sign} {ceiling:.4g} {unit} whatever the baseline"
            limit = f"max({factor:g} x baseline, {floor:g} {unit})" if floor else f"{factor:g} x baseline"
            return f"{name} {sign} {limit}{more}"


def _all_of_it(quantity: Quantity) -> str:
    """What is compared, where it is not just a number."""
    over = "" if quantity.over is None else f" over {quantity.over.total_seconds() / SECONDS_PER_HOUR:g} h"
    return f": the whole 95 % interval{over}" if quantity.how in _WITH_INTERVAL else ""
