"""The plays of a splitter through Ansible: what comes back of a host is as from a node, in the same words."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.engram.ops.plugins.action import splitter as action
from ansible_collections.engram.ops.plugins.module_utils.split_nginx import ask
from ansible_collections.engram.ops.plugins.module_utils.split_values import FIRST, RATE, SALT, SPACES
from ansible_collections.engram.ops.plugins.plugin_utils.problems import WayError
from ansible_collections.engram.ops.plugins.plugin_utils.splitter_way import SplitterWay
from nginx_server import nginx
from peers import closed_port

from runbook.adapters.ansible import AnsiblePlays
from runbook.material import playbook
from runbook.model.play import HostResult, HostState, PlayRequest, TogetherRequest
from runbook.model.settings import Value

HOST, NODE = "split-1", "node-1"


class Splitter:
    """One splitter of an inventory that has a node too."""

    def __init__(self, inventory: Path, listen: str) -> None:
        self.inventory, self._listen, self.reloads = inventory, listen, inventory.with_name("reloads")

    @property
    def values(self) -> dict[str, Any]:
        """What the running nginx splits by."""
        return dict(ask(self._listen).values)

    def play(self, name: str, key: str, value: Value, expected: Value | None = None) -> HostResult:
        """One of the two plays, as a run has it played."""
        old = None if expected is None else {HOST: expected}
        request = PlayRequest(name, (HOST,), key, {HOST: value}, f"test-{os.getpid()}", old)
        return AnsiblePlays(self.inventory).run(request, lambda _: None).of(HOST)

    def back(self, values: Mapping[str, Value]) -> dict[str, HostResult]:
        """What a rollout's way back plays; the result by setting."""
        by_host = {key: {HOST: value} for key, value in values.items()}
        request = TogetherRequest("restore_split", by_host, f"test-{os.getpid()}")
        found = AnsiblePlays(self.inventory).run_together(request, lambda _: None)
        return {key: host for key, (host,) in found.items()}

    def by_hand(self, name: str, *words: str) -> str:
        """What a person sees who plays it."""
        command = [Path(sys.executable).parent / "ansible-playbook", "-i", self.inventory, playbook(name), *words]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def splitter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Splitter]:
    """It was never set up."""
    folder, listen = tmp_path_factory.mktemp("nginx"), f"127.0.0.1:{closed_port()}"
    with nginx(folder) as server:
        variables = server.variables([{"listen": listen, "control": ["http://127.0.0.1:1"]}])
        counting = 'echo once >> "$0"; exec "$@"'  # each reload leaves a line in the file `reloads`
        reload = ["sh", "-c", counting, str(folder / "reloads"), *server.command("-s", "reload")]
        variables["engram_splitter_reload_command"] = reload
        hosts = {HOST: {"ansible_connection": "local", **variables}, NODE: {"engram_url": "http://127.0.0.1:1"}}
        (folder / "inventory.yml").write_text(json.dumps({"all": {"hosts": hosts}}))  # JSON is YAML
        yield Splitter(folder / "inventory.yml", listen)


def test_the_first_play_by_hand_sets_it_up_and_check_touches_nothing(splitter: Splitter) -> None:
    """Several settings go at once, and the others are nobody treated; a node of the inventory is passed over."""
    words = ("-e", "treatment_rate=0.05", "-e", '{"treatment_spaces": ["a", "b"]}')
    told = splitter.by_hand("split_traffic", "--check", "--diff", *words)
    assert '"dual_memory.treatment_rate": 0.05' in told
    assert "+    5.00% treatment;" in told
    assert splitter.values == {}
    told = splitter.by_hand("split_traffic", *words)
    assert "changed=1" in told
    assert "skipped=1" in told
    assert splitter.values == {RATE: 0.05, SALT: FIRST[SALT], SPACES: ["a", "b"]}


def test_a_run_changes_one_setting_and_puts_it_back(splitter: Splitter) -> None:
    """Old and new value come back as of a node; what someone else changed is a conflict, what is hostile refused."""
    found = splitter.play("split_traffic", SPACES, ("c",), expected=("a", "b"))
    assert (found.state, found.old, found.read_back) == (HostState.CHANGED, ("a", "b"), ("c",))
    found = splitter.play("restore_split", RATE, 0.0, expected=0.25)
    assert (found.state, found.old) == (HostState.FAILED, 0.05)
    assert "neither 0.25, as expected, nor 0.0" in found.message
    found = splitter.play("split_traffic", SALT, "'; } server { listen 1; ")
    assert (found.state, "is refused" in found.message) == (HostState.FAILED, True)
    found = splitter.play("restore_split", SPACES, ("b", "c"), expected=("c",))
    assert (found.state, found.read_back) == (HostState.CHANGED, ("b", "c"))
    assert splitter.values == {RATE: 0.05, SALT: FIRST[SALT], SPACES: ["b", "c"]}


