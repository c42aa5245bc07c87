"""What is particular to Ansible: secrets, environments, interruptions, and what is left behind."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_fleet import CANARY, Fleet, closed_port, running_fleet
from misbehaving_peer import answer, listening, silence

from runbook.adapters.ansible import AnsiblePlays, environment, folder
from runbook.errors import InterruptedRunError, NotSupportedError, UsageError
from runbook.material import playbook
from runbook.model.play import HostState, PlayRequest, PlayResult
from runbook.model.settings import Value

KEY = "dual_memory.concept_sample_rate"
HOSTS = ("node-1", "node-2", "node-3")

RUN_ONE = """
import sys
from pathlib import Path
from runbook.adapters.ansible import AnsiblePlays
from runbook.errors import RunbookError
from runbook.model.play import PlayRequest
inventory, host, value, mark = sys.argv[1:]
request = PlayRequest("set_config", (host,), "dual_memory.concept_sample_rate", {host: float(value)}, mark)
try:
    print(AnsiblePlays(Path(inventory)).run(request, lambda line: None).hosts[0].state.value)
except RunbookError as error:
    print(type(error).__name__, error, error.hint)
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Three living nodes."""
    with running_fleet(tmp_path_factory.mktemp("fleet"), HOSTS) as running:
        yield running


@pytest.fixture
def mark() -> str:
    """One that no other play has."""
    return f"test-{uuid.uuid4()}"


def run(fleet: Fleet, mark: str, values: dict[str, Value], playbook: str = "set_config", **more: Any) -> PlayResult:
    """One play on the fleet."""
    request = PlayRequest(playbook, tuple(values), more.pop("key", KEY), values, mark, **more)
    return AnsiblePlays(fleet.inventory).run(request, lambda _line: None)


def processes(mark: str) -> dict[int, bytes]:
    """Command line and environment of each process of the play."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            variables = (place / "environ").read_bytes()
            if f"RUNBOOK_PLAY={mark}".encode() in variables.split(b"\0"):
                found[int(place.name)] = (place / "cmdline").read_bytes() + b"\n" + variables
        except OSError:
            continue  # gone meanwhile, or someone else's
    return found


def leftovers(mark: str) -> list[Path]:
    """Folders of the play."""
    places = {folder.SHARED_MEMORY, Path(tempfile.gettempdir())}
    return [path for place in places for path in place.glob(f"{folder._prefix(mark)}*")]


def inventory_of(place: Path, url: str) -> Path:
    """An inventory with one host at that address."""
    path = place / "inventory.yml"
    path.write_text(f"all: {{hosts: {{one: {{engram_url: '{url}'}}}}}}\n", encoding="utf-8")
    return path


