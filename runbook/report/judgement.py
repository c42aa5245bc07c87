"""A judgement as text and as data."""

import math
from collections.abc import Iterator
from typing import Any

from runbook.model.judgement import Judged, Judgement, Method, Mismatch, Verdict
from runbook.report.lines import Line, Style, line

VERDICT_STYLES = {
    Verdict.SAFE: Style.GOOD,
    Verdict.HARM: Style.BAD,
    Verdict.INCONCLUSIVE: Style.UNSURE,
    Verdict.NO_DATA: Style.UNSURE,
}
_WIDTH = 12


def judgement_lines(judgement: Judgement) -> Iterator[Line]:
    """The verdict, each guardrail with its sentence and arithmetic, the ratio of the arms, what blocks."""
    verdict = judgement.verdict
    yield Line(((f"{verdict.value.upper()}  ", VERDICT_STYLES[verdict]), (judgement.why, Style.PLAIN)), hang=2)
    for judged in judgement.judged:
        yield from _judged_lines(judged)
    if judgement.mismatch is not None:
        yield mismatch_line(judgement.mismatch)
    for why in judgement.blocked:
        yield Line((("blocks  ", Style.BAD), (why, Style.PLAIN)), hang=2)
    for what in judgement.told:
        yield line(what, Style.FAINT, hang=2)


def judgement_data(judgement: Judgement) -> dict[str, Any]:
    """The same as data; what is infinite or no number is null."""
    return {
        "stage": judgement.stage,
        "verdict": judgement.verdict.value,
        "why": judgement.why,
        "guardrails": [_judged_data(judged) for judged in judgement.judged],
        "mismatch": None if judgement.mismatch is None else mismatch_data(judgement.mismatch),
        "blocked": list(judgement.blocked),
        "told": list(judgement.told),
    }


def finite(value: float) -> float | None:
    """The number, or None for what JSON cannot say."""
    return value if math.isfinite(value) else None


def _judged_lines(judged: Judged) -> Iterator[Line]:
    name, verdict = judged.guardrail.metric.value, judged.verdict
    said = (f"{verdict.value:<{_WIDTH + 2}}", VERDICT_STYLES[verdict])
    yield Line(((f"{name:<{_WIDTH}}", Style.STRONG), said, (judged.sentence, Style.PLAIN)), hang=2)
    if judged.arithmetic:
        yield line(judged.arithmetic.removeprefix(f"{name}: "), Style.FAINT, indent=2, hang=2)


def mismatch_line(found: Mismatch) -> Line:
    """Is the ratio of the arms as assigned?"""
    name = (f"{'arms':<{_WIDTH}}", Style.STRONG)
    word = "mismatch" if found.blocks else "as assigned"
    style = Style.BAD if found.blocks else Style.GOOD
    return Line((name, (f"{word:<{_WIDTH + 2}}", style), (found.arithmetic, Style.PLAIN)), hang=2)


def _judged_data(judged: Judged) -> dict[str, Any]:
    guardrail, found = judged.guardrail, judged.estimate
    return {
        "metric": guardrail.metric.value,
        "verdict": judged.verdict.value,
        "margin": guardrail.margin,
        "harm_margin": guardrail.harm_margin,
        "value": None if found is None else finite(found.value),
        "low": None if found is None else finite(found.low),
        "high": None if found is None else finite(found.high),
        "p_harm": None if found is None else finite(found.p_harm),
        "alpha": None if found is None else found.alpha,
        "method": (Method.NONE if found is None else found.method).value,
        "look": None if found is None else found.look,
        "looks": None if found is None else found.looks,
        "treatment": 0 if found is None else found.treated,
        "control": 0 if found is None else found.controls,
        "reporting": judged.reporting,
        "spaces": judged.spaces,
        "worse": judged.worse,
        "left_seconds": None if judged.left is None else judged.left.total_seconds(),
        "arithmetic": judged.arithmetic,
        "sentence": judged.sentence,
    }


def mismatch_data(found: Mismatch) -> dict[str, Any]:
    """The same as data."""
    return {
        "blocks": found.blocks,
        "e_value": finite(found.e_value),
        "alpha": found.alpha,
        "since_bucket": found.since_bucket,
        "expected_share": found.expected_share,
        "share_of_spaces": finite(found.share_of_spaces),
        "share_of_traffic": finite(found.share_of_traffic),
        "arithmetic": found.arithmetic,
    }
