"""Charts as inline SVG: lines over time, and intervals beside their limit. No script, no font, no network.

Colours are classes (`s0` to `s7` for series, `PASS`, `FAIL`, `UNKNOWN`), so that a page may give them by theme.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from runbook.engine.figures import figure
from runbook.report.lines import printable

WIDTH, HEIGHT = 720, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 10, 26
SERIES_COLOURS = 8
_TICKS = 4
_MINUTE, _HOUR = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class Curve:
    """One line: its name, and its points (seconds, value)."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval as multiples of its limit; the ends may be endless."""

    label: str
    value: float
    low: float
    high: float
    outcome: str


def line_chart(title: str, unit: str, curves: Sequence[Curve]) -> str:
    """Lines over time with their axes; the empty text where there is nothing to draw."""
    points = [(x, y) for curve in curves for x, y in curve.points if math.isfinite(x) and math.isfinite(y)]
    if not points:
        return ""
    end = max(x for x, _ in points) or 1.0
    low, high = _room(min(y for _, y in points), max(y for _, y in points))

    def place(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + x / end * (WIDTH - _LEFT - _RIGHT)
        return across, _TOP + (high - y) / (high - low) * (HEIGHT - _TOP - _BOTTOM)

    parts = [_axes(low, high, end, unit, place(0, low)[1])]
    for number, curve in enumerate(curves):
        drawn = [place(x, y) for x, y in curve.points if math.isfinite(x) and math.isfinite(y)]
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
        name = f"<title>{_text(curve.name)}</title>"
        parts.append(f'<polyline class="line s{number % SERIES_COLOURS}" points="{text}">{name}</polyline>')
    return _svg(HEIGHT, f"{title}, {unit}", parts)


def bar_chart(title: str, bars: Sequence[Bar]) -> str:
    """Each interval in a row, and the limit as one upright line; the empty text where there is no interval."""
    bars = [bar for bar in bars if math.isfinite(bar.value)]
    if not bars:
        return ""
    row, left = 22, 300
    ends = [end for bar in bars for end in (bar.low, bar.value, bar.high) if math.isfinite(end)]
    least, most = max(min(0.0, *ends), -1.0), min(max(1.4, *ends), 3.0)
    height = row * len(bars) + _TOP + _BOTTOM

    def across(value: float) -> float:
        return left + (min(max(value, least), most) - least) / (most - least) * (WIDTH - left - _RIGHT)

    limit = across(1.0)
    parts = [
        f'<line class="limit" x1="{limit:.1f}" x2="{limit:.1f}" y1="{_TOP}" y2="{height - _BOTTOM}"/>',
        f'<text class="axis" x="{limit:.1f}" y="{height - 8}" text-anchor="middle">limit</text>',
    ]
    for number, bar in enumerate(bars):
        y = _TOP + row * (number + 0.5)
        name = f"<title>{_text(bar.label)}</title>"
        parts += [
            f'<text class="label" x="0" y="{y + 4:.1f}">{_text(_short(bar.label))}{name}</text>',
            (
                f'<line class="interval {escape(bar.outcome)}" x1="{across(bar.low):.1f}" x2="{across(bar.high):.1f}" '
                f'y1="{y:.1f}" y2="{y:.1f}"/>'
            ),
            f'<circle class="value {escape(bar.outcome)}" cx="{across(bar.value):.1f}" cy="{y:.1f}" r="4"/>',
        ]
    return _svg(height, title, parts)


def _text(text: str) -> str:
    return escape(printable(text))


def _short(label: str, longest: int = 48) -> str:
    return label if len(label) <= longest else f"{label[: longest - 3]}..."


def _svg(height: float, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg role="img" viewBox="0 0 {WIDTH} {height:g}" aria-label="{_text(title)}">'
        f"<title>{_text(title)}</title>{''.join(parts)}</svg>"
    )


def _room(low: float, high: float) -> tuple[float, float]:
    """The ends of the axis: a little more than the data, and from zero where that costs little."""
    if high <= low:
        reach = abs(low) * 0.1 or 1.0
        return low - reach, high + reach
    if 0 <= low <= (high - low):
        low = 0.0
    return low, high + (high - low) * 0.08


def _axes(low: float, high: float, end: float, unit: str, floor: float) -> str:
    parts = []
    for number in range(_TICKS + 1):
        value = low + (high - low) * number / _TICKS
        y = floor - (floor - _TOP) * number / _TICKS
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{figure(value)}</text>')
    scale, word = (1.0, "s") if end < 5 * _MINUTE else (_MINUTE, "min") if end < 5 * _HOUR else (_HOUR, "h")
    for number in range(_TICKS + 1):
        x = _LEFT + (WIDTH - _LEFT - _RIGHT) * number / _TICKS
        anchor = "end" if number == _TICKS else "middle"
        told = f"{end * number / _TICKS / scale:.3g} {word}"
        parts.append(f'<text class="axis" x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{told}</text>')
    parts.append(f'<text class="axis" x="0" y="{_TOP + 4}">{_text(unit)}</text>')
    return "".join(parts)
