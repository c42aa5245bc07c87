"""The chart of intervals over looks: everything inside it, nothing that is no number, and no end is no wall."""

import math
import re
from xml.etree import ElementTree as ET

from runbook.report.interval_chart import HEIGHT, WIDTH, Look, interval_chart

EVIL = '"><script>alert(1)</script>\x1b[2J'


def _numbers(chart: str, attribute: str) -> list[float]:
    return [float(each) for each in re.findall(rf'\b{attribute}="(-?[\d.]+)"', chart)]


def test_it_is_whole_and_within_its_frame() -> None:
    """It parses, every place is finite and inside, and hostile words are text."""
    looks = [Look(1, 4.5, -math.inf, math.inf, "UNKNOWN"), Look(2, math.nan, math.nan, math.nan, "UNKNOWN")]
    looks += [Look(number, -0.5 / number, -900.0, 2.0, "PASS") for number in range(3, 40)]
    chart = interval_chart(EVIL, EVIL, looks, 5.0)
    root = ET.fromstring(chart)  # noqa: S314 - made here
    assert root.attrib["role"] == "img"
    assert "<script" not in chart
    assert "\x1b" not in chart
    assert not re.search(r'"[^"]*(nan|inf)[^"]*"', chart)
    for attribute, most in (
        ("x1", WIDTH),
        ("x2", WIDTH),
        ("cx", WIDTH),
        ("y1", HEIGHT),
        ("y2", HEIGHT),
        ("cy", HEIGHT),
    ):
        assert all(0 <= each <= most for each in _numbers(chart, attribute)), attribute


def test_an_end_that_is_not_known_is_an_arrow() -> None:
    """An interval without an end goes to the edge with an arrow there; one with both ends has none."""
    endless = interval_chart("latency", "%", [Look(1, 1.0, -math.inf, math.inf, "UNKNOWN")], 5.0)
    assert endless.count("<polygon") == 2
    assert "no end to no end" in endless
    assert interval_chart("latency", "%", [Look(1, 1.0, 0.5, 1.5, "PASS")], 5.0).count("<polygon") == 0


def test_margin_and_zero_are_always_in_it() -> None:
    """However far the intervals are from them."""
    for look in (
        Look(1, 40.0, 39.0, 41.0, "FAIL"),
        Look(1, -40.0, -41.0, -39.0, "PASS"),
        Look(1, 0.0, 0.0, 0.0, "PASS"),
    ):
        chart = interval_chart("latency", "%", [look], 5.0)
        assert 'class="limit"' in chart
        assert 'class="zero"' in chart


def test_nothing_to_draw_is_nothing() -> None:
    """Without one estimate there is no empty frame."""
    assert interval_chart("latency", "%", [Look(1, math.nan, math.nan, math.nan, "UNKNOWN")], 5.0) == ""
    assert interval_chart("latency", "%", [], 5.0) == ""
