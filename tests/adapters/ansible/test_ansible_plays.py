"""What is particular to Ansible: secrets, environments, interruptions, and what is left behind."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from ansible_fleet import CANARY, Fleet, closed_port
from misbehaving_peer import answer, listening
from play_traces import HOSTS, KEY, RUN_ONE, inventory_of, leftovers, processes, run

from runbook.adapters.ansible import Access, AnsiblePlays, environment
from runbook.errors import ExitCode, InterruptedRunError, NotSupportedError, UsageError
from runbook.model.play import HostState, PlayRequest


def test_no_secret_is_anywhere_while_a_play_runs_nor_afterwards(
    tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the node's token nor what the caller's shell holds: in no process, no file, no result."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-environment")
    token = tmp_path / "token"
    token.write_text(CANARY, encoding="ascii")
    seen: dict[str, Any] = {}

    def script(_peer: object, request: bytes) -> bytes:
        seen["request"] = request
        seen["processes"] = processes(mark)
        seen["files"] = [path for place in leftovers(mark) for path in place.rglob("*") if path.is_file()]
        seen["contents"] = b"".join(path.read_bytes() for path in seen["files"])
        seen["modes"] = {place.stat().st_mode & 0o777 for place in leftovers(mark)}
        return answer(422, {"error": {"message": f"your token is {CANARY}"}})

    with listening(script) as peer:
        inventory = inventory_of(tmp_path, f"{peer.url}', engram_token_file: '{token.name}")
        lines: list[str] = []
        result = AnsiblePlays(inventory).run(PlayRequest("set_config", ("one",), KEY, {"one": 0.1}, mark), lines.append)
    assert CANARY.encode() in seen["request"]  # it did go where it belongs
    assert len(seen["processes"]) >= 2
    assert all(b"launcher.py" in words.partition(b"\n")[0] for words in seen["processes"].values())  # the cheaper start
    assert len(seen["files"]) >= 3
    assert seen["modes"] == {0o700}
    everything = b"".join(seen["processes"].values()) + seen["contents"] + repr(result).encode() + repr(lines).encode()
    assert b"canary" not in everything
    assert b"********" in everything
    assert leftovers(mark) == []
    assert processes(mark) == {}


def test_a_hostile_working_directory_and_a_bare_environment_do_no_harm(fleet: Fleet, mark: str, tmp_path: Path) -> None:
    """LC_ALL=C, no PATH to this Python, an ansible.cfg and a plugin folder that are someone else's."""
    fleet.put(KEY, 0.1)
    (tmp_path / "ansible.cfg").write_text("[defaults]\nforks = nonsense\ninventory = /nowhere\n", encoding="utf-8")
    bare = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "ANSIBLE_CONFIG": "ansible.cfg"}
    bare |= {"ANSIBLE_STRATEGY": "free", "AWX_LIB_DIRECTORY": "/nowhere", "ANSIBLE_CHECK_MODE_MARKERS": "x"}
    (tmp_path / ".ansible.cfg").write_text("[defaults]\nstrategy = nonsense\n", encoding="utf-8")
    command = [sys.executable, "-c", RUN_ONE, str(fleet.inventory), "node-1", "0.05", mark]
    done = subprocess.run(command, env=bare, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("changed\n", "")
    assert not (tmp_path / ".ansible").exists()


def become_nobody() -> list[str]:
    """The start of a command that runs as nobody, who may read what root may, since Python may be at home there."""
    tools = Path(sys.executable).parent
    if os.getuid() != 0 or not all(place.stat().st_mode & 1 for place in (tools, *tools.parents)):
        pytest.skip("only root can become someone without a home, and only where that one finds this Python")
    keep = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *keep]


