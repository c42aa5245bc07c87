"""The way over a settings file, on real nodes behind a real sshd: edited, restarted, read back, or put back."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import node_service
import pytest
import yaml
from file_nodes import SETTINGS, FileFleet, FileNode, is_root, running_file_fleet

from runbook.adapters.ansible import AnsiblePlays
from runbook.material import playbook
from runbook.model.play import HostResult, HostState, PlayRequest
from runbook.model.settings import Value

CONCEPTS = "dual_memory.enable_concepts"
WEIGHT = "dual_memory.semantic_weight"
EDITED = SETTINGS.replace("0.3", "0.5")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileFleet]:
    """One node behind sshd."""
    with running_file_fleet(tmp_path_factory.mktemp("files"), ["node-1"]) as fleet:
        yield fleet


@pytest.fixture
def files(running: FileFleet) -> FileFleet:
    """The same, as it was in the beginning."""
    running.write_inventory()
    running.nodes[0].reset()
    return running


@pytest.fixture
def one(files: FileFleet) -> FileNode:
    """Its only node."""
    return files.nodes[0]


def play(fleet: FileFleet, key: str, value: Value, expected: Value | None, **more: Any) -> HostResult:
    """The result of one real play on the only node."""
    kind = "features" if key == CONCEPTS else "config"
    request = PlayRequest(
        f"{more.get('verb', 'set')}_{kind}",
        ("node-1",),
        key,
        {"node-1": value},
        f"test-{os.getpid()}-{key}",
        None if expected is None else {"node-1": expected},
    )
    (result,) = AnsiblePlays(fleet.inventory).run(request, lambda _: None).hosts
    return result


def test_a_flag_is_changed_in_the_file_and_in_effect(files: FileFleet, one: FileNode) -> None:
    """One line of the file is another; comments, owner and mode stay; the process is a new one and says the value."""
    before, status = one.pid, one.file.stat()
    result = play(files, CONCEPTS, value=False, expected=True)
    assert (result.state, result.old, result.read_back) == (HostState.CHANGED, True, False), result.message
    assert one.file.read_text() == SETTINGS.replace("concepts = true ", "concepts = false ")
    after = one.file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (status.st_mode, status.st_uid, status.st_gid)
    assert [path.name for path in one.file.parent.iterdir()] == ["settings.toml"]
    assert one.pid != before
    assert one.value(CONCEPTS) == 0
    again = one.pid
    assert play(files, CONCEPTS, value=False, expected=True).state is HostState.UNCHANGED
    assert one.pid == again, "restarted for nothing"


def test_a_value_of_the_configuration_and_back(files: FileFleet, one: FileNode) -> None:
    """A key that the file does not have is added; a number comes back as a number."""
    result = play(files, "dual_memory.min_cluster_size", 7, 3)
    assert (result.state, result.old, result.read_back) == (HostState.CHANGED, 3, 7), result.message
    assert one.file.read_text() == f"{SETTINGS}min_cluster_size = 7\n"
    result = play(files, "dual_memory.min_cluster_size", 3, 7, verb="restore")
    assert (result.state, result.read_back) == (HostState.CHANGED, 3), result.message


def test_a_value_that_the_node_does_not_tell_is_proven_by_the_restart(files: FileFleet, one: FileNode) -> None:
    """Texts are in no metric: the file has it, and the process is younger than before."""
    one.file.write_text(f'{SETTINGS}treatment_salt = "one"\n')
    one.restart()
    before = one.pid
    result = play(files, "dual_memory.treatment_salt", "two", "one")
    assert (result.state, result.read_back) == (HostState.CHANGED, "two"), result.message
    assert one.pid != before


def test_a_server_that_does_not_start_with_it_gets_its_old_file_back(files: FileFleet, one: FileNode) -> None:
    """And is restarted with it: a change that fails does not leave a node down."""
    files.write_inventory(engram_start_seconds=10)
    (one.folder / "refuse").write_text("semantic_weight = 0.9")
    result = play(files, WEIGHT, 0.9, 0.3)
    assert (result.state, result.read_back) == (HostState.FAILED, 0.3), result.message
    assert "was restarted with it" in result.message
    assert (one.file.read_text(), one.value(WEIGHT)) == (SETTINGS, 0.3)


def test_a_server_that_ignores_the_file_has_failed(files: FileFleet, one: FileNode) -> None:
    """It restarts, and says the old value: the file is put back."""
    copy = one.folder / "copy.toml"
    copy.write_text(SETTINGS)
    (one.folder / "service.json").write_text(f'{{"port": {one.port}, "settings": "{copy}"}}')
    result = play(files, CONCEPTS, value=False, expected=True)
    assert (result.state, result.read_back) == (HostState.FAILED, True), result.message
    assert "the restarted server says true" in result.message
    assert one.file.read_text() == SETTINGS


def test_what_somebody_edited_and_did_not_restart_is_left_alone(files: FileFleet, one: FileNode) -> None:
    """A restart would bring it into effect behind everybody's back."""
    one.file.write_text(EDITED)
    result = play(files, WEIGHT, 0.9, 0.3)
    assert result.state is HostState.FAILED
    assert "0.5" in result.message
    assert (one.file.read_text(), one.value(WEIGHT)) == (EDITED, 0.3)


