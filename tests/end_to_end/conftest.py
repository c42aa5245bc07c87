"""Fixtures of the end-to-end tests."""

import time
from collections.abc import Callable, Iterator

import pytest
from end_to_end_fleet import Command, sick_fleet, well_fleet


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """One sick node, for tests that leave it as they found it."""
    with sick_fleet(tmp_path_factory.mktemp("state"), 1) as command:
        yield command


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Two nodes with a baseline and traffic."""
    with well_fleet(tmp_path_factory.mktemp("state"), 2) as command:
        yield command


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """One node with a baseline and traffic, where a second one would prove nothing more."""
    with well_fleet(tmp_path_factory.mktemp("state"), 1) as command:
        yield command


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool], str], None]:
    """Wait for a condition, at most a minute."""

    def wait(condition: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < until, what
            time.sleep(0.05)

    return wait


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[object], None]:
    """Have a line in the summary, which `tests/conftest.py` prints."""
    return lambda line: record_property("production", str(line))
