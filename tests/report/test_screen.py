"""Lines on a real terminal: a pseudo-terminal of 40 columns, and a pipe."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

PROGRAM = """
from runbook.cli.screen import show
from runbook.report.lines import Line, Style, line
show([
    Line(
        (("YES      ", Style.BAD), ("Concept formation spikes   412 concepts/min > 3 x baseline 96.0", Style.PLAIN)),
        2,
        11,
    ),
    line("short", Style.GOOD),
    line(""),
    line("https://node-17.example.org:8443/a/path/that/is/longer/than/any/narrow/terminal", Style.FAINT, indent=4),
    line("x" * 39 + " y", indent=0, hang=90),
])
"""
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(columns: int, **environment: str) -> list[str]:
    """What the program shows on a terminal that is so wide."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "NO_COLOR"}}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**clean, "TERM": "xterm", **environment},
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:  # how Linux says that the other end is closed
            pass
        os.close(ours)
        assert process.stderr is not None
        problems = process.stderr.read()
    assert process.returncode == 0, problems.decode()
    return shown.decode().split("\r\n")


def test_a_narrow_terminal_gets_folded_lines_that_hang() -> None:
    """Nothing is wider than the terminal, and nothing is lost."""
    lines = [ESCAPES.sub("", line) for line in on_terminal(40)]
    assert max(map(len, lines)) <= 40
    assert lines[0].startswith("  YES      Concept formation spikes")
    assert lines[1].startswith(" " * 13)
    words = " ".join(" ".join(lines).split())
    assert "412 concepts/min > 3 x baseline 96.0" in words
    assert "short" in lines
    assert "" in lines
    assert "https://node-17.example.org:8443/a/path/that/is/longer" in "".join(line.strip() for line in lines)


@pytest.mark.parametrize("columns", [1, 10, 40])
def test_a_terminal_narrower_than_forty_is_taken_for_forty(columns: int) -> None:
    """Below that words would not fit."""
    assert [ESCAPES.sub("", line) for line in on_terminal(columns)] == [
        ESCAPES.sub("", line) for line in on_terminal(40)
    ]


def test_a_wide_terminal_gets_each_line_whole_and_in_colour() -> None:
    """The answer in red, the rest plain."""
    lines = on_terminal(200)
    assert (
        lines[0] == "  \x1b[31m\x1b[1mYES\x1b[0m      Concept formation spikes   412 concepts/min > 3 x baseline 96.0"
    )
    assert len(lines) == 6


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_colour_gets_none(environment: dict[str, str]) -> None:
    """https://no-color.org, and terminals that cannot."""
    assert "\x1b" not in "".join(on_terminal(40, **environment))


def test_a_pipe_gets_each_line_whole_and_plain() -> None:
    """For grep."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == ("  YES      Concept formation spikes   412 concepts/min > 3 x baseline 96.0")
    assert "\x1b" not in done.stdout
