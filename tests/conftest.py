"""Real nodes for tests: each a process of its own, forked, on a free loopback port, stopped by its own pid."""

import gc
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
from forked import NODE, Forked
from running_node import RunningNode, StartNode, wait_until

START_SECONDS = 20.0
collect_ignore = [] if os.environ.get("BOOTED") else ["booted"]
"""`make booted` asks for them: they need root, and a systemd of their own."""


@contextmanager
def nodes_in(root: Path) -> Iterator[StartNode]:
    """A way to start nodes, `start(folder, *options, consolidation_seconds=0.1)`; all are ended at the end."""
    started: list[RunningNode] = []

    def start(
        folder: Path | None = None, *options: str, port: int = 0, consolidation_seconds: float = 0.1
    ) -> RunningNode:
        place = folder or root / f"node{len(started)}"
        (place / "port").unlink(missing_ok=True)
        log = root / f"{place.name}.{len(started)}.log"
        more = ["--consolidation-seconds", str(consolidation_seconds), *options]
        words = ["--folder", str(place), "--port", str(port), *more]
        with log.open("wb") as out, Path(os.devnull).open() as nothing:
            streams = (nothing.fileno(), out.fileno(), out.fileno())
            process = Forked(NODE, words, os.environ, Path(os.sep), *streams)
        node = RunningNode(process, place, 0, "", log)
        started.append(node)

        def listening() -> bool:
            if process.poll() is not None:
                pytest.fail(f"the node ended with {process.returncode}: {log.read_text()}")
            return (place / "port").exists()

        wait_until(listening, "the node did not start to listen", START_SECONDS)
        node.port = int((place / "port").read_text())
        node.token = node.token_file.read_text().strip()
        return node

    try:
        yield start
    finally:
        for node in started:
            node.kill()


@pytest.fixture
def start_node(tmp_path: Path) -> Iterator[StartNode]:
    """Start nodes of this test's own."""
    with nodes_in(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def start_shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartNode]:
    """Start nodes that the tests of a file share."""
    with nodes_in(tmp_path_factory.mktemp("shared")) as start:
        yield start


@pytest.fixture
def node(start_node: StartNode) -> RunningNode:
    """A fresh running node."""
    return start_node()


@pytest.fixture(scope="module")
def shared_node(start_shared_node: StartNode) -> RunningNode:
    """One running node for the tests of a file that leave nothing behind."""
    return start_shared_node()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: to look for garbage in it costs half of the time, then and at every look.

    Hypothesis comes before that: it is loaded at the end, too, and then asks the collector who knows a thing of trio's.
    """
    import_module("hypothesis")
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


STARTS_PROCESSES = {
    "ansible",
    "brake",
    "cli",
    "contract",
    "examples",
    "faults",
    "sandbox",
    "scenarios",
    "serve",
    "upstream",
}
"""Folders whose tests mostly wait for what they have started."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, files kept together: what waits does so while others run, what only computes fills the end."""

    def patience(item: pytest.Item) -> tuple[float, int]:
        allowed, real = item.get_closest_marker("timeout"), item.get_closest_marker("end_to_end")
        waits = not STARTS_PROCESSES.isdisjoint(item.path.parts)
        return (-allowed.args[0] if allowed else 0.0, 0 if real else 1 if waits else 2)

    longest: dict[Path, tuple[float, int]] = {}
    for item in items:
        longest[item.path] = min(patience(item), longest.get(item.path, (0.0, 2)))
    items.sort(key=lambda item: longest[item.path])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under CI everything must be there: a skip hides a missing part, so it is a failure."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under CI: {report.longrepr} ({item.nodeid}, {call.when})"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the end-to-end tests measured, for people; with several processes their reports come here too.

    It stands here, since whoever only hands out the tests to processes loads no conftest of a folder below.
    """
    told = [
        line
        for each in terminalreporter.getreports("passed")
        for name, line in each.user_properties
        if name == "production"
    ]
    if told:
        terminalreporter.section("production: from the fault to the verified rollback")
        for line in told:
            terminalreporter.line(str(line))
