"""Counting an access log: right numbers whatever lines there are, in memory that does not grow with it."""

import gzip
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from runbook.adapters.access import access_log, count_file
from runbook.errors import DamagedError, UsageError
from runbook.material import plugin
from runbook.model.access import AccessLog, Calls

READER = plugin("module_utils/access_log")
T = 1_000_000.0


def entry(space: str = "alpha", group: str = "control", at: float = T, call: str = "recall", **other: Any) -> bytes:
    """A line as nginx writes it."""
    usual = {"method": "GET", "status": "200", "seconds": 0.004, "upstream_status": "200", "upstream_seconds": "0.003"}
    return json.dumps({"time": at, "call": call, "space": space, "group": group, **usual, **other}).encode() + b"\n"


def counted(path: Path, *lines: bytes, since: float | None = None, until: float | None = None) -> AccessLog:
    """What is counted of a log of these lines."""
    path.write_bytes(b"".join(lines))
    return count_file(path, since, until)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the log lies, among other files."""
    (tmp_path / "split.log.bak").write_bytes(entry())
    (tmp_path / "split.logs").write_bytes(entry())
    return tmp_path / "split.log"


def test_recalls_and_errors_by_group_and_space(log: Path) -> None:
    """5xx are errors; those that no node answered are told apart; copies and other calls are no recalls."""
    found = counted(
        log,
        entry(at=T + 5),
        entry(status="503", upstream_status="503"),
        entry(status="502", upstream_status="502", upstream_seconds="-"),
        entry(status="404"),
        entry(group="treatment", at=T + 9),
        entry("beta", "treatment", status="504", upstream_status="502, 504", upstream_seconds="-, -"),
        entry(call="mirror"),
        entry(call="mirror", status="504", upstream_seconds="-"),
        entry(call="other", method="POST"),
        entry(call="other", status="500"),
    )
    alpha, beta = found.spaces
    assert (alpha.space, alpha.first, alpha.control, alpha.treatment) == ("alpha", T, Calls(4, 2, 1), Calls(1))
    assert (beta.control, beta.treatment) == (Calls(), Calls(1, 1, 1))
    assert (found.mirrored, found.other["control"], found.newest) == (Calls(2, 1), Calls(2, 1), T + 9)
    assert (found.lines, found.garbage, found.torn) == (10, 0, 0)


def test_only_the_span_counts(log: Path) -> None:
    """From its beginning on, and before its end."""
    lines = [entry(f"space-{number}", at=T + number) for number in range(5)]
    assert [each.space for each in counted(log, *lines, since=T + 1, until=T + 3).spaces] == ["space-1", "space-2"]
    assert counted(log, *lines, since=T + 100).newest is None


@pytest.mark.parametrize(
    "line",
    [
        b"127.0.0.1 - - [27/Nov/2026] GET /\n",
        b"\n",
        b"\x00\xff\xfe\n",
        b"[" * 30_000 + b"\n",
        b'{"time":1,"call":"recall"}\n',
        b"[1, 2]\n",
        b" " + entry().replace(b"1000000.0", b"1" + b"0" * 400),
        b'"text"\n',
        entry(group="admin"),
        entry(call="steal"),
        entry(status="2x0"),
        entry(status=200),
        entry(status="502", upstream_seconds=0.3),
        entry().replace(b'"alpha"', b"5"),
        entry().replace(b'"alpha"', b'{"a": 1}'),
        b"x" * (READER.LONGEST_LINE * 2 + 5) + b"\n",
    ],
)
def test_garbage_is_counted_and_hides_nothing(log: Path, line: bytes) -> None:
    """Lines before and behind it count."""
    found = counted(log, entry(), line, entry())
    assert (found.garbage, found.spaces[0].control.calls, found.lines) == (1, 2, 3)


def test_a_line_that_is_being_written_is_not_counted_yet(log: Path) -> None:
    """It is no garbage either."""
    found = counted(log, entry(), entry()[:-30])
    assert (found.torn, found.garbage, found.spaces[0].control) == (1, 0, Calls(1))


@pytest.mark.parametrize("space", ["", "a b", 'x"}', "a" * 129, "\u202e", "é", "a\nb", "<script>"])
def test_what_is_no_name_of_a_space_is_counted_without_its_text(log: Path, space: str) -> None:
    """Nothing that a client made up comes into a report."""
    found = counted(log, entry(space), entry(space, status="500"))
    assert (found.spaces, found.nameless["control"], found.garbage) == ((), Calls(2, 1), 0)


def test_rotated_files_count_once(log: Path) -> None:
    """By number, by date, zipped; those that ended before the span are not opened; one archive is cut off."""
    log.with_name("split.log.1").write_bytes(entry("one"))
    log.with_name("split.log.2.gz").write_bytes(gzip.compress(entry("two")))
    log.with_name("split.log.1.gz").write_bytes(gzip.compress(entry("one")))  # is being compressed
    log.with_name("split.log-20261127.gz").write_bytes(gzip.compress(entry("dated") * 2000)[:-20])
    log.with_name("split.log.3").write_bytes(entry("old"))
    os.utime(log.with_name("split.log.3"), (T - 9, T - 9))
    os.link(log.with_name("split.log.1"), log.with_name("split.log.4"))  # met twice, as while it is rotated
    found = counted(log, entry("now"), since=T - 5)
    calls = {each.space: each.control.calls for each in found.spaces}
    assert {name: calls[name] for name in ("one", "two", "now")} == {"one": 1, "two": 1, "now": 1}
    assert ("old" in calls, found.torn) == (False, 1)


def test_memory_does_not_grow_with_the_log_nor_with_made_up_names(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many spaces are told by name; the recalls of the others are added up."""
    monkeypatch.setattr(READER, "MOST_SPACES", 100)
    with log.open("wb") as file:
        for number in range(20_000):
            file.write(entry(f"made-up-{number}"))
    tracemalloc.start()
    found = count_file(log, None, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(found.spaces), found.unlisted["control"].calls) == (100, 19_900)
    assert peak < log.stat().st_size / 4


def test_a_log_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """There is none; it is a folder; or a pipe, for whose writer nobody waits."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "nothing.log", tmp_path, tmp_path / "pipe"):
        with pytest.raises(UsageError, match="cannot be read"):
            count_file(path, None, None)


@pytest.mark.parametrize(
    "change",
    [
        {"lines": -1},
        {"garbage": True},
        {"newest": float("nan")},
        {"mirrored": [1, 2, 3, 4]},
        {"mirrored": "12"},
        {"other": {"control": [1, 0]}},
        {"spaces": [["a", 1.0, 1, 0, 0, 0, 0]]},
        {"spaces": [["a\x1b[31m", 1.0, 1, 0, 0, 0, 0, 0]]},
        {"spaces": [[["a"], 1.0, 1, 0, 0, 0, 0, 0]]},
        {"spaces": 5},
    ],
)
def test_what_a_host_tells_is_read_strictly(change: dict[str, Any]) -> None:
    """It may be anything."""
    whole = READER.Counting().document()
    assert access_log("split-1", whole).lines == 0
    with pytest.raises(DamagedError, match="split-1"):
        access_log("split-1", {**whole, **change})
