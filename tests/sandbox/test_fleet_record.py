"""`fleet.json`: what is written comes back, and nothing else is believed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbook.errors import DamagedError, NotSupportedError, RefusedError, StorageError
from runbook.sandbox.fleet.down import down
from runbook.sandbox.fleet.folder import FleetFolder, write_file
from runbook.sandbox.fleet.processes import Process, boot_id
from runbook.sandbox.fleet.record import FleetRecord, FleetRequest, NodeRecord, load, save

GONE = Process(pid=2**22 - 1, start_ticks=5, boot=boot_id())
RECORD = FleetRecord(FleetRequest(nodes=1, traffic=2.5), (NodeRecord("node-1", GONE, 4711),), GONE, ready=True)


@pytest.fixture
def folder(tmp_path: Path) -> FleetFolder:
    """A state folder with a record in it."""
    folder = FleetFolder(tmp_path)
    folder.make()
    save(folder, RECORD)
    return folder


def test_a_record_comes_back_as_it_was_written(folder: FleetFolder) -> None:
    """For its owner's eyes only."""
    assert load(folder) == RECORD
    assert folder.record.stat().st_mode & 0o777 == 0o600
    assert folder.root.stat().st_mode & 0o777 == 0o700


def _set(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


HOSTILE = {
    "everybody": _set("nodes", 0, "process", "pid", value=-1),
    "own group": _set("nodes", 0, "process", "pid", value=0),
    "init": _set("nodes", 0, "process", "pid", value=1),
    "a bool": _set("load", "pid", value=True),
    "a text": _set("load", "pid", value="17"),
    "no number": _set("nodes", 0, "process", "start_ticks", value=None),
    "a path": _set("nodes", 0, "name", value="../../etc"),
    "a port": _set("nodes", 0, "port", value=70_000),
    "nodes": _set("nodes", value={"a": 1}),
    "nothing": _set("request", value=None),
    "traffic": _set("request", "traffic", value=[]),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_record_ends_nobody_and_is_kept(folder: FleetFolder, change: Callable[[Any], None]) -> None:
    """It is named as damaged."""
    document = json.loads(folder.record.read_text())
    change(document)
    folder.record.write_text(json.dumps(document))
    with pytest.raises(DamagedError, match=r"fleet\.json"):
        down(folder)
    assert folder.record.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 200_000, b'{"version": 1}'])
def test_garbage_is_named(folder: FleetFolder, content: bytes) -> None:
    """Whatever it is."""
    folder.record.write_bytes(content)
    with pytest.raises(DamagedError, match=r"fleet\.json"):
        load(folder)


def test_a_record_of_before_spaces_were_counted_has_ten_on_each_node(folder: FleetFolder) -> None:
    """A fleet that is up outlives an update of the tool."""
    document = json.loads(folder.record.read_text())
    del document["request"]["spaces"]
    for node in document["nodes"]:
        del node["space_count"]
    folder.record.write_text(json.dumps(document))
    found = load(folder)
    assert found is not None
    assert found.nodes[0].spaces == tuple(f"tenant-{number:03d}" for number in range(1, 11))


def test_a_record_of_a_later_version_is_not_guessed_at(folder: FleetFolder) -> None:
    """The tool that wrote it is asked for."""
    folder.record.write_text('{"version": 2}')
    with pytest.raises(NotSupportedError, match="version 2"):
        load(folder)


def test_a_fleet_of_before_a_reboot_is_recognised_and_removed(folder: FleetFolder) -> None:
    """No process of it runs; nobody is ended."""
    ended = down(folder)
    assert (ended.processes, ended.found) == (0, True)
    assert not folder.root.exists()
    assert down(folder).found is False


def test_a_link_in_the_place_of_the_fleet_is_refused(tmp_path: Path) -> None:
    """What it points to is not removed."""
    precious = tmp_path / "precious"
    precious.mkdir()
    folder = FleetFolder(tmp_path / "state")
    folder.state.mkdir()
    folder.root.symlink_to(precious)
    with pytest.raises(RefusedError, match="link"):
        down(folder)
    with pytest.raises(RefusedError, match="link"):
        folder.make()
    assert precious.exists()


def test_a_full_disk_is_a_storage_error(tmp_path: Path) -> None:
    """With what to do about it; the old file stands."""
    (tmp_path / "file").write_text("old")
    with pytest.raises(StorageError) as caught:
        write_file(tmp_path / "file" / "below", "new")
    assert caught.value.hint
    assert (tmp_path / "file").read_text() == "old"
