"""SIGKILL, and a refusing disk, at the system calls of the commands themselves, with a real node."""

from collections.abc import Callable
from pathlib import Path

import pytest
from killing import Runner, Scene, kill_everywhere, refuse_everywhere
from node_scenes import ENVIRONMENT, OTHER, QUIET, Prepared, check, configured, fill, lenient, results, run
from running_node import RunningNode, StartNode
from whole_data import export

Report = Callable[[object], None]
OFFLINE = ("runbook", "migrate", *QUIET, "--workers", "2", "--to")
BACKUP = ("runbook", "backup", "create", "--folder", "{}/store", *QUIET)
TO_FILES = {
    "runbook export": ["runbook", "export", "--format", "dual_memory", "-o", "{}/whole.json", *QUIET],
    "runbook backup create": BACKUP,
    "runbook backup prune": [
        *("runbook", "backup", "prune", "--folder", "{}/store", "--apply"),
        *("--daily", "1", "--weekly", "0", "--monthly", "0"),
    ],
    "runbook migrate -o": [*OFFLINE, "single_memory", "--backup", "{}/backup.json", "-o", "{}/single.json"],
    "runbook migrate -o, back": [*OFFLINE, "dual_memory", "--backup", "{}/single.json", "-o", "{}/double.json"],
}
TO_A_NODE = {
    "runbook import": ["runbook", "import", "{}/other.json", "--reason", "a test", *QUIET],
    "runbook backup restore": [
        *("runbook", "backup", "restore", "--folder", "{}/store", "--reason", "a test"),
        *QUIET,
    ],
}


@pytest.fixture(scope="module")
def full_node(start_shared_node: StartNode) -> RunningNode:
    """A node that serves a small dual memory, and does nothing by itself."""
    node = start_shared_node(consolidation_seconds=3600.0)
    fill(node)
    return node


@pytest.fixture
def before(tmp_path: Path, full_node: RunningNode) -> Path:
    """A folder with a configuration that names the node."""
    configured(tmp_path / "before", full_node)
    return tmp_path / "before"


def to_files(name: str, before: Path, node: RunningNode, forks: Runner) -> Scene:
    """A command that leaves files, with what it starts from."""
    if name.endswith("back"):
        run(forks, before, *TO_FILES["runbook migrate -o"])
    kept = results(before)
    for number in range(3 if name.endswith("prune") else 0):
        node.remember(f"something else to keep, number {number}")
        earlier = set(results(before))
        run(forks, before, *BACKUP)
        kept = {each: data for each, data in results(before).items() if each not in earlier}  # the newest one alone

    def untouched(folder: Path) -> None:
        check(folder)
        assert kept.items() <= results(folder).items(), "something earlier was touched"

    again = (0, 13) if "migrate" in name else (0,)  # it is there already, whole: the kill came after it
    more = {"environment": ENVIRONMENT, "lenient": lenient, "done_again": again}
    return Scene(name, TO_FILES[name], before, untouched, results, **more)


def to_a_node(name: str, before: Path, node: RunningNode, forks: Runner) -> Scene:
    """A command that fills a generation of the node."""
    command, wanted = TO_A_NODE[name], OTHER
    if name.endswith("restore"):
        run(forks, before, *BACKUP)
        (backup,) = (before / "store").glob("*.backup")
        command, wanted = [*command, backup.name], export(node)
    prepared = Prepared(node, wanted)

    def whole(folder: Path) -> None:
        check(folder)
        prepared.check()

    more = {"environment": ENVIRONMENT, "lenient": lenient, "renew": prepared.renew, "patience": prepared.free}
    return Scene(name, command, before, whole, lambda _: prepared.found(), **more)


@pytest.mark.parametrize("name", TO_FILES)
def test_a_killed_command_leaves_old_or_new_and_goes_on_to_the_same_end(
    forks: Runner, before: Path, full_node: RunningNode, report: Report, name: str
) -> None:
    """Nothing half has a final name; run again, it gives the very bytes of an uninterrupted run."""
    report(kill_everywhere(forks, to_files(name, before, full_node, forks)))


@pytest.mark.parametrize("name", TO_FILES)
def test_a_command_whose_disk_refuses_says_so_and_costs_nothing_earlier(
    forks: Runner, before: Path, full_node: RunningNode, report: Report, name: str
) -> None:
    """Exit code 16 with a hint, at each call; never success after a failed sync."""
    report(refuse_everywhere(forks, to_files(name, before, full_node, forks)))


@pytest.mark.parametrize("name", TO_A_NODE)
def test_a_command_killed_while_it_fills_a_node_leaves_nothing_half_there(
    forks: Runner, before: Path, full_node: RunningNode, report: Report, name: str
) -> None:
    """What is served stays; what is prepared is whole or not there; run again, the command ends as it would have."""
    report(kill_everywhere(forks, to_a_node(name, before, full_node, forks)))


@pytest.mark.parametrize("name", TO_A_NODE)
def test_a_command_whose_disk_refuses_while_it_fills_a_node_says_so(
    forks: Runner, before: Path, full_node: RunningNode, report: Report, name: str
) -> None:
    """Exit code 16 with a hint; what is served stays."""
    report(refuse_everywhere(forks, to_a_node(name, before, full_node, forks)))
