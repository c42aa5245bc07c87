"""`runbook` on two servers without runtime settings, over a real sshd: set, undo, kill -9, sudo, a vault."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from end_to_end_fleet import Command, kill
from file_nodes import SETTINGS, FileFleet, is_root, running_file_fleet

WEIGHT = "dual_memory.semantic_weight"
CONCEPTS = "dual_memory.enable_concepts"
REASON = ("--yes", "--reason", "a test")
Wait = Callable[[Callable[[], bool], str], None]

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileFleet]:
    """Two nodes."""
    with running_file_fleet(tmp_path_factory.mktemp("files"), ["node-1", "node-2"]) as fleet:
        yield fleet


@pytest.fixture
def files(running: FileFleet) -> FileFleet:
    """The same, as they were in the beginning."""
    running.write_inventory()
    for node in running.nodes:
        node.reset()
    return running


@pytest.fixture
def command(files: FileFleet, tmp_path: Path) -> Command:
    """The real command in a fresh state folder that is also its current folder, with that fleet as its only target."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "runbook.toml").write_text(
        'version = 1\ndefault_target = "files"\n[targets.files]\nenvironment = "test"\n'
        f'inventory = "{files.inventory}"\n'
    )
    return Command(state)


def values(files: FileFleet, key: str) -> list[float]:
    """What the running nodes say."""
    return [node.value(key) for node in files.nodes]


def test_set_and_undo(command: Command, files: FileFleet) -> None:
    """In waves, read back, and byte for byte back again; what a server does not tell is left out and said."""
    pids = [node.pid for node in files.nodes]
    document = command.json("flags", "set", "enable_concepts", "false", *REASON)
    assert document["data"]["run"]["status"] == "done"
    assert values(files, CONCEPTS) == [0, 0]
    assert [node.pid for node in files.nodes] != pids
    assert "There is nothing to change" in command("flags", "set", "enable_concepts=false", *REASON).stdout
    command("undo", document["data"]["run"]["id"], "--yes")
    assert values(files, CONCEPTS) == [1, 1]
    assert [node.file.read_text() for node in files.nodes] == [SETTINGS, SETTINGS]
    assert command.json("flags", "drift")["data"]["drifts"] == []
    assert len(command.json("flags", "history", CONCEPTS)["data"]["changes"]) == 4
    assert "not tell" in command("config", "set", "treatment_salt", "x", *REASON, expect=17).stderr


def test_the_second_node_fails_and_the_first_goes_back(command: Command, files: FileFleet) -> None:
    """Its restart command is wrong: exit 14, both files and both nodes as they were."""
    second = files.nodes[1]
    inventory = json.loads(json.dumps(files.inventory.read_text()))
    files.inventory.write_text(inventory.replace(str(second.folder) + "\n", "/does/not/exist\n"))
    done = command("config", "set", "semantic_weight", "0.5", *REASON, expect=14)
    assert "the settings file is as it was" in done.stdout
    assert values(files, WEIGHT) == [0.3, 0.3]
    assert [node.file.read_text().replace(" 0.30", " 0.3") for node in files.nodes] == [SETTINGS, SETTINGS]


def test_killed_between_the_file_and_the_restart(command: Command, files: FileFleet, wait_for: Wait) -> None:
    """It is killed while the restart waits: the file is new, the node is old; resume brings it into effect on both."""
    first = files.nodes[0]
    (first.folder / "hold").touch()
    process = command.start("config", "set", "semantic_weight", "0.5", *REASON)
    held = first.folder / "held.pid"
    wait_for(held.exists, "the restart did not begin")
    kill(process)
    os.kill(int(held.read_text()), signal.SIGKILL)
    assert ("0.5" in first.file.read_text(), values(files, WEIGHT)) == (True, [0.3, 0.3])
    (first.folder / "hold").unlink()
    held.unlink()
    assert "was interrupted" in command("config", "set", "semantic_weight", "0.6", *REASON, expect=13).stderr
    run = json.loads(command("runs", "--last", "--json").stdout)["data"]["runs"][0]["id"]
    command("resume", run)
    assert values(files, WEIGHT) == [0.5, 0.5]
    assert all("semantic_weight = 0.5\n" in node.file.read_text() for node in files.nodes)
    command("undo", run, "--yes")
    assert [node.file.read_text() for node in files.nodes] == [SETTINGS, SETTINGS]


def encrypted(text: str, password_file: Path) -> str:
    """The text as Ansible's vault has it in an inventory."""
    words = [
        str(Path(sys.executable).parent / "ansible-vault"),
        "encrypt_string",
        "--vault-password-file",
        str(password_file),
        text,
    ]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout


def test_sudo_with_its_password_in_a_vault(command: Command, files: FileFleet, tmp_path: Path) -> None:
    """`ansible_become_password` is encrypted: without the vault's password nothing is touched, with it sudo is used.

    What is read needs no password: a vaulted inventory can be diagnosed by whoever may not change anything.
    """
    password = command.state / "vault.password"
    password.write_text("correct horse\n")
    password.chmod(0o600)
    vaulted = encrypted("not the password of anybody", password)
    become: dict[str, Any] = {"ansible_become": is_root(), "ansible_become_method": "sudo"}
    files.write_inventory(**become)
    place = "  vars:\n"
    text = files.inventory.read_text()
    assert place in text
    indented = "\n".join(
        f"      {line.strip()}" if number else line for number, line in enumerate(vaulted.splitlines())
    )
    files.inventory.write_text(text.replace(place, f"{place}    ansible_become_password: {indented}\n"))
    assert command.json("flags", "get")["data"]["silent"] == []
    done = command.run("flags", "set", "enable_concepts", "false", *REASON)
    assert done.returncode in {14, 17}, done
    assert "vault" in (done.stdout + done.stderr).lower()
    assert [node.file.read_text() for node in files.nodes] == [SETTINGS, SETTINGS]
    done = command.run(
        "flags",
        "set",
        "enable_concepts",
        "false",
        *REASON,
        environment={"ANSIBLE_VAULT_PASSWORD_FILE": "vault.password"},
    )
    assert done.returncode == 0, done
    assert values(files, CONCEPTS) == [0, 0]
    assert "anybody" not in done.stdout + done.stderr + (command.state / "journal.jsonl").read_text()
