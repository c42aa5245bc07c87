"""The screen: the product on stdout, the talk on stderr; colour and bars only on a terminal; NO_COLOR is honoured."""

import json
import os
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TextIO

import click

from runbook.report.lines import Line, Style, printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_COLOURS: dict[Style, dict[str, Any]] = {
    Style.PLAIN: {},
    Style.GOOD: {"fg": "green"},
    Style.BAD: {"fg": "red", "bold": True},
    Style.UNSURE: {"fg": "yellow"},
    Style.STRONG: {"bold": True},
    Style.FAINT: {"dim": True},
}
NARROWEST = 40


def coloured(stream: TextIO) -> bool:
    """Is it a terminal that may show colour (https://no-color.org)?"""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show(lines: Iterable[Line]) -> None:
    """Print lines on stdout, folded to the terminal's width; to a file or a pipe they go unfolded."""
    width = max(_columns(), NARROWEST) if sys.stdout.isatty() else None
    colour = coloured(sys.stdout)
    for line in map(_harmless, lines):
        for text in _folded(line, width):
            click.echo(_painted(line, text) if colour else text)


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns


def _harmless(line: Line) -> Line:
    return Line(tuple((printable(text), style) for text, style in line.spans), line.indent, line.hang)


def _folded(line: Line, width: int | None) -> list[str]:
    if width is None or len(line.text) <= width:
        return [line.text]
    rest = " " * min(line.indent + line.hang, width // 2)
    import textwrap

    return textwrap.wrap(line.text, width, subsequent_indent=rest, break_on_hyphens=False, drop_whitespace=True)


def _painted(line: Line, text: str) -> str:
    """Paint the spans that stand whole in this part of the line; a folded span stays plain."""
    painted, place = "", 0
    for span, style in line.spans:
        found = text.find(span.strip(), place) if span.strip() else -1
        if found >= 0 and _COLOURS[style]:
            end = found + len(span.strip())
            painted += text[place:found] + click.style(text[found:end], **_COLOURS[style])
            place = end
    return painted + text[place:]


def show_json(document: dict[str, Any]) -> None:
    """Print one JSON document on stdout."""
    import orjson

    try:
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:  # half a surrogate pair in some peer's words: the report is worth more than they are
        text = json.dumps(document, indent=2)
    click.echo(text)


def show_json_line(document: dict[str, Any]) -> None:
    """Print one JSON document on one line, at once: a reader takes them as they come."""
    click.echo(json.dumps(document))
    sys.stdout.flush()


class ScreenTalk:
    """The port `Talk` on stderr: lines, and a bar with the time left where stderr is a terminal."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._label = ""

    def say(self, text: str) -> None:
        """One line; it stands above a bar."""
        text = printable(text)
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            click.echo(text, err=True)

    def progress(self, label: str, done: float, total: float) -> None:
        """Move the bar; without a terminal one line when a label begins."""
        if not sys.stderr.isatty():
            if label != self._label:
                self._label = label
                click.echo(f"{label} for up to {total:.0f} s", err=True)
        elif done >= total:
            self.close()
        else:
            self._move(label, done, total, f"{max(total - done, 0):.0f} s left")
        if done >= total:
            self._label = ""

    def _move(self, label: str, done: float, total: float | None, left: str) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"))
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(label, total=total, left="")
            self._bar.start()
        if self._task is not None:
            self._bar.update(self._task, description=label, completed=done, total=total, left=left)

    def close(self) -> None:
        """End the bar, if there is one."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
