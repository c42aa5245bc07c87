"""The runner of commands, and the summary: how many points each sweep went through."""

import sys
from collections.abc import Callable, Iterator

import pytest
from killing import ALL, HERE, Runner, runner

FOLDERS = (HERE.parent / "archive", HERE.parent / "sandbox")
"""Whose records and nodes are used here too."""
sys.path += map(str, FOLDERS)

REPORTED = "faults"


@pytest.fixture(scope="session")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """The process that forks commands, one for all tests of a worker."""
    with runner(tmp_path_factory.mktemp("forks"), *FOLDERS) as started:
        yield started


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
