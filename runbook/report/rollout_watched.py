"""A watch over a rollout, for people and as data: what the last look found, what was done, how it ended."""

from collections.abc import Iterator
from typing import Any

from runbook.engine.rollout.looked import Look
from runbook.engine.rollout.record import judgement_details
from runbook.engine.rollout.watch import Watched
from runbook.errors import ExitCode
from runbook.model.judgement import Judgement, Verdict
from runbook.report.lines import EMPTY, SYMPTOM_STYLES, Line, Style, line
from runbook.report.rollout_acted import acted_data, acted_lines, gate_lines, next_steps, sentence, standing_line

_VERDICTS = {Verdict.SAFE: Style.GOOD, Verdict.HARM: Style.BAD}
_CODES = {ExitCode.DONE: Style.GOOD, ExitCode.COULD_NOT_TELL: Style.UNSURE}


def look_text(look: Look) -> str:
    """One look on one line; without numbers that change every time, so that a repetition can be left out."""
    return look.told


def watched_lines(watched: Watched) -> Iterator[Line]:
    """The last look, and the verdict where the eye rests."""
    look = watched.last
    for each in look.asked:
        mark = (f"{each.answer.value:<8} ", SYMPTOM_STYLES[each.answer])
        yield Line((mark, (f"{each.title}: {each.arithmetic}", Style.PLAIN)), indent=2, hang=9)
    yield from (line(text, Style.UNSURE, 2, 2) for text in (*_silent(look), *look.rows.told))
    if look.judgement is not None:
        yield from judgement_lines(look.judgement)
    yield from gate_lines(look.gates)
    yield EMPTY
    if look.acted is not None:
        yield from acted_lines(look.acted)
    else:
        yield standing_line(look.rollout)
        yield from (line(text, indent=2, hang=2) for text in next_steps(look.rollout))
    yield line(sentence(watched.why), _CODES.get(watched.code, Style.BAD), hang=2)


def _silent(look: Look) -> list[str]:
    return [each.words for each in look.rows.silent]


def judgement_lines(judgement: Judgement) -> Iterator[Line]:
    """Every guardrail with its sentence and its arithmetic."""
    for each in judgement.judged:
        mark = (f"{each.verdict.value:<13}", _VERDICTS.get(each.verdict, Style.UNSURE))
        yield Line((mark, (f"{each.guardrail.metric.value}: {each.sentence}", Style.PLAIN)), indent=2, hang=13)
        yield line(each.arithmetic, Style.FAINT, indent=15)
    for text in (*judgement.blocked, *judgement.told):
        yield line(text, Style.UNSURE, indent=2, hang=2)


def watched_data(watched: Watched) -> dict[str, Any]:
    """The whole of it."""
    look = watched.last
    judged = None if look.judgement is None else judgement_details(look.judgement)
    return acted_data(look.rollout, look.gates, look.acted) | {
        "looks": watched.looks,
        "why": watched.why,
        "answers": [each.details for each in look.asked],
        "silent": _silent(look),
        "told": list(look.rows.told),
        "judgement": judged,
    }