def test_the_way_back_takes_share_and_named_spaces_at_once_and_reloads_once(splitter: Splitter) -> None:
    """One play; old and new value of each are told; the salt stays."""
    splitter.reloads.write_text("")
    found = splitter.back({RATE: 0.0, SPACES: ()})
    assert {key: (host.state, host.old, host.read_back) for key, host in found.items()} == {
        RATE: (HostState.CHANGED, 0.05, 0.0),
        SPACES: (HostState.CHANGED, ("b", "c"), ()),
    }
    assert splitter.values == {RATE: 0.0, SALT: FIRST[SALT], SPACES: []}
    assert splitter.reloads.read_text() == "once\n"


def test_a_play_on_nodes_passes_over_a_splitter(splitter: Splitter) -> None:
    """By hand, where nobody is named: a host of another kind in the inventory stops no wave."""
    words = ("--limit", HOST, "-e", '{"key": "dual_memory.semantic_weight", "value": 0.5}')
    assert "skipped=1" in splitter.by_hand("set_config", *words)


def test_the_way_back_leaves_its_file_where_nginx_is_down_and_says_that_nothing_was_read_back(tmp_path: Path) -> None:
    """What stands in a file is no read-back; started again, nginx treats nobody."""
    listen = f"127.0.0.1:{closed_port()}"
    with nginx(tmp_path) as server:
        variables = server.variables([{"listen": listen, "control": ["http://127.0.0.1:1"]}])
        inventory = {"all": {"hosts": {HOST: {"ansible_connection": "local", **variables}}}}
        (tmp_path / "inventory.yml").write_text(json.dumps(inventory))
        found = Splitter(tmp_path / "inventory.yml", listen)
        assert found.play("split_traffic", RATE, 0.25).state is HostState.CHANGED
    backs = found.back({RATE: 0.0, SPACES: ()})
    assert [(back.state, back.read_back) for back in backs.values()] == [(HostState.FAILED, None)] * 2
    assert all("THE NEW FILE STAYS" in back.message for back in backs.values())
    with nginx(tmp_path):
        assert found.values[RATE] == 0.0
        assert found.play("restore_split", RATE, 0.0).state is HostState.UNCHANGED


def test_on_the_way_back_a_change_in_between_is_no_reason_to_stop() -> None:
    """A stage that is entered in that moment: what it set is looked at, and goes back; elsewhere it is a conflict."""
    running = {"digest": "a", "values": {**FIRST, RATE: 0.1}}

    def host(arguments: dict[str, Any], _: bool) -> dict[str, Any]:  # noqa: FBT001 - as the way calls it
        if "values" not in arguments:
            return {"values": running["values"], "base": running["values"], "running": running["digest"]}
        if running["digest"] == "a":
            running.update(digest="b", values={**FIRST, RATE: 0.25, SPACES: ["ours"]})
        if arguments["expected_running"] != running["digest"]:
            return {"failed": True, "reason": "conflict", "msg": "it was changed since it was looked at"}
        return {"values": arguments["values"]}

    for tries in (1, 2):
        running.update(digest="a", values={**FIRST, RATE: 0.1})
        way = SplitterWay(host, {}, tries)
        assert way.read(RATE, 0.0) == 0.1
        if tries == 1:
            with pytest.raises(WayError, match="changed since"):
                way.write(RATE, 0.0)
            continue
        way.write(RATE, 0.0)
        assert (way.read(SPACES, []), way.read(RATE, 0.0), len(way.retries)) == (["ours"], 0.0, 1)


def wish(**given: Any) -> Any:
    """What the action makes of its options."""
    usual = {"key": "", "value": None, "expected": None, "settings": {}, "value_by_host": {}, "expected_by_host": {}}
    return action._wish({**usual, **given}, HOST)


def test_what_was_typed_is_read_as_the_setting_is() -> None:
    """On a command line everything is a text; what only nodes have is refused."""
    assert wish(key=RATE, value="0.05", expected=" 0 ").value == 0.05
    assert wish(key=SPACES, value="a, b").value == ["a", "b"]
    assert wish(key=SALT, value="5").value == "5"
    assert wish(settings={RATE: "1", SALT: None}).value == {RATE: 1}
    assert wish(value_by_host={HOST: {RATE: 0, SPACES: []}}).value == {RATE: 0, SPACES: []}
    with pytest.raises(WayError, match="several settings by name"):
        wish(value_by_host={HOST: 0.5})
    for refused in ({"key": "dual_memory.semantic_weight"}, {"settings": {"dual_memory.enabled": True}}):
        with pytest.raises(WayError, match="not for a splitter"):
            wish(**refused)
