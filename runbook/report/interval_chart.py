"""A chart of one guardrail over the looks of a stage: estimate and interval at each, beside zero and the margin.

Above zero is worse. An interval without an end runs out of the chart with an arrow, so that nobody takes it for one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from runbook.engine.figures import figure
from runbook.report.lines import printable

WIDTH, HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 64, 24, 26
_TICKS = 4
_ARROW = 5
_MOST_LABELS = 12
_MOST_REACH = 2.0
"""So many times as far as the estimates lie apart an interval is drawn; its numbers are in the table."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look: its number, the estimate and its ends (NaN and infinite ones may be), and the verdict's class."""

    number: int
    value: float
    low: float
    high: float
    outcome: str


@dataclass(frozen=True, slots=True)
class _Scale:
    least: float
    most: float

    def height(self, value: float) -> float:
        """Where the value stands; what lies outside stands at the edge."""
        inside = min(max(value, self.least), self.most)
        return _TOP + (self.most - inside) / (self.most - self.least) * (HEIGHT - _TOP - _BOTTOM)


def interval_chart(title: str, unit: str, looks: Sequence[Look], margin: float) -> str:
    """Every look from left to right; the empty text where no look has an estimate."""
    if not any(math.isfinite(look.value) for look in looks):
        return ""
    scale = _scale(looks, margin)
    step = (WIDTH - _LEFT - _RIGHT) / len(looks)
    parts = [
        _grid(scale, unit),
        _across("zero", scale.height(0.0), "the same"),
        _across("limit", scale.height(margin), "margin"),
    ]
    every = math.ceil(len(looks) / _MOST_LABELS)
    for number, look in enumerate(looks):
        x = _LEFT + step * (number + 0.5)
        if number % every == 0:
            parts.append(f'<text class="axis" x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{look.number}</text>')
        if math.isfinite(look.value):
            parts.append(_whisker(look, x, scale))
    parts.append(f'<text class="axis" x="0" y="{HEIGHT - 8}">look</text>')
    told = escape(printable(f"{title}, {unit}"))
    head = f'<svg role="img" viewBox="0 0 {WIDTH} {HEIGHT}" aria-label="{told}"><title>{told}</title>'
    return f"{head}{''.join(parts)}</svg>"


def _scale(looks: Sequence[Look], margin: float) -> _Scale:
    """Room for estimates, zero, margin and every end; one interval that is far wider than all that is cut."""
    values = [0.0, margin, *(look.value for look in looks if math.isfinite(look.value))]
    ends = [end for look in looks for end in (look.low, look.high) if math.isfinite(end)]
    reach = max(max(values) - min(values), abs(margin), 1e-9)
    least = max(min(values + ends), min(values) - _MOST_REACH * reach)
    most = min(max(values + ends), max(values) + _MOST_REACH * reach)
    room = (most - least) * 0.08
    return _Scale(least - room, most + room)


def _whisker(look: Look, x: float, scale: _Scale) -> str:
    top, bottom, y = scale.height(look.high), scale.height(look.low), scale.height(look.value)
    told = f"look {look.number}: {figure(look.value)} ({_end(look.low)} to {_end(look.high)})"
    name, outcome = f"<title>{escape(told)}</title>", escape(look.outcome)
    parts = [
        f'<line class="interval {outcome}" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}">{name}</line>'
    ]
    if look.high > scale.most:
        parts.append(_arrow(x, top, -_ARROW, outcome))
    if look.low < scale.least:
        parts.append(_arrow(x, bottom, _ARROW, outcome))
    parts.append(f'<circle class="value {outcome}" cx="{x:.1f}" cy="{y:.1f}" r="4">{name}</circle>')
    return "".join(parts)


def _arrow(x: float, y: float, tip: float, outcome: str) -> str:
    points = f"{x - _ARROW:.1f},{y:.1f} {x + _ARROW:.1f},{y:.1f} {x:.1f},{y + tip:.1f}"
    return f'<polygon class="value {outcome}" points="{points}"/>'


def _end(value: float) -> str:
    return figure(value) if math.isfinite(value) else "no end"


def _across(kind: str, y: float, label: str) -> str:
    line = f'<line class="{kind}" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{line}<text class="axis" x="{WIDTH - _RIGHT + 6}" y="{y + 4:.1f}">{label}</text>'


def _grid(scale: _Scale, unit: str) -> str:
    parts = [f'<text class="axis" x="0" y="12">{escape(printable(unit))}</text>']
    step = _round_step((scale.most - scale.least) / _TICKS)
    for number in range(math.ceil(scale.least / step), math.floor(scale.most / step) + 1):
        y = scale.height(number * step)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        told = f"{number * step:.6g}"
        parts.append(f'<text class="axis" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{told}</text>')
    return "".join(parts)


def _round_step(rough: float) -> float:
    """The next greater one of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
