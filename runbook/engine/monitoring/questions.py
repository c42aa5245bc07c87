"""Each condition as PromQL: when it is YES, or, for what must hold, when it is NO. And its limit, in words.

As in `runbook/engine/evaluate.py`: no data is no answer, and a baseline of zero is none.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from runbook.engine.figures import figure
from runbook.engine.monitoring.promql import number, selector
from runbook.engine.monitoring.series import high_of, low_of, record_of
from runbook.model.monitoring import Recording
from runbook.model.quantity import (
    Above,
    AboveBaseline,
    Below,
    BelowBaseline,
    Condition,
    Measured,
    Regained,
    Reported,
    Settled,
    Sustained,
)

LIMIT, BASELINE = "engram:limit", "engram:baseline"
ON_NODE = "on (target, instance)"
TOLD = "engram_runbook_baseline"
BY_ADDRESS = f'label_replace({TOLD}, "instance", "$1", "address", "(.*)")'
_FIRST = '{{ . | first | value | printf "%.3g" }}'


@dataclass(frozen=True, slots=True)
class Question:
    """An expression that has a series for each node where it is so.

    `sign` and `limit` are for the summary: `$value sign limit`; `recordings` are the limits that hang on a baseline.
    """

    expr: str
    sign: str
    limit: str
    unit: str
    recordings: tuple[Recording, ...] = ()


def present(condition: Condition, key: str) -> Question | None:
    """When a symptom or a trigger is YES; None for what only a person can know.

    `key` names the limit; no two conditions have the same.
    """
    match condition:
        case Reported():
            return None
        case Sustained(parts):
            return _sustained(parts)
        case Above(quantity, limit):
            return Question(f"{low_of(quantity)} > {number(limit)}", ">", figure(limit), quantity.unit)
        case Below(quantity, limit):
            return Question(f"{high_of(quantity)} < {number(limit)}", "<", figure(limit), quantity.unit)
        case AboveBaseline() | BelowBaseline():
            return _relative(condition, key, ">" if isinstance(condition, AboveBaseline) else "<")
        case Settled() | Regained():
            return _relative(condition, key, "<=" if isinstance(condition, Settled) else ">=")
        case _:
            assert_never(condition)


def absent(condition: Condition, key: str) -> Question | None:
    """When what must hold is NO; None where no metric tells."""
    match condition:
        case Above(quantity, limit):
            return Question(f"{high_of(quantity)} <= {number(limit)}", "<=", figure(limit), quantity.unit)
        case Below(quantity, limit):
            return Question(f"{low_of(quantity)} >= {number(limit)}", ">=", figure(limit), quantity.unit)
        case Settled():
            return _relative(condition, key, ">")
        case Regained():
            return _relative(condition, key, "<")
        case _:
            return None


def _sustained(parts: tuple[Above, ...]) -> Question:
    expr = "\nor ".join(f"{low_of(part.quantity)} > {number(part.limit)}" for part in parts)
    told = [f"{part.limit:g}{_over(part)}" for part in parts]
    return Question(expr, "> one of", ", ".join(told), parts[0].quantity.unit)


def _over(part: Above) -> str:
    over = part.quantity.over
    return "" if over is None else f" over {over.total_seconds() / 3600:g} h"


def _relative(condition: Measured, key: str, sign: str) -> Question:
    """Against a limit that Prometheus records for each node: from its baseline, else the absolute one."""
    quantity = condition.quantity
    own = (low_of if sign.startswith(">") else high_of)(quantity) if _by_interval(condition) else record_of(quantity)
    limit = selector(LIMIT, {"of": key})
    asked = f"{LIMIT}{{of='{key}',target='%s',instance='%s'}}"
    query = f'{{{{ with printf "{asked}" $labels.target $labels.instance | query }}}}{_FIRST}{{{{ end }}}}'
    expr = f"{own} {sign} ignoring (of) {limit}"
    return Question(expr, sign, query, quantity.unit, (_limit(condition, key),))


def _by_interval(condition: Measured) -> bool:
    return isinstance(condition, BelowBaseline | Regained)


def _limit(condition: Measured, key: str) -> Recording:
    name = record_of(condition.quantity)
    factor, floor, ceiling = _numbers(condition)
    usual = f"{number(factor)} * ({selector(BASELINE, {'quantity': condition.quantity.name})} > 0)"
    limit = f"{name} * 0 + {ON_NODE} group_left () {_at_least(usual, floor)}"
    note = "Without a baseline there is no limit: what is usual is not known."
    if _has_absolute(condition):
        limit = f"({limit})\nor ({name} * 0 + {number(floor)})"
        note = f"Without a baseline: {figure(floor)} {condition.quantity.unit}."
    if ceiling is not None:
        limit, note = f"clamp_max(\n{limit},\n{number(ceiling)})", f"{note} Never above {figure(ceiling)}."
    return Recording(LIMIT, limit, (("of", key),), note)


def _at_least(expr: str, floor: float) -> str:
    return f"clamp_min({expr}, {number(floor)})" if floor else f"({expr})"


def _numbers(condition: Measured) -> tuple[float, float, float | None]:
    match condition:
        case AboveBaseline(_, factor, floor, ceiling) | Settled(_, factor, floor, ceiling):
            return factor, floor, ceiling
        case BelowBaseline(_, factor, bottom) | Regained(_, factor, bottom):
            return factor, bottom, None
        case _:
            raise TypeError(condition)


def _has_absolute(condition: Measured) -> bool:
    """Has it a limit without a baseline? As the engine says it of each kind."""
    match condition:
        case AboveBaseline():
            return True
        case Settled(_, _, floor, ceiling):
            return bool(floor) or ceiling is not None
        case BelowBaseline(bottom=bottom) | Regained(bottom=bottom):
            return bool(bottom)
        case _:
            return False


def gated(question: Question, condition: str) -> Question:
    """The same, only where another expression has a series of that target."""
    body = f"({question.expr})" if "\n" in question.expr else question.expr
    return replace(question, expr=f"{body}\nand on (target) {condition}")