def start_hanging_play(inventory: Path, mark: str) -> "subprocess.Popen[str]":
    """A play in a process of its own."""
    command = [sys.executable, "-c", RUN_ONE, str(inventory), "one", "0.05", mark]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def by_hand(fleet: Fleet, name: str, variables: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """What a person without `runbook` would type."""
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", fleet.inventory, playbook(name), "-e", variables]
    clean = {**os.environ, "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"}
    return subprocess.run([*command, *options], env=clean, capture_output=True, text=True, check=False)


def test_by_hand_check_predicts_and_changes_nothing(fleet: Fleet) -> None:
    """--check --diff shows the old and the new value; then it is done; then there is nothing left to do."""
    fleet.put(KEY, 0.1)
    wish = f'{{"key": "{KEY}", "value": 0.05}}'
    foreseen = by_hand(fleet, "set_config", wish, "--check", "--diff")
    assert "-0.1\n+0.05\n" in foreseen.stdout
    assert foreseen.stdout.count("changed=1") == 3
    assert fleet.value("node-1", KEY) == 0.1
    assert by_hand(fleet, "set_config", wish).stdout.count("changed=1") == 3
    assert fleet.value("node-3", KEY) == 0.05
    again = by_hand(fleet, "set_config", wish, "-vvvv")
    assert again.stdout.count("changed=0") == 3
    assert CANARY not in foreseen.stdout + again.stdout + again.stderr


def test_by_hand_values_go_back_host_by_host(fleet: Fleet) -> None:
    """Texts of the command line are read as the numbers that they are; hosts that are not named are skipped."""
    fleet.put(KEY, 0.1)
    assert by_hand(fleet, "set_config", f"key={KEY} value=0.05").returncode == 0
    back = f'{{"key": "{KEY}", "value_by_host": {{"node-1": 0.3, "node-2": 0.4}}, "expected": 0.05}}'
    assert by_hand(fleet, "restore_config", back).returncode == 0
    assert [fleet.value(host, KEY) for host in HOSTS] == [0.3, 0.4, 0.05]
    missing = by_hand(fleet, "restore_config", f'{{"key": "{KEY}"}}')
    assert "no value for this host" in missing.stdout


def test_the_way_over_the_command_is_the_same(fleet: Fleet, mark: str) -> None:
    """`engram config get|set`, without a shell; types and refusals come through."""
    fleet.put(KEY, 0.1)
    fleet.write_inventory(
        engram_way="cli",
        engram_command=[sys.executable, "-m", "runbook.sandbox.engram_command"],
        ansible_python_interpreter=sys.executable,
    )
    try:
        check = by_hand(fleet, "set_config", f'{{"key": "{KEY}", "value": 0.05}}', "--check", "--limit", "node-1")
        assert "changed=1" in check.stdout, check.stdout
        assert fleet.value("node-1", KEY) == 0.1
        (done,) = run(fleet, mark, {"node-1": 0.05}).hosts
        assert (done.state, done.old, done.read_back) == (HostState.CHANGED, 0.1, 0.05)
        (flag,) = run(fleet, mark, {"node-1": False}, "set_features", key="dual_memory.enable_concepts").hosts
        assert (flag.state, flag.old, flag.read_back) == (HostState.CHANGED, True, False)
        (refused,) = run(fleet, mark, {"node-1": 7.0}).hosts
        assert refused.state is HostState.FAILED
        assert "out of range" in refused.message
        (unknown,) = run(fleet, mark, {"node-1": 7}, key="no.such").hosts
        assert "not supported by this node" in unknown.message
        salt = "dual_memory.treatment_salt"
        (text,) = run(fleet, mark, {"node-1": "a; $HOME `id` {{ 1 }}"}, key=salt).hosts
        assert text.read_back == fleet.value("node-1", salt) == "a; $HOME `id` {{ 1 }}"
    finally:
        fleet.write_inventory()
        fleet.ask("node-1", "/features", "POST", {"dual_memory.enable_concepts": True})


def test_a_missing_command_is_not_supported(fleet: Fleet, mark: str) -> None:
    """Said of the node, not guessed."""
    fleet.write_inventory(engram_way="cli", engram_command="/no/such/engram", ansible_python_interpreter=sys.executable)
    try:
        (result,) = run(fleet, mark, {"node-1": 0.05}).hosts
    finally:
        fleet.write_inventory()
    assert (result.state, "cannot be run" in result.message) == (HostState.FAILED, True), result


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


def test_a_play_that_is_killed_says_which_hosts_it_is_sure_of(tmp_path: Path, mark: str) -> None:
    """Ansible is killed in the second wave: the first host is done, the second uncertain, the third not begun."""

    def kill(_peer: object, request: bytes) -> bytes:
        if b"/two/" not in request:
            return answer(200, {KEY: 0.05})
        for process in processes(mark):
            os.kill(process, signal.SIGKILL)
        return b""

    with listening(kill) as peer:
        inventory = tmp_path / "inventory.yml"
        hosts = ", ".join(f"{host}: {{engram_url: '{peer.url}/{host}'}}" for host in ("one", "two", "three"))
        inventory.write_text(f"all: {{hosts: {{{hosts}}}}}\n", encoding="utf-8")
        values: dict[str, Value] = dict.fromkeys(("one", "two", "three"), 0.05)
        request = PlayRequest("set_config", tuple(values), KEY, values, mark)
        result = AnsiblePlays(inventory).run(request, lambda _line: None)
    states = [host.state for host in result.hosts]
    assert states == [HostState.UNCHANGED, HostState.FAILED, HostState.NOT_REACHED]
    assert result.of("two").message == "Ansible ended before it said what came of it"
    assert result.of("three").message == "Ansible was killed before its turn"
    assert processes(mark) == {}


def test_a_group_is_not_a_host(fleet: Fleet, mark: str) -> None:
    """Its name passes for a host name, and its hosts must not be touched."""
    fleet.put(KEY, 0.1)
    with pytest.raises(UsageError, match="not in the inventory: all"):
        run(fleet, mark, {"all": 0.05})
    assert [fleet.value(host, KEY) for host in HOSTS] == [0.1] * 3


def test_when_this_tool_is_killed_its_play_can_be_ended(tmp_path: Path, mark: str) -> None:
    """Kill -9 in the middle: the play lives on, until it is ended by its mark; its folder goes too."""
    asked = threading.Event()

    def script(peer: Any, _request: bytes) -> Iterator[bytes]:
        asked.set()
        return silence(peer)

    with listening(script) as peer:
        with start_hanging_play(inventory_of(tmp_path, peer.url), mark) as process:
            assert asked.wait(30)
            process.kill()
        assert len(processes(mark)) >= 2
        assert leftovers(mark)
        plays = AnsiblePlays(tmp_path / "inventory.yml")
        assert plays.stop_orphans(mark) >= 2
        assert processes(mark) == {}
        assert leftovers(mark) == []
        assert plays.stop_orphans(mark) == 0


def test_ctrl_c_ends_the_play_and_everything_of_it(tmp_path: Path, mark: str) -> None:
    """Cancelled is stopped: no worker goes on changing nodes behind our back."""
    asked = threading.Event()

    def script(peer: Any, _request: bytes) -> Iterator[bytes]:
        asked.set()
        return silence(peer)

    with listening(script) as peer, start_hanging_play(inventory_of(tmp_path, peer.url), mark) as process:
        assert asked.wait(30)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
        assert output.startswith(InterruptedRunError.__name__)
        assert processes(mark) == {}
        assert leftovers(mark) == []


def test_what_a_dead_node_says_is_one_clear_sentence(tmp_path: Path, mark: str) -> None:
    """For the person on call."""
    inventory = inventory_of(tmp_path, f"http://127.0.0.1:{closed_port()}")
    request = PlayRequest("set_config", ("one",), KEY, {"one": 0.1}, mark)
    (result,) = AnsiblePlays(inventory).run(request, lambda _line: None).hosts
    assert result.state is HostState.UNREACHABLE
    assert result.message.startswith("no connection to 127.0.0.1:")
    assert result.message.endswith("Connection refused")
