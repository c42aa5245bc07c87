"""The runner of commands, and the summary: how many points each sweep went through."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from killing import ALL, HERE, Runner, runner

FOLDERS = (HERE.parent, *(HERE.parent / name for name in ("archive", "engine")))
"""Whose records and nodes are used here too."""
sys.path += map(str, FOLDERS)

REPORTED = "faults"


def in_memory() -> AbstractContextManager[str]:
    """A folder in memory, where there is one: what counts is which calls are made, not what a disk does with them."""
    memory = Path("/dev/shm")  # noqa: S108 - a private folder in it
    return tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="runbook-faults-")


@pytest.fixture(scope="session")
def forks() -> Iterator[Runner]:
    """The process that forks commands, one for all tests of a worker."""
    with in_memory() as folder, runner(Path(folder), *FOLDERS) as started:
        yield started


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in which thousands of states are put, one after the other."""
    with in_memory() as folder:
        yield Path(folder)


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[object], None]:
    """Have a line in the summary."""
    return lambda line: record_property(REPORTED, str(line))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line per sweep; with several processes their reports come here too."""
    told = [
        line
        for reports in terminalreporter.stats.values()
        for each in reports
        if isinstance(each, pytest.TestReport) and each.when == "call"
        for name, line in each.user_properties
        if name == REPORTED
    ]
    if told:
        terminalreporter.section("faults: every point" if ALL else "faults: sampled points (make faults: all)")
        for line in sorted(told):
            terminalreporter.line(line)
