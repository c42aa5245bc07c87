"""The page of a validation: whole HTML, nothing fetched, everything escaped, and charts that are drawn."""

import math
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from runbook.model.measurement import Sample
from runbook.model.validation import Asked, Checked, Outcome, Part, Recommendation, Track, Validation
from runbook.model.validation_limits import CHECKS
from runbook.report.charts import Bar, Curve, bar_chart, line_chart
from runbook.report.validation import validation_data, validation_lines
from runbook.report.validation_page import MOST_CURVES, validation_page

VOID = {"meta", "br", "hr", "img", "link", "input"}
EVIL = '"><script>alert(1)</script>&<img src=//x onerror=y>\x1b[2J'


class Tree(HTMLParser):
    """The elements of a page; it fails where one is closed that is not open."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == [], "what is opened is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def validation(node: str = "node-1", curves: int = 1) -> Validation:
    """One in which everything that can stand in a page does."""
    parts = (
        Part(node, "is it?", Outcome.PASS, "1 < 2", 1.0, 0.5, 1.5, 2.0, 1.0, "ms"),
        Part(node, "endless?", Outcome.UNKNOWN, "no end", 1.0, -math.inf, math.inf, 2.0),
        Part(node, "nothing?", Outcome.UNKNOWN, f"no data: {node}"),
        Part(node, "NaN?", Outcome.FAIL, "NaN", math.nan, math.nan, math.nan, 2.0),
    )
    tracks = tuple(
        Track(f"{node}{number}", "Resident memory", "MB", (Sample(0.0, 60.0), Sample(5.0, math.nan), Sample(9.0, 61.0)))
        for number in range(curves)
    )
    return Validation(
        target=node,
        at=datetime(2026, 11, 27, tzinfo=UTC),
        source=f"http://{node}",
        baseline_at=None,
        nodes=(node,),
        checks=tuple(Checked(kind.name, parts) for kind in CHECKS),
        recommendation=Recommendation.ROLL_BACK,
        because=f"because {node}",
        seconds=60.0,
        wanted=60.0,
        soak=False,
        looks=1,
        confidence=0.95,
        notes=(f"note {node}",),
        tracks=tracks,
        asked=Asked(50, 1.5, 1_000_000),
    )


def test_it_is_whole_html_with_every_check_and_its_chart() -> None:
    """A parser reads it to its end; each check has its heading and its intervals, each gauge its lines."""
    page = validation_page(validation())
    tree = Tree(page)
    assert page.startswith("<!DOCTYPE html>")
    assert tree.tags.count("section") == len(CHECKS) + 1
    assert tree.tags.count("polyline") == 2, "the line and its key"
    for kind in CHECKS:
        assert kind.title in tree.text
        assert all(limit.source in tree.text for limit in kind.limits)
    assert "Roll back" in tree.text


def test_nothing_is_fetched_and_nothing_runs() -> None:
    """No address but in the text, no script, no handler, no style from elsewhere."""
    page = validation_page(validation())
    tree = Tree(page)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(tree.tags)
    names = {name for name, _ in tree.attributes}
    assert not {"src", "href", "srcset", "style", "action", "xmlns"} & names
    assert not any(name.startswith("on") for name in names)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    assert not re.search(r"url\(|@import|//", style[1])
    assert "prefers-color-scheme" in style[1]
    assert "@media print" in style[1]


def test_whatever_is_said_is_escaped() -> None:
    """A node's name, a reason and a note with mark-up in them are text; a control character is shown."""
    tree = Tree(validation_page(validation(EVIL)))
    assert "script" not in tree.tags
    assert "img" not in tree.tags
    assert "<script>alert(1)</script>" in tree.text
    assert "\x1b" not in tree.text


def test_no_number_of_a_chart_is_none() -> None:
    """Endless ends are cut off at the edge; NaN is not drawn."""
    page = validation_page(validation())
    svg = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert not re.search(r'="[^"]*(nan|inf)[^"]*"', svg)
    for name, value in Tree(svg).attributes:
        if name in {"x1", "x2", "y1", "y2", "cx", "cy", "x", "y"}:
            assert math.isfinite(float(value))


def test_more_nodes_than_colours_are_said_to_be_left_out() -> None:
    """A chart of a hundred lines tells nobody anything."""
    tree = Tree(validation_page(validation(curves=MOST_CURVES + 3)))
    assert f"({MOST_CURVES} of {MOST_CURVES + 3} nodes)" in tree.text


@pytest.mark.parametrize("points", [[], [(0.0, math.nan)]])
def test_of_nothing_there_is_no_chart(points: list[tuple[float, float]]) -> None:
    """Neither of no line, nor of no interval."""
    assert line_chart("x", "MB", [Curve("a", points)]) == ""
    assert bar_chart("x", [Bar("a", math.nan, 0.0, 1.0, "PASS")]) == ""


def test_a_flat_line_has_an_axis_around_it() -> None:
    """One value, even zero, divides by nothing."""
    for value in (0.0, 5.0, -1.0):
        assert "polyline" in line_chart("x", "MB", [Curve("a", [(0.0, value), (1.0, value)])])


def test_text_and_json_say_the_same() -> None:
    """Every part's arithmetic is in the text; numbers that are not finite are null in JSON."""
    found = validation()
    text = "\n".join(line.text for line in validation_lines(found))
    assert text.count("1 < 2") == len(CHECKS)
    assert "roll back: because node-1" in text
    parts = validation_data(found)["checks"][0]["parts"]
    assert [part["high"] for part in parts] == [1.5, None, None, None]
    assert parts[3]["value"] is None