class Hosts:
    """Hosts of an inventory, each with a settings file of its own, all with the one server that is never restarted."""

    def __init__(self, fleet: FileFleet, folder: Path) -> None:
        self._fleet, self._folder = fleet, folder
        self.document = yaml.safe_load(fleet.inventory.read_text())["all"]
        (self._usual,) = self.document["hosts"].values()
        self.document["hosts"] = {}
        self.contents: dict[Path, str] = {}
        self.words: dict[str, str] = {}

    def add(self, name: str, words: str, content: str = SETTINGS, **variables: Any) -> Path:
        """One more, of which these words are said; its settings file."""
        file = self._folder / name / "settings.toml"
        file.parent.mkdir()
        file.write_text(content)
        self.contents[file], self.words[name] = content, words
        self.document["hosts"][name] = {**self._usual, "engram_settings_file": str(file), **variables}
        return file

    def play(self) -> dict[str, HostResult]:
        """All of them at once."""
        inventory = self._folder / "inventory.json"
        inventory.write_text(json.dumps({"all": self.document}))
        names = tuple(self.words)
        wanted, old = dict.fromkeys(names, False), dict.fromkeys(names, True)
        request = PlayRequest("restore_features", names, CONCEPTS, wanted, f"test-{os.getpid()}-hosts", old)
        return {result.host: result for result in AnsiblePlays(inventory).run(request, lambda _: None).hosts}


def test_what_goes_wrong_before_a_restart_leaves_file_and_server_as_they_were(
    files: FileFleet, one: FileNode, tmp_path: Path
) -> None:
    """Every host says its own reason, and none keeps another from it."""
    hosts, before = Hosts(files, tmp_path), one.pid
    as_it_was = "the settings file is as it was, and the server is well"
    hosts.add("no-script", as_it_was, engram_restart_command=[sys.executable, "/does/not/exist.py"])
    hosts.add("no-program", "cannot be run", engram_restart_command=["/does/not/exist"])
    hosts.add("edited", "0.5", EDITED)
    broken = hosts.add("broken", "is not TOML", "[dual_memory\n")
    hosts.add("no-sshd", "", ansible_port=9)
    become: dict[str, Any] = {"ansible_become": True, "ansible_become_user": "nobody"} if is_root() else {}
    read_only = hosts.add("read-only", "cannot be replaced: Permission denied", **become)
    hidden = hosts.add("hidden", "cannot be read: Permission denied", **become)
    for folder in read_only.parents:
        folder.chmod(folder.stat().st_mode | 0o011)  # pytest's folders are closed to others
    read_only.chmod(0o644)
    read_only.parent.chmod(0o555)
    hidden.parent.chmod(0o755)
    hidden.chmod(0o640 if is_root() else 0o000)
    found = hosts.play()
    hidden.chmod(0o640)
    unreachable = found.pop("no-sshd")
    assert (unreachable.state, unreachable.old) == (HostState.UNREACHABLE, None), unreachable
    for name, result in found.items():
        assert (result.state, hosts.words[name] in result.message) == (HostState.FAILED, True), result
    assert str(broken) in found["broken"].message
    assert as_it_was in found["no-program"].message
    assert {file: file.read_text() for file in hosts.contents} == hosts.contents
    assert (one.pid, one.value(CONCEPTS), one.value(WEIGHT)) == (before, 1, 0.3)


@pytest.mark.parametrize("wanted", [False, True])
def test_what_an_interruption_left_in_the_file_is_brought_to_an_end(
    files: FileFleet, one: FileNode, *, wanted: bool
) -> None:
    """Edited and not restarted: the same change restarts, and its undo puts the file back without a restart."""
    one.file.write_text(SETTINGS.replace("concepts = true ", "concepts = false "))
    before = one.pid
    result = play(files, CONCEPTS, wanted, expected=not wanted)
    assert (result.state, result.read_back) == (HostState.CHANGED, wanted), result.message
    assert one.value(CONCEPTS) == wanted
    assert (one.file.read_text() == SETTINGS) is wanted
    assert (one.pid == before) is wanted


def started_by_hand(fleet: FileFleet, name: str, *words: str) -> "subprocess.Popen[str]":
    """What a person without `runbook` would type."""
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", fleet.inventory, playbook(name), *words]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def by_hand(fleet: FileFleet, name: str, *words: str) -> str:
    """The same, up to its end, which must be a good one; what it says."""
    process = started_by_hand(fleet, name, *words)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


def test_a_server_in_the_middle_of_a_restart_is_waited_for(files: FileFleet, one: FileNode) -> None:
    """As an interrupted play leaves one, whose restart command runs on without it."""
    node_service.stop(one.folder)
    with socket.create_server(("127.0.0.1", one.port)) as door:
        door.settimeout(60)
        process = started_by_hand(files, "set_config", "-e", f"key={WEIGHT} value=0.5")
        door.accept()[0].close()  # the play has asked, in vain
    one.restart()
    said, _ = process.communicate(timeout=120)
    assert (process.returncode, one.value(WEIGHT)) == (0, 0.5), said


def test_the_emergency_brake_goes_this_way_too(files: FileFleet, one: FileNode) -> None:
    """Flag by flag, with a restart each; whatever else somebody edited does not stand in its way."""
    one.file.write_text(EDITED)
    by_hand(files, "emergency_rollback", "-e", "key=features")
    assert [one.value(key) for key in (CONCEPTS, "dual_memory.use_blended_recall", "dual_memory.enabled")] == [0, 0, 1]
    assert "use_blended_recall = false" in one.file.read_text()
    assert "enable_concepts = false" in one.file.read_text()
    assert one.value(WEIGHT) == 0.5


def test_by_hand_check_predicts_and_diff_shows(files: FileFleet, one: FileNode) -> None:
    """With plain ansible-playbook, texts of the command line read as what they are; the node is not restarted."""
    before = one.pid
    said = by_hand(files, "set_config", "-e", f"key={WEIGHT} value=0.9", "--check", "--diff")
    assert "-0.3\n+0.9\n" in said
    assert "changed=1" in said
    assert (one.file.read_text(), one.pid, one.value(WEIGHT)) == (SETTINGS, before, 0.3)
