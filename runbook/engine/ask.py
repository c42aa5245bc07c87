"""Put one symptom to one node: measure what its condition needs, and answer it. Pure."""

from collections.abc import Callable, Mapping, Sequence

from runbook.engine.evaluate import evaluate
from runbook.model.answer import Answer, any_of
from runbook.model.finding import Finding
from runbook.model.measurement import Measurement
from runbook.model.quantity import Above, Quantity, Reported, Sustained
from runbook.model.runbook import Symptom

Measure = Callable[[Quantity], Measurement]
Recorded = Callable[[Quantity], float | None]


def ask(
    symptom: Symptom, node: str, measure: Measure, recorded: Recorded, said: Mapping[str, int], source: str
) -> Finding:
    """The answer with its arithmetic.

    Args:
        symptom: the question.
        node: who is asked.
        measure: the number of a quantity now.
        recorded: the same when the node was well, or None.
        said: what the person said, by the name of the option.
        source: where the numbers come from.
    """
    match symptom.condition:
        case Sustained() as condition:
            return _sustained(symptom.title, condition, measure, node, source)
        case Reported() as condition:
            return _reported(symptom.title, condition, said.get(condition.name), node)
        case condition:
            quantity = condition.quantity
            return evaluate(symptom.title, condition, measure(quantity), recorded(quantity), source)


def _sustained(question: str, condition: Sustained, measure: Measure, node: str, source: str) -> Finding:
    """Each part of the condition that the samples reach back for; the first one is asked always.

    The value and the limit of a YES are those of the strictest part that says it.
    """
    first, *longer = (measure(part.quantity) for part in condition.parts)
    asked = [(condition.parts[0], first)]
    asked += [(part, m) for part, m in zip(condition.parts[1:], longer, strict=True) if m.value is not None]
    found = [evaluate(question, part, measured, None, source) for part, measured in asked]
    answer = any_of(each.answer for each in found)
    telling = next((each for each in _strictest_first(answer, found) if each.answer is answer), found[0])
    told = [_over(part) + each.arithmetic for (part, _), each in zip(asked, found, strict=True)]
    return Finding(node, question, answer, "; ".join(told), source, telling.value, telling.limit)


def _strictest_first(answer: Answer, found: Sequence[Finding]) -> Sequence[Finding]:
    """The parts of a condition go from the highest limit to the lowest."""
    return found[::-1] if answer is Answer.YES else found


def _over(part: Above) -> str:
    return "" if part.quantity.over is None else f"over {part.quantity.over.total_seconds() / 3600:g} h "


def _reported(question: str, condition: Reported, said: int | None, node: str) -> Finding:
    """What the person said, or that nobody did."""
    option = f"--{condition.name}"
    if said is None:
        return Finding(node, question, Answer.UNKNOWN, f"only people know: say it with {option} N", "person")
    answer = Answer.YES if said >= condition.least else Answer.NO
    sign = ">=" if answer is Answer.YES else "<"
    arithmetic = f"{said} {condition.unit} {sign} {condition.least} ({option})"
    return Finding(node, question, answer, arithmetic, "person", float(said), float(condition.least))
