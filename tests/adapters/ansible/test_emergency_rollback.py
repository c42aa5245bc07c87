"""The play of the emergency brake, typed by hand: everywhere at once, right under --check --diff.

The way over a settings file is in test_file_way.py.
"""

import sys
from collections.abc import Iterator

import pytest
import yaml
from ansible_fleet import CANARY, Fleet, closed_port
from peers import Peer, http
from play_traces import HOSTS
from test_playbooks_by_hand import by_hand

from runbook.model.brake import FLAGS, Rollback

FULL = FLAGS[Rollback.FULL]
ENABLED = FULL[2]
COMMAND = [sys.executable, "-m", "runbook.sandbox.engram_command"]


@pytest.fixture(autouse=True)
def _all_on(fleet: Fleet) -> Iterator[None]:
    """Before and after each test every flag is on."""
    for host in HOSTS:
        fleet.ask(host, "/features", "POST", dict.fromkeys(FULL, True))
    yield
    fleet.write_inventory()
    for host in HOSTS:
        fleet.ask(host, "/features", "POST", dict.fromkeys(FULL, True))


def flags(fleet: Fleet, host: str) -> list[bool]:
    """Blended recall, concepts, and the dual memory."""
    found = fleet.ask(host, "/features")
    return [found[key] for key in FULL]


def test_check_predicts_then_it_is_done_then_there_is_nothing_left(fleet: Fleet) -> None:
    """Over HTTP; without `-e` it is `features`."""
    foreseen = by_hand(fleet, "emergency_rollback", "{}", "--check", "--diff")
    assert "-dual_memory.enable_concepts=true\n" in foreseen.stdout
    assert "+dual_memory.enable_concepts=false\n" in foreseen.stdout
    assert foreseen.stdout.count("changed=1") == 3
    assert flags(fleet, "node-1") == [True, True, True]
    done = by_hand(fleet, "emergency_rollback", "{}")
    assert done.returncode == 0, done.stdout
    assert [flags(fleet, host) for host in HOSTS] == [[False, False, True]] * 3
    again = by_hand(fleet, "emergency_rollback", "key=full", "-vvv")
    assert [flags(fleet, host) for host in HOSTS] == [[False, False, False]] * 3
    last = by_hand(fleet, "emergency_rollback", "key=full")
    assert last.stdout.count("changed=0") == 3
    assert CANARY not in foreseen.stdout + again.stdout + again.stderr


def test_stragglers_are_reported_and_keep_nobody_from_it(fleet: Fleet) -> None:
    """One dead, one that ignores it, one that was never meant; all others go off."""
    document = yaml.safe_load(fleet.inventory.read_text())
    with fleet.fault("node-2", "ignore-config"), Peer(lambda _: http("no", "404 Not Found")) as old:
        hosts = document["all"]["hosts"]
        hosts["dead"] = {"engram_url": f"http://127.0.0.1:{closed_port()}"}
        hosts["old"] = {"engram_url": old.url}
        hosts["bastion"] = {}
        fleet.inventory.write_text(yaml.safe_dump(document, sort_keys=False))
        done = by_hand(fleet, "emergency_rollback", "key=full", "--forks", "20")
    assert done.returncode != 0
    recap = {line.split()[0]: line for line in done.stdout.partition("RECAP")[2].splitlines() if " : ok=" in line}
    assert "unreachable=1" in recap["dead"]
    assert "failed=1" in recap["old"]
    assert "failed=1" in recap["node-2"]
    assert "skipped=1" in recap["bastion"]
    assert [flags(fleet, host) for host in ("node-1", "node-3")] == [[False] * 3] * 2
    assert "is read back" in done.stdout
    assert "not supported by this node" in done.stdout


def test_over_the_command_flags_go_off_in_order(fleet: Fleet) -> None:
    """Blended recall, concepts, the dual memory; checked first."""
    fleet.write_inventory(engram_way="cli", engram_command=COMMAND, ansible_python_interpreter=sys.executable)
    one = ("--limit", "node-1")
    foreseen = by_hand(fleet, "emergency_rollback", "key=full", "--check", "--diff", *one)
    assert foreseen.stdout.count("+false") == 3, foreseen.stdout
    assert flags(fleet, "node-1") == [True, True, True]
    done = by_hand(fleet, "emergency_rollback", "key=full", "-v", *one)
    assert done.returncode == 0, done.stdout
    assert flags(fleet, "node-1") == [False, False, False]
    places = [done.stdout.index(f"{key} was true, and is false") for key in FULL]
    assert places == sorted(places)
