"""`runbook backup create --all-nodes` on three real nodes, one of them over a real ssh: each host writes its own."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_fleet import CANARY, Fleet, running_fleet
from end_to_end_fleet import Command
from jsonschema import Draft202012Validator
from local_sshd import Sshd, running_sshd

from runbook.material import schema

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]
HOSTS = ("node-1", "node-2", "node-3")
EACH = 8
DUAL, SINGLE = "dual_memory", "single_memory"


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """The way to the third host."""
    with running_sshd(tmp_path_factory.mktemp("way") / "sshd") as running:
        yield running


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Three nodes with some episodes each."""
    with running_fleet(tmp_path_factory.mktemp("nodes"), HOSTS) as fleet:
        for host in HOSTS:
            for number in range(EACH):
                fleet.remember(host, f"text {number} of {host}")
        yield fleet


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of the tests that go on with the backups of those before them."""
    return tmp_path_factory.mktemp("shared")


def command_in(state: Path, nodes: Fleet, sshd: Sshd) -> Command:
    """The real command with that state folder; two hosts are this machine, the third is entered by ssh."""
    state.mkdir(mode=0o700, exist_ok=True)
    write_inventory(state, nodes, sshd)
    (state / "runbook.toml").write_text(
        'version = 1\ndefault_target = "prod"\n[targets.prod]\nenvironment = "test"\ninventory = "inventory.yml"\n'
    )
    return Command(state)


@pytest.fixture
def fleet(nodes: Fleet, sshd: Sshd, shared: Path) -> Command:
    """The command in the shared state folder, with the inventory as it was in the beginning."""
    return command_in(shared, nodes, sshd)


@pytest.fixture
def apart(nodes: Fleet, sshd: Sshd, tmp_path: Path) -> Command:
    """The command in a state folder of its own."""
    return command_in(tmp_path / "state", nodes, sshd)


def write_inventory(state: Path, nodes: Fleet, sshd: Sshd, **of_the_second: Any) -> None:
    """Each host with a folder of its own; the third has a state folder and a token file of its own too."""
    hosts: dict[str, dict[str, Any]] = {
        host: {
            "engram_url": nodes.urls[host],
            "engram_token_file": str(nodes.folder / host / "admin.token"),
            "engram_backup_folder": str(state / "disks" / host),
            "ansible_connection": "local",
        }
        for host in HOSTS
    }
    hosts["node-2"] |= of_the_second
    command = ["env", f"RUNBOOK_STATE={state}/host-3", sys.executable, "-m", "runbook"]
    hosts["node-3"] |= sshd.variables | {"engram_runbook": command}
    (state / "inventory.yml").write_text(json.dumps({"all": {"hosts": hosts}}))


def data(fleet: Command, *words: str, expect: int = 0) -> dict[str, Any]:
    """What the command prints with --json, which fits the schema of reports."""
    document = fleet.json(*words, expect=expect)
    Draft202012Validator(schema("report.v1")).validate(document)
    found: dict[str, Any] = document["data"]
    return found


def newest(fleet: Command) -> dict[str, Any]:
    """The newest backup of the whole fleet; one is made where no test before has made one."""
    whole = [each for each in data(fleet, "backup", "list")["fleets"] if each["complete"]]
    if not whole:
        whole = data(fleet, "backup", "create", "--all-nodes")["fleets"]
    return max(whole, key=lambda each: str(each["name"]))


def test_each_host_writes_its_own_and_proves_it(fleet: Command) -> None:
    """No data comes here; the document names all three, and the hosts prove them at level 3, where they lie."""
    told = data(fleet, "backup", "create", "--all-nodes")["fleets"][0]
    assert (told["complete"], told["consistency"], told["missing"]) == (True, "per_node", [])
    assert [each["host"] for each in told["nodes"]] == list(HOSTS)
    for each in told["nodes"]:
        assert each["folder"] == str(fleet.state / "disks" / each["host"])
        manifest = json.loads((Path(each["folder"]) / each["backup"] / "MANIFEST.json").read_bytes())
        assert (manifest["sha256"], manifest["host"]) == (each["manifest_sha256"], each["host"])
        assert each["counts"]["episode"] == EACH
    assert [path.name for path in (fleet.state / "backups").iterdir()] == [told["name"]]
    (entry,) = [each for each in fleet.journal() if each["details"].get("fleet")]
    assert (entry["event"], entry["details"]["manifest"]) == ("backup.created", told["sha256"])
    assert data(fleet, "backup", "list")["fleets"] == [told]
    proven = data(fleet, "backup", "verify", told["name"], "--level", "3")["verified"]
    assert (proven["level"], proven["levels"]) == (3, dict.fromkeys(HOSTS, 3))
    files = [path for path in fleet.state.rglob("*") if path.is_file()]
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]


def on_the_second(fleet: Command, **variables: Any) -> None:
    """Change what the inventory says of the second host."""
    path = fleet.state / "inventory.yml"
    inventory = json.loads(path.read_text())
    inventory["all"]["hosts"]["node-2"] |= variables
    path.write_text(json.dumps(inventory))


def test_whoever_changes_the_document_or_a_backup_is_found_out(fleet: Command) -> None:
    """12: a changed byte of the document before any host is asked; a host's other backup under the same name after."""
    document = fleet.state / "backups" / newest(fleet)["name"]
    good = document.read_bytes()
    document.write_bytes(good.replace(b'"complete": true', b'"complete": false'))
    assert "changed" in fleet("backup", "verify", document.name, expect=12).stderr
    assert data(fleet, "backup", "list", expect=3)["fleets"][0]["damage"]
    document.write_bytes(good)
    nodes = json.loads(good)["nodes"]
    first, second = (Path(each["folder"]) / each["backup"] for each in nodes[:2])
    first.rename(first.with_name("aside"))
    second.rename(first)
    failed = data(fleet, "backup", "verify", document.name, expect=12)["verified"]["failed"]
    assert "another backup lies there" in failed["node-1"]["message"]
    assert failed["node-2"]["code"] == 2
    first.rename(second)
    first.with_name("aside").rename(first)


