"""Who is treated when, as text and as data."""

from collections.abc import Iterator, Sequence
from typing import Any

from runbook.engine.judging.assigned import Assigned
from runbook.model.assignment import STEPS
from runbook.model.cells import TREATMENT
from runbook.report.lines import EMPTY, Line, Style, line, printable

_HEADS = ("space", "hash at", "group now", "treated from")


def assignment_lines(found: Sequence[Assigned], salt: str, source: str, plan: str) -> Iterator[Line]:
    """A table of the spaces, and what it was computed with."""
    rows = [_cells(each) for each in found]
    widths = [max(len(row[at]) for row in (_HEADS, *rows)) for at in range(len(_HEADS))]
    yield line(_row(_HEADS, widths), Style.STRONG)
    for each, row in zip(found, rows, strict=True):
        style = Style.STRONG if each.group == TREATMENT else Style.PLAIN
        yield line(_row(row, widths), style)
    yield EMPTY
    yield line(
        f"Salt {salt!r} ({source}), plan {plan}. A space is treated once the share is above its hash.", Style.FAINT
    )


def assignment_data(found: Sequence[Assigned], salt: str, source: str, plan: str) -> dict[str, Any]:
    """The same as data."""
    return {
        "salt": salt,
        "source": source,
        "plan": plan,
        "spaces": [
            {
                "space": each.space,
                "position_percent": each.position * 100,
                "treated_from_percent": each.steps * 100 / STEPS,
                "group": each.group,
                "stage": each.stage,
                "named": list(each.named),
            }
            for each in found
        ],
    }


def _cells(each: Assigned) -> tuple[str, str, str, str]:
    return printable(each.space), f"{each.position * 100:.4f} %", each.group or "not known", _when(each)


def _when(each: Assigned) -> str:
    named = " (by name)" if each.stage in each.named else ""
    return f"{each.steps * 100 / STEPS:.2f} %; {each.stage or 'no stage of the plan'}{named}"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip()
