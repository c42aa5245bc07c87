"""A validation as one page of HTML: it opens without a network and without a script, by day and by night, and prints.

Whatever a node, a file or a person said is escaped; nothing is fetched, so no reader is told to anybody.
"""

import math
from collections.abc import Iterator, Sequence
from html import escape

from runbook.model.validation import Checked, Outcome, Part, Recommendation, Track, Validation
from runbook.model.validation_limits import RULES
from runbook.report.charts import SERIES_COLOURS, Bar, Curve, bar_chart, line_chart
from runbook.report.lines import printable
from runbook.report.palette import CHARTS, PALETTE
from runbook.report.validation import heading, kind_of, limit_told, method

MOST_CURVES = SERIES_COLOURS
_STYLE = (
    PALETTE
    + """
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem;max-width:62rem;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0 0 .3rem}h2{font-size:1.15rem;margin:2rem 0 .4rem}h3{font-size:1rem;margin:0}
p{margin:.3rem 0}.faint{color:var(--faint)}
.badge{display:inline-block;min-width:5.5rem;padding:.05rem .5rem;border-radius:.3rem;font-weight:600;text-align:center;
border:1px solid currentColor}
.proceed{color:var(--PASS)}.roll-back{color:var(--FAIL)}.hold{color:var(--UNKNOWN)}
.verdict{padding:.8rem 1rem;margin:1rem 0;border:1px solid var(--rule);border-left:.4rem solid currentColor;
background:var(--card);border-radius:.3rem}
.verdict strong{font-size:1.2rem}.verdict span{color:var(--ink)}
section{border:1px solid var(--rule);border-radius:.4rem;padding:.8rem 1rem;margin:.8rem 0;break-inside:avoid}
section header{display:flex;gap:.8rem;align-items:center}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
td,th{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0;border-bottom:1px solid var(--rule)}
td{overflow-wrap:anywhere}td:first-child{white-space:nowrap;color:var(--faint)}td.PASS,td.FAIL,td.UNKNOWN{white-space:nowrap}
ul{margin:.3rem 0;padding-left:1.2rem}
"""
    + CHARTS
    + """
.key{display:inline-block;margin-right:1rem}.key svg{display:inline-block;width:1.2rem;margin:0 .3rem 0 0;
vertical-align:middle}
@media print{body{padding:0;max-width:none;font-size:11px}section{border-color:#bbb}}
"""
)


def validation_page(validation: Validation) -> str:
    """The whole page."""
    return "".join(
        (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{_text(heading(validation))}</title><style>{_STYLE}</style></head><body><main>",
            *_head(validation),
            *(_check(each) for each in validation.checks),
            *_charts(validation.tracks),
            *_method(validation),
            "</main></body></html>\n",
        )
    )


def _head(validation: Validation) -> Iterator[str]:
    word = validation.recommendation
    style = {Recommendation.ROLL_BACK: "roll-back"}.get(word, word.value)
    yield f"<h1>{_text(heading(validation))}</h1>"
    yield f'<p class="faint">{_text(validation.at.isoformat(timespec="seconds"))}, {_text(method(validation))}</p>'
    yield f'<div class="verdict {style}"><strong>{_text(word.value.capitalize())}</strong> '
    yield f"<span>{_text(validation.because)}</span></div>"
    if validation.notes:
        yield "<ul>" + "".join(f'<li class="UNKNOWN">{_text(note)}</li>' for note in validation.notes) + "</ul>"
    yield "<table><thead><tr><th>outcome</th><th>check</th><th>what was asked</th></tr></thead><tbody>"
    for checked in validation.checks:
        kind = kind_of(checked)
        hurts = " A FAIL of it hurts users." if kind.hurts else ""
        yield f"<tr><td>{_badge(checked.outcome)}</td><td>{_text(kind.title)}</td>"
        yield f"<td>{_text(kind.why + hurts)}</td></tr>"
    yield "</tbody></table>"


def _check(checked: Checked) -> str:
    kind = kind_of(checked)
    rows = "".join(_row(part) for part in checked.parts)
    limits = "".join(f"<li>{_text(limit_told(limit))}</li>" for limit in kind.limits)
    bars = [bar for part in checked.parts if (bar := _bar(part)) is not None]
    chart = bar_chart(f"{kind.title}: intervals as multiples of their limits", bars)
    return (
        f"<section><header>{_badge(checked.outcome)}<h3>{_text(kind.title)}</h3></header>{chart}"
        f'<table><tbody>{rows}</tbody></table><p class="faint">Limits</p><ul class="faint">{limits}</ul></section>'
    )


def _row(part: Part) -> str:
    return (
        f"<tr><td>{_text(part.node)}</td><td>{_text(part.question)}</td>"
        f'<td class="{part.outcome.value}">{part.outcome.value}</td><td>{_text(part.arithmetic)}</td></tr>'
    )


def _bar(part: Part) -> Bar | None:
    if part.value is None or part.low is None or part.high is None or not part.limit:
        return None
    ends = (part.value / part.limit, part.low / part.limit, part.high / part.limit)
    if any(math.isnan(end) for end in ends):
        return None
    return Bar(f"{part.node}: {part.question}", *ends, part.outcome.value)


def _charts(tracks: Sequence[Track]) -> Iterator[str]:
    titles = tuple(dict.fromkeys(track.title for track in tracks))
    if titles:
        yield "<h2>While it was looked at</h2>"
    for title in titles:
        found = [track for track in tracks if track.title == title]
        shown = found[:MOST_CURVES]
        curves = [Curve(each.node, [(s.at, s.value) for s in each.samples]) for each in shown]
        keys = "".join(_key(number, curve.name) for number, curve in enumerate(curves))
        more = f" ({len(shown)} of {len(found)} nodes)" if len(found) > len(shown) else ""
        unit = found[0].unit
        yield f"<section><h3>{_text(title)}, {_text(unit)}{more}</h3>{line_chart(title, unit, curves)}<p>{keys}</p>"
        yield "</section>"


def _key(number: int, name: str) -> str:
    mark = f'<svg viewBox="0 0 20 8" aria-hidden="true"><polyline class="line s{number}" points="0,4 20,4"/></svg>'
    return f'<span class="key">{mark}{_text(name)}</span>'


def _method(validation: Validation) -> Iterator[str]:
    yield "<h2>How it was judged</h2>"
    yield (
        "<p>PASS where the whole interval keeps to the limit, FAIL where the whole of it does not, else UNKNOWN. "
        f"Each interval holds in {validation.confidence:.1%} of the cases, all looks together in 95 %.</p>"
    )
    yield "<ol>"
    for rule in RULES:
        yield f"<li>{_text(rule.when)}: <strong>{_text(rule.then.value)}</strong></li>"
    yield "</ol>"
    if validation.asked is not None:
        asked = validation.asked
        told = f"{asked.queries} golden queries in {asked.seconds:.1f} s; {asked.read_bytes / 1e6:.1f} MB were read"
        yield f'<p class="faint">{_text(told)} from the nodes for their truth.</p>'


def _badge(outcome: Outcome) -> str:
    return f'<span class="badge {outcome.value}">{outcome.value}</span>'


def _text(text: str) -> str:
    return escape(printable(text))