def test_fetched_backups_are_proven_here_and_fetched_once(fleet: Command, tmp_path: Path) -> None:
    """Over ssh too, byte for byte; a damaged one is told, 5, and never has its name here; then it is fetched alone."""
    there = {each["host"]: Path(each["folder"]) / each["backup"] for each in newest(fleet)["nodes"]}
    shard = there["node-2"] / "records-00000.ndjson.zst"
    good = shard.read_bytes()
    wrapped = tmp_path / "damages"  # after the host has proven it once more
    wrapped.write_text(f'#!/bin/sh\n{sys.executable} -m runbook "$@"\ncode=$?\nprintf x >>{shard}\nexit $code\n')
    wrapped.chmod(0o700)
    on_the_second(fleet, engram_runbook=str(wrapped))
    came = data(fleet, "backup", "create", "--all-nodes", "--fetch", expect=5)["fetched"]
    assert [each["code"] for each in came["hosts"]] == [0, 12, 0]
    backups = fleet.state / "backups"
    assert sorted(path.name for path in backups.glob("*.backup")) == sorted(there[host].name for host in HOSTS[::2])
    assert not list(backups.glob(".*.draft"))
    shard.write_bytes(good)
    on_the_second(fleet, engram_runbook=[sys.executable, "-m", "runbook"])
    came = data(fleet, "backup", "create", "--all-nodes", "--fetch")["fetched"]
    assert [each["state"] for each in came["hosts"]] == ["unchanged", "changed", "unchanged"]
    for path in there.values():
        for file in (each for each in path.rglob("*") if each.is_file()):
            assert (backups / path.name / file.relative_to(path)).read_bytes() == file.read_bytes()
    assert len(data(fleet, "backup", "verify", "--all")["proofs"]) == len(HOSTS)


def test_a_dead_node_is_named_and_the_others_are_kept(apart: Command, nodes: Fleet, sshd: Sshd) -> None:
    """Exit 5: the document says that it is incomplete; so do the list, and whoever verifies it."""
    write_inventory(apart.state, nodes, sshd, engram_url="http://127.0.0.1:9")
    told = data(apart, "backup", "create", "--all-nodes", expect=5)["fleets"][0]
    assert not told["complete"]
    assert [each["host"] for each in told["nodes"]] == ["node-1", "node-3"]
    (missing,) = told["missing"]
    assert (missing["host"], "connection refused" in missing["why"]) == ("node-2", True), missing
    assert "INCOMPLETE: without node-2" in apart("backup", "list").stdout
    proven = data(apart, "backup", "verify", told["name"], expect=5)["verified"]
    assert (proven["level"], sorted(proven["levels"])) == (None, ["node-1", "node-3"])


def test_no_host_at_all_is_no_backup(apart: Command, nodes: Fleet, sshd: Sshd) -> None:
    """Every node dead: 10, with each host's reason, and no document."""
    text = (apart.state / "inventory.yml").read_text()
    for host in HOSTS:
        text = text.replace(nodes.urls[host], f"http://127.0.0.1:{9 + HOSTS.index(host)}")
    (apart.state / "inventory.yml").write_text(text)
    assert apart("backup", "create", "--all-nodes", expect=10).stderr.count("connection refused") >= len(HOSTS)
    assert not list((apart.state / "backups").glob("fleet-*"))


