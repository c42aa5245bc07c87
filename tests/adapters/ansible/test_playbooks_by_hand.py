"""What a person types without `runbook`, and the way over the node's own command."""

import os
import subprocess
import sys
from pathlib import Path

from ansible_fleet import CANARY, Fleet
from play_traces import HOSTS, KEY, run

from runbook.material import playbook
from runbook.model.play import HostState


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