def test_an_unwritable_home_does_no_harm(fleet: Fleet, mark: str) -> None:
    """As on a bastion, where the service account owns nothing: neither its home nor the inventory can be written."""
    become = become_nobody()
    fleet.put(KEY, 0.1)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "token").write_text(CANARY, encoding="ascii")
        inventory = inventory_of(place, f"{fleet.urls['node-1']}', engram_token_file: 'token")
        command = [*become, sys.executable, "-c", RUN_ONE, str(inventory), "one", "0.05", mark]
        done = subprocess.run(command, env={"HOME": "/root"}, cwd="/", capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("changed\n", "")


def test_without_ansible_nothing_is_touched(fleet: Fleet, mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing, and broken: each says what to do."""
    fleet.put(KEY, 0.1)
    with monkeypatch.context() as patch:
        patch.setattr(environment, "_search_path", lambda: "/nowhere")
        with pytest.raises(NotSupportedError, match="ansible-playbook was not found") as missing:
            run(fleet, mark, {"node-1": 0.05})
        assert "install" in missing.value.hint
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "ansible_runner.interface", None)
        with pytest.raises(NotSupportedError, match="ansible-runner cannot be loaded"):
            run(fleet, mark, {"node-1": 0.05})
    assert fleet.value("node-1", KEY) == 0.1
    assert leftovers(mark) == []


@pytest.mark.parametrize("script", ["exit 3", "echo Traceback; exit 1", "kill -9 $$"])
def test_a_broken_ansible_is_told_from_a_node_that_fails(
    fleet: Fleet, mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    """It ends before it begins: nothing was touched."""
    fake = tmp_path / "ansible-playbook"
    fake.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    fake.chmod(0o755)
    monkeypatch.setattr(environment, "_search_path", lambda: f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(NotSupportedError, match="nothing was touched"):
        run(fleet, mark, {"node-1": 0.05})


@pytest.mark.parametrize("content", ["{ not: yaml", "- a\n- b\n", "\x00\x01", "all: {hosts: 7}\n"])
def test_a_broken_inventory_is_said_so(tmp_path: Path, mark: str, content: str) -> None:
    """Ansible itself would only warn, and go on with no hosts."""
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="inventory"):
        AnsiblePlays(inventory).run(PlayRequest("set_config", ("a",), KEY, {"a": 1}, mark), print)


def test_an_inventory_that_is_not_there_is_said_so(tmp_path: Path, mark: str) -> None:
    """And one whose path Ansible would take for a list of hosts."""
    comma = tmp_path / "a,b"
    comma.touch()
    for path in (tmp_path / "absent", comma):
        with pytest.raises(UsageError, match=path.name):
            AnsiblePlays(path).run(PlayRequest("set_config", ("a",), KEY, {"a": 1}, mark), print)


def test_a_full_disk_stops_everything_before_it_begins(fleet: Fleet, mark: str) -> None:
    """No byte can be written: said so, nothing touched, nothing left."""
    fleet.put(KEY, 0.1)
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n{RUN_ONE}"
    command = [sys.executable, "-c", limited, str(fleet.inventory), "node-1", "0.05", mark]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("StorageError Ansible cannot work in"), done
    assert fleet.value("node-1", KEY) == 0.1
    assert leftovers(mark) == []


def test_a_group_is_not_a_host(fleet: Fleet, mark: str) -> None:
    """Its name passes for a host name, and its hosts must not be touched."""
    fleet.put(KEY, 0.1)
    with pytest.raises(UsageError, match="not in the inventory: all"):
        run(fleet, mark, {"all": 0.05})
    assert [fleet.value(host, KEY) for host in HOSTS] == [0.1] * 3


def test_what_a_dead_node_says_is_one_clear_sentence(tmp_path: Path, mark: str) -> None:
    """For the person on call."""
    inventory = inventory_of(tmp_path, f"http://127.0.0.1:{closed_port()}")
    request = PlayRequest("set_config", ("one",), KEY, {"one": 0.1}, mark)
    (result,) = AnsiblePlays(inventory).run(request, lambda _line: None).hosts
    assert result.state is HostState.UNREACHABLE
    assert result.message.startswith("no connection to 127.0.0.1:")
    assert result.message.endswith("Connection refused")


def test_the_targets_own_word_stands_in_for_a_silent_inventory(fleet: Fleet, tmp_path: Path, mark: str) -> None:
    """A token file named by the target, in runbook.toml, reaches the play; the inventory's own word wins over it."""
    fleet.put(KEY, 0.1)
    inventory = tmp_path / "silent.yml"
    inventory.write_text(f"all: {{hosts: {{one: {{engram_url: '{fleet.urls['node-1']}'}}}}}}", encoding="utf-8")
    token = tmp_path / "the target's token"
    token.write_text(CANARY, encoding="ascii")
    request = PlayRequest("set_config", ("one",), KEY, {"one": 0.05}, mark)
    (without,) = AnsiblePlays(inventory).run(request, lambda _line: None).hosts
    assert without.state is HostState.FAILED
    (with_it,) = AnsiblePlays(inventory, Access({"one": token})).run(request, lambda _line: None).hosts
    assert with_it.state is HostState.CHANGED
    assert fleet.value("node-1", KEY) == 0.05


def test_a_signal_whose_exception_was_lost_still_ends_the_play(fleet: Fleet, mark: str) -> None:
    """Python ignores what is raised in a destructor; the play asks whether a signal came."""
    request = PlayRequest("set_config", ("node-1",), KEY, {"node-1": 0.07}, mark)
    plays = AnsiblePlays(fleet.inventory, cancelled=lambda: ExitCode.TERMINATED)
    with pytest.raises(InterruptedRunError) as caught:
        plays.run(request, lambda _line: None)
    assert caught.value.code == ExitCode.TERMINATED
    assert processes(mark) == {}