def test_two_at_once_and_one_that_is_interrupted(apart: Command, tmp_path: Path) -> None:
    """The second ends with 11 at once and names the first, which is held up by its second host.

    Interrupted there, a third one ends with 130, leaves no process of its own and no document, and says how to go on.
    """
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    slow = tmp_path / "slow"
    slow.write_text(
        f'#!/bin/sh\necho $$ >{tmp_path}/pid\nread -r line <{gate}\nexec {sys.executable} -m runbook "$@"\n'
    )
    slow.chmod(0o700)
    inventory = json.loads((apart.state / "inventory.yml").read_text())
    inventory["all"]["hosts"]["node-2"]["engram_runbook"] = str(slow)
    (apart.state / "inventory.yml").write_text(json.dumps(inventory))
    first = apart.start("backup", "create", "--all-nodes")
    with gate.open("w") as opened:  # waits until the second host has begun
        error = apart("backup", "create", "--all-nodes", expect=11).stderr
        opened.write("go on\n")
    out, err = first.communicate(timeout=100)
    assert first.returncode == 0, err
    assert "locked by run" in error
    assert out.count("level 2 reached") == len(HOSTS)
    third = apart.start("backup", "create", "--all-nodes")
    with gate.open("w"):  # the pipe stays open: the host waits
        third.send_signal(signal.SIGINT)
        _, err = third.communicate(timeout=100)
        assert (third.returncode, "the same command again" in err) == (130, True), err
        held = Path("/proc", (tmp_path / "pid").read_text().strip(), "cmdline")
        assert not held.exists() or not held.read_bytes()  # gone, or a zombie that nobody has waited for yet
    assert len(list((apart.state / "backups").glob("fleet-*.json"))) == 1  # the first one's alone


def served(nodes: Fleet) -> list[tuple[str, str]]:
    """What the nodes themselves say that they serve: generation and kind."""
    found = []
    for host in HOSTS:
        told = nodes.ask(host, "/generations")["generations"]
        found += [(each["id"], each["kind"]) for each in told if each["state"] == "active"]
    return found


def test_a_fleet_is_restored_only_where_all_of_it_is(fleet: Command, nodes: Fleet) -> None:
    """With a dead node nothing is served anywhere, 5; mended, the same command has all of them serve the backup."""
    name = newest(fleet)["name"]
    before = served(nodes)
    on_the_second(fleet, engram_host_url="http://127.0.0.1:9")
    words = ("backup", "restore", name, "--activate", "--yes")
    told = data(fleet, *words, expect=5)
    assert (told["work"], [each["code"] for each in told["hosts"]]) == ("restore_backup", [0, 10, 0])
    assert served(nodes) == before
    on_the_second(fleet, engram_host_url=nodes.urls["node-2"])
    assert "add --yes" in fleet("backup", "restore", name, "--activate", expect=13).stderr
    told = data(fleet, *words)
    assert (told["work"], [each["code"] for each in told["hosts"]]) == ("activate_backup", [0, 0, 0])
    assert all(new[0] != old[0] for new, old in zip(served(nodes), before, strict=True))
    again = data(fleet, "backup", "create", "--all-nodes")["fleets"][0]["nodes"]
    assert [each["counts"]["episode"] for each in again] == [EACH] * len(HOSTS)


def test_every_host_migrates_its_own_data_in_waves_and_goes_back(fleet: Command, nodes: Fleet) -> None:
    """Killed on the second host it ends there, 5, and the third is not touched; the same command again goes on.

    The first is done, the second goes on where it was, the third follows. Then all go back.
    """
    name = newest(fleet)["name"]
    assert "with a backup" in fleet("migrate", "--to", SINGLE, "--all-nodes", "--yes", expect=2).stderr
    words = ("migrate", "--to", SINGLE, "--all-nodes", "--backup", name, "--yes", "--reason", "rehearsal")
    killed = fleet.state / "killed"  # at two records a second nothing is over before its time
    killed.write_text(
        f'#!/bin/sh\ncase "$*" in *--to*) ;; *) exec {sys.executable} -m runbook "$@" ;; esac\n'
        f'{sys.executable} -m runbook "$@" --max-rate=2 &\n'
        "until grep -qs migration.step $RUNBOOK_STATE/journal.jsonl; do sleep 0.05; done; kill -9 $!\n"
    )
    killed.chmod(0o700)
    on_the_second(fleet, engram_runbook=str(killed))
    told = data(fleet, *words, expect=5)
    assert [each["state"] for each in told["hosts"]] == ["changed", "failed", "not reached"]
    assert [kind for _, kind in served(nodes)] == [SINGLE, DUAL, DUAL]
    on_the_second(fleet, engram_runbook=[sys.executable, "-m", "runbook"])
    told = data(fleet, *words)
    assert [each["state"] for each in told["hosts"]] == ["unchanged", "changed", "changed"]
    runs = [json.loads(line) for line in (fleet.state / "hosts/prod/node-2/journal.jsonl").read_text().splitlines()]
    assert [each["event"] for each in runs].count("migration.started") == 1
    assert [kind for _, kind in served(nodes)] == [SINGLE] * 3
    told = data(fleet, "migrate", "revert", "--all-nodes", "--yes")
    assert (told["done"], [each["host"] for each in told["hosts"]]) == (True, list(HOSTS))
    assert [kind for _, kind in served(nodes)] == [DUAL] * 3
    assert CANARY not in (fleet.state / "journal.jsonl").read_text()
