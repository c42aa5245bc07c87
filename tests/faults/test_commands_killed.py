"""SIGKILL, and a refusing disk, at the system calls of the commands themselves, with a real node."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import deeds
import pytest
from archive_records import dual, episode, written
from killing import SCRATCH, Point, Runner, Scene, content, kill_everywhere, refuse_everywhere
from running_node import RunningNode, StartNode
from whole_data import activate, export, staged

from runbook.adapters.archives.exports import opened_export
from runbook.adapters.archives.verify import verify_backup

Report = Callable[[object], None]
QUIET = ("--progress", "none")
SCENES = ["runbook export", "runbook backup create", "runbook migrate -o", "runbook migrate -o, back"]


@pytest.fixture(scope="module")
def full_node(start_shared_node: StartNode) -> RunningNode:
    """A node that serves a small dual memory, and does nothing by itself."""
    node = start_shared_node(consolidation_seconds=3600.0)
    more = [episode(f"ep_{number}", activation=number / 10) for number in range(3, 9)]
    archive = written("dual_memory", [*dual()[:2], *more, *dual()[2:]])
    assert activate(node, staged(node, archive)).status == 200
    return node


@pytest.fixture
def before(tmp_path: Path, full_node: RunningNode) -> Path:
    """A folder with a configuration that names the node, and an archive of its data."""
    folder = tmp_path / "before"
    folder.mkdir()
    host = {"engram_url": full_node.url, "engram_token_file": str(full_node.token_file)}
    (folder / "prod.yml").write_text(json.dumps({"all": {"hosts": {"prod-1": host}}}))
    (folder / "runbook.toml").write_text(
        'version = 1\ndefault_target = "prod"\n[targets.prod]\nenvironment = "production"\ninventory = "prod.yml"\n'
    )
    (folder / "backup.json").write_bytes(export(full_node))
    return folder


def results(folder: Path) -> dict[str, bytes | None]:
    """What the command was asked for: everything with a final name, except the tool's own state."""
    return {
        name: _without_the_moment(name, data)
        for name, data in content(folder).items()
        if not any(part.startswith(".") or part in {"state", "xdg"} for part in Path(name).parts)
    }


def _without_the_moment(name: str, data: bytes | None) -> bytes | None:
    """A manifest names the end of the journal at its moment, and is named by its own hash."""
    if data is None or not name.endswith("MANIFEST.json"):
        return data
    return re.sub(rb'"(journal|sha256)": *("[0-9a-f]*"|\{[^}]*\})', b"", data)


def check(folder: Path) -> None:
    """Whatever has a final name reads strictly to its end, and the journal is sound."""
    for path in folder.iterdir():
        if path.suffix == ".json":
            with opened_export(path) as reader:
                reader.read()
    for path in (folder / "store").glob("*.backup"):
        assert verify_backup(path, 3).level == 3
    state = deeds.journal_in(folder).verify()
    assert state.sound, state


def scene_of(name: str, before: Path, forks: Runner) -> Scene:
    """The command, with its folder."""
    offline = ["runbook", "migrate", *QUIET, "--workers", "2", "--to"]
    commands = {
        "runbook export": ["runbook", "export", "--format", "dual_memory", "-o", "{}/out.json", *QUIET],
        "runbook backup create": ["runbook", "backup", "create", "--folder", "{}/store", *QUIET],
        "runbook migrate -o": [*offline, "single_memory", "--backup", "{}/backup.json", "-o", "{}/single.json"],
        "runbook migrate -o, back": [*offline, "dual_memory", "--backup", "{}/single.json", "-o", "{}/dual.json"],
    }
    environment = {"RUNBOOK_CONFIG": "{}/runbook.toml"}
    if name.endswith("back"):
        there = Scene("there", commands["runbook migrate -o"], before, check, results, environment=environment)
        ran = there.run(forks, before)
        assert ran.code == 0, ran.err
    early = results(before)

    def untouched(folder: Path) -> None:
        check(folder)
        assert early.items() <= results(folder).items(), "something earlier was touched"

    again = (0, 13) if "migrate" in name else (0,)  # it is there already, whole: the kill came after it
    more = {"environment": environment, "lenient": lenient, "done_again": again}
    return Scene(name, commands[name], before, untouched, results, **more)


def lenient(point: Point) -> bool:
    """What loses nothing when it fails: a file without a name, and what tidies up."""
    return f"/{SCRATCH}" in point.text or point.name in {"unlink", "unlinkat", "rmdir"}


@pytest.mark.parametrize("name", SCENES)
def test_a_killed_command_leaves_old_or_new_and_goes_on_to_the_same_end(
    forks: Runner, before: Path, report: Report, name: str
) -> None:
    """Nothing half has a final name; run again, it gives the very bytes of an uninterrupted run."""
    report(kill_everywhere(forks, scene_of(name, before, forks)))


@pytest.mark.parametrize("name", SCENES)
def test_a_command_whose_disk_refuses_says_so_and_costs_nothing_earlier(
    forks: Runner, before: Path, report: Report, name: str
) -> None:
    """Exit code 16 with a hint, at each call; never success after a failed sync."""
    report(refuse_everywhere(forks, scene_of(name, before, forks)))
