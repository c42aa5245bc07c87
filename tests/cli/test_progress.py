"""How far a long command is."""

import json
import os
import sys
from pathlib import Path

import pytest
from terminal import on_terminal

from runbook.cli.progress import Pace, ProgressTalk, Unit

Output = pytest.CaptureFixture[str]


class Clock:
    """Steady seconds, as the test says."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def told(capsys: Output) -> list[dict[str, object]]:
    """The progress that was told on stderr; stdout is the product's alone."""
    found = capsys.readouterr()
    assert found.out == ""
    return [json.loads(line)["progress"] for line in found.err.splitlines()]


def test_json_lines_tell_rate_and_seconds_left(capsys: Output) -> None:
    """A few a second, the first and the last always."""
    clock = Clock()
    with ProgressTalk("json", clock) as talk:
        talk.moved("export n1", 0, 1000)
        for hundredth in range(1, 100):
            clock.seconds = hundredth / 100
            talk.moved("export n1", hundredth * 10, 1000)
        clock.seconds = 1.0
        talk.moved("export n1", 1000, 1000)
    lines = told(capsys)
    assert [line["done"] for line in lines] == [0, 250, 500, 750, 1000]
    assert {line["rate"] for line in lines[1:]} == {1000.0}
    assert [line["seconds_left"] for line in lines] == [None, 0.8, 0.5, 0.2, 0.0]
    assert {line["unit"] for line in lines} == {"records"}


def test_a_total_that_nobody_knows_gives_no_time_left(capsys: Output) -> None:
    """But a rate."""
    clock = Clock()
    talk = ProgressTalk("json", clock)
    chunks = [b"x" * 100, b"y" * 200]
    for chunk in talk.counted("read", chunks):
        assert chunk in chunks
        clock.seconds += 1
    first, second = told(capsys)
    assert (first["done"], second["done"], second["total"], second["unit"]) == (100, 300, None, "bytes")
    assert (second["rate"], second["seconds_left"]) == (300.0, None)


@pytest.mark.parametrize("how", ["auto", "none"])
def test_without_a_terminal_nothing_is_told_unless_it_was_asked_for(how: str, capsys: Output) -> None:
    """A log is no place for a bar."""
    talk = ProgressTalk(how)
    talk.moved("export n1", 1, 2)
    talk.moved("export n1", 2, 2)
    assert told(capsys) == []


def test_a_pace_in_words() -> None:
    """Records as they are, bytes as MiB."""
    assert Pace(50, 100, 2.0).words(Unit.RECORDS) == "25 records/s, 2 s left"
    assert Pace(1 << 21, None, 1.0).words(Unit.BYTES) == "2.0 MiB/s"
    assert Pace(0, 100, 2.0).words(Unit.RECORDS) == ""


BAR = """
from runbook.cli.progress import ProgressTalk
seconds = iter(range(100))
with ProgressTalk("auto", lambda: next(seconds)) as talk:
    talk.moved("export n1", 0, 1000)
    talk.moved("export n1", 400, 1000)
    talk.say("above the bar")
    talk.moved("export n1", 1000, 1000)
"""


def test_a_terminal_has_a_bar_with_rate_and_time_left(tmp_path: Path) -> None:
    """What is said meanwhile stands above it, and nothing of it stays."""
    code, shown = on_terminal([sys.executable, "-c", BAR], os.environ | {"TERM": "xterm"}, tmp_path, columns=100)
    assert code == 0
    assert "500 records/s, 0 s left" in shown
    assert "above the bar" in shown
