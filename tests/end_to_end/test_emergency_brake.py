"""`runbook rollback` on real nodes with real Ansible: whatever else is broken, the flags go off and it is told."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_fleet import CANARY, Fleet, running_fleet
from end_to_end_fleet import Command, kill
from jsonschema import Draft202012Validator
from peers import Peer, closed_port, hang
from terminal import on_terminal

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.adapters.journal.second import SecondPlace
from runbook.material import schema
from runbook.model.brake import FLAGS, Rollback
from runbook.model.journal import Event

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

FULL = FLAGS[Rollback.FULL]
HOSTS = ("node-1", "node-2", "node-3")
ON, FEATURES_OFF = [True] * 3, [False, False, True]
BRAKE = ("rollback", "features", "--yes")
NO_ANSIBLE = (sys.executable, "-c", "import sys; sys.modules['ansible_runner'] = None; import runbook.__main__")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Three living nodes."""
    with running_fleet(tmp_path_factory.mktemp("fleet"), HOSTS) as running:
        yield running


@pytest.fixture
def command(fleet: Fleet, tmp_path: Path) -> Iterator[Command]:
    """The command with that fleet as its target, every flag on; what waits in the second place is taken away again."""
    for host in HOSTS:
        fleet.ask(host, "/features", "POST", dict.fromkeys(FULL, True))
    fleet.write_inventory()
    made = Command(tmp_path / "state")
    made.state.mkdir(mode=0o700)
    target = f'environment = "production"\ninventory = "{fleet.inventory}"\nprometheus = "http://127.0.0.1:9"'
    (made.state / "runbook.toml").write_text(f'version = 1\ndefault_target = "prod"\n[targets.prod]\n{target}\n')
    yield made
    second = SecondPlace(made.state)
    for each in second.waiting():
        second.drop(each)
    fleet.write_inventory()


def flags(fleet: Fleet) -> list[list[bool]]:
    """Of every node: blended recall, concepts, the dual memory."""
    return [[fleet.ask(host, "/features")[key] for key in FULL] for host in HOSTS]


def add_hosts(fleet: Fleet, **urls: str) -> None:
    """More hosts in the inventory."""
    document = yaml.safe_load(fleet.inventory.read_text())
    document["all"]["hosts"] |= {name: {"engram_url": url} for name, url in urls.items()}
    fleet.inventory.write_text(yaml.safe_dump(document))


def told(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    """The data of the report, which fits its schema."""
    document = json.loads(done.stdout)
    Draft202012Validator(schema("report.v1")).validate(document)
    assert document["exit_code"] == done.returncode
    data: dict[str, Any] = document["data"]
    return data


def test_off_by_both_ways_with_times_and_undone_again(command: Command, fleet: Fleet) -> None:
    """0; HTTP first, then the play, then `runs` and `undo` know it; Prometheus is down all the while."""
    data = told(command(*BRAKE, "--reason", "drill", "--json"))
    assert flags(fleet) == [FEATURES_OFF] * 3
    for node in data["nodes"]:
        assert node["http"]["state"] == "verified"
        assert 0 < node["http"]["off_ms"] <= node["http"]["verified_ms"] < node["play"]["after_ms"]
        assert node["play"]["state"] == "unchanged"
        assert node["old"] == {FULL[0]: True, FULL[1]: True}
    assert data["play_problem"] is None
    assert command("runs", "--last", "--id").stdout.strip() == data["run"]
    command("undo", data["run"], "--yes")
    assert flags(fleet) == [ON] * 3
    assert command.json("audit", "verify")["data"]["sound"]


def test_full_with_ansible_missing_and_no_word_of_the_token(command: Command, fleet: Fleet) -> None:
    """0, and said loudly on both streams."""
    done = command("rollback", "full", "--yes", words=NO_ANSIBLE)
    assert "ANSIBLE DID NOT MAKE IT DURABLE" in done.stdout
    assert "ANSIBLE FAILED" in done.stderr
    assert flags(fleet) == [[False] * 3] * 3
    assert CANARY not in done.stdout + done.stderr + (command.state / "journal.jsonl").read_text()


def test_ansible_that_fails_on_every_host(command: Command, fleet: Fleet) -> None:
    """A connection plugin that is not there: HTTP alone is enough."""
    fleet.write_inventory(ansible_connection="no.such.plugin")
    data = told(command(*BRAKE, "--json"))
    assert flags(fleet) == [FEATURES_OFF] * 3
    assert {node["play"]["state"] if node["play"] else "none" for node in data["nodes"]} <= {
        "failed",
        "unreachable",
        "none",
    }


def test_dead_and_hanging_nodes_are_listed_after_the_deadline(command: Command, fleet: Fleet) -> None:
    """5; the living ones were off long before."""
    with Peer(lambda _: hang) as silent:
        add_hosts(fleet, dead=f"http://127.0.0.1:{closed_port()}", hangs=silent.url)
        done = command(*BRAKE, "--deadline", "3s", "--json", expect=5)
    data = told(done)
    assert data["stragglers"] == ["dead", "hangs"]
    assert flags(fleet) == [FEATURES_OFF] * 3
    assert max(node["http"]["verified_ms"] for node in data["nodes"] if node["off"]) < 3000
    assert "2 more are tried in the background" in done.stderr


def test_nobody_there_is_10(command: Command, fleet: Fleet) -> None:
    """With the report all the same."""
    fleet.inventory.write_text(
        json.dumps({"all": {"hosts": {"gone": {"engram_url": f"http://127.0.0.1:{closed_port()}"}}}})
    )
    assert told(command(*BRAKE, "--deadline", "1s", "--json", expect=10))["stragglers"] == ["gone"]


def test_on_a_full_disk_it_is_kept_in_a_second_place_and_adopted(command: Command, fleet: Fleet) -> None:
    """A real limit of the kernel; afterwards `runs` shows it, `undo` undoes it, and the journal is whole."""
    journal = FileJournal(command.state, SystemClock(), "anna", "bastion")
    journal.append(Event.BASELINE_CAPTURED, "", {"filling": "x" * 9000})  # larger than any entry that is to come
    full = ("prlimit", f"--fsize={(command.state / 'journal.jsonl').stat().st_size}")
    done = command("rollback", "features", "--yes", "--json", prefix=full, words=NO_ANSIBLE)
    assert "THE JOURNAL REFUSES" in done.stderr
    data = told(done)
    assert len(data["not_in_the_journal"]) > 1
    assert flags(fleet) == [FEATURES_OFF] * 3
    assert command.json("audit", "verify")["data"]["waiting"] == len(data["not_in_the_journal"])
    assert command("runs", "--last", "--id").stdout.strip() == data["run"]
    command("undo", data["run"], "--yes")
    assert flags(fleet) == [ON] * 3
    state = command.json("audit", "verify")["data"]
    assert (state["sound"], state["waiting"]) == (True, 0)


def test_over_a_damaged_journal(command: Command, fleet: Fleet) -> None:
    """It goes off; after `set-aside` the new journal knows the rollback."""
    (command.state / "journal.jsonl").write_text("this is no journal\n")
    data = told(command(*BRAKE, "--json"))
    assert flags(fleet) == [FEATURES_OFF] * 3
    assert data["not_in_the_journal"]
    command("audit", "set-aside", "--reason", "test")
    command("undo", data["run"], "--yes")
    assert flags(fleet) == [ON] * 3


def test_killed_in_the_middle_then_again(
    command: Command, fleet: Fleet, wait_for: Callable[[Callable[[], bool], str], None]
) -> None:
    """Kill -9 while it waits for a straggler: given again it comes to its end, and both are in the journal."""
    with Peer(lambda _: hang) as silent:
        add_hosts(fleet, hangs=silent.url)
        first = command.start(*BRAKE)
        wait_for(lambda: flags(fleet) == [FEATURES_OFF] * 3, "the flags did not go off")
        wait_for(lambda: [each["event"] for each in command.journal()].count("step.intent") == 2, "no word of both")
        kill(first)
    fleet.write_inventory()
    data = told(command(*BRAKE, "--json"))
    assert len(data["superseded"]) == 1
    statuses = {run["id"]: run["status"] for run in command.json("runs")["data"]["runs"]}
    assert statuses == {data["superseded"][0]: "superseded", data["run"]: "done"}
    command("undo", data["superseded"][0], "--yes", expect=5)  # the node that left the inventory is told
    assert flags(fleet) == [ON] * 3


def test_two_at_once_do_not_wait_for_each_other(command: Command, fleet: Fleet) -> None:
    """Both 0, both in the journal."""
    both = [command.start(*BRAKE), command.start(*BRAKE)]
    assert [each.wait(60) for each in both] == [0, 0]
    for each in both:
        each.communicate()
    assert flags(fleet) == [FEATURES_OFF] * 3
    assert {run["status"] for run in command.json("runs")["data"]["runs"]} == {"done"}


def test_ctrl_c_loses_nothing(
    command: Command, fleet: Fleet, wait_for: Callable[[Callable[[], bool], str], None]
) -> None:
    """130, with the report, and the run can be undone."""
    with Peer(lambda _: hang) as silent:
        add_hosts(fleet, hangs=silent.url)
        brake = command.start(*BRAKE)
        wait_for(lambda: flags(fleet) == [FEATURES_OFF] * 3, "the flags did not go off")
        wait_for(lambda: any(each["event"] == "step.outcome" for each in command.journal()), "nothing was journaled")
        command("undo", command("runs", "--last", "--id").stdout.strip(), "--yes", expect=11)  # it is at work
        brake.send_signal(2)
        out, _ = brake.communicate(timeout=30)
    assert brake.returncode == 130
    assert "off      node-1" in out
    assert command.journal()[-1]["event"] == "run.ended"


def test_the_curl_lines_do_the_same_and_hold_no_token(command: Command, fleet: Fleet) -> None:
    """Printed, then run by a shell; nothing was changed by printing."""
    lines = command("rollback", "full", "--print-curl").stdout
    assert CANARY not in lines
    assert flags(fleet) == [ON] * 3
    proxied = command.environment | {"http_proxy": f"http://127.0.0.1:{closed_port()}"}  # it would get the tokens
    done = subprocess.run(
        ["sh", "-e"], input=lines, text=True, check=True, capture_output=True, timeout=30, env=proxied
    )
    assert flags(fleet) == [[False] * 3] * 3
    assert [host for host in HOSTS if f"HTTP 200 {host}" not in done.stdout] == [], done


def test_no_curl_line_sends_a_token_over_plain_http_to_another_machine(command: Command, fleet: Fleet) -> None:
    """What the command itself refuses it does not print either; a shell passes over the remark."""
    fleet.write_inventory(engram_token_file=str(command.state / "token"))
    add_hosts(fleet, far="http://node.example:7432")
    lines = command("rollback", "full", "--print-curl").stdout.splitlines()
    assert [line.partition(":")[0] for line in lines if "node.example" in line or "far" in line] == ["# far"], lines
    assert len(lines) == len(HOSTS) + 2


def test_without_a_terminal_and_without_yes_it_is_refused(command: Command, fleet: Fleet) -> None:
    """13, with what to add; nothing was touched."""
    done = command("rollback", "full", expect=13, stdin=subprocess.DEVNULL)
    assert "add --yes" in done.stderr
    assert flags(fleet) == [ON] * 3


@pytest.mark.parametrize(("typed", "code", "wanted"), [("n", 13, ON), ("y", 0, FEATURES_OFF)])
def test_on_a_terminal_it_asks_once(command: Command, fleet: Fleet, typed: str, code: int, wanted: list[bool]) -> None:
    """What would go off, and where; milliseconds count from the answer."""
    words = [*command.words, "rollback", "features"]
    ended, shown = on_terminal(words, command.environment, command.state, typed=typed, columns=120)
    assert ended == code, shown
    assert "dual_memory.enable_concepts -> false" in shown
    assert shown.count("[y/N]") == 1
    assert flags(fleet) == [wanted] * 3


@pytest.fixture
def sick(tmp_path: Path) -> Iterator[Command]:
    """One sick node, which needs no baseline."""
    command = Command(tmp_path / "sick")
    command.state.mkdir(mode=0o700)
    try:
        command("sandbox", "up", "--nodes", "1", "--episodes", "60", "--traffic", "10")
        command("sandbox", "inject", "high-formation")
        yield command
    finally:
        command("sandbox", "down")


def test_a_run_that_it_overtakes_stops(sick: Command, wait_for: Callable[[Callable[[], bool], str], None]) -> None:
    """A real incident run, in its watch: told within one look, nothing put back, 5."""
    run = sick.start("high-formation-rate", "--window", "3s", "--act", "--yes", "--watch", "120s", "--json")
    try:
        wait_for(lambda: any(each["event"] == "watch.started" for each in sick.journal()), "no watch was begun")
        data = told(sick(*BRAKE, "--json"))
        begun = time.monotonic()
        out, errors = run.communicate(timeout=60)
    finally:
        run.poll() is None and run.kill()
    assert run.returncode == 5, errors
    assert time.monotonic() - begun < 30
    report = json.loads(out)["data"]["run"]
    assert report["status"] == "superseded"
    assert any(data["run"] in text for text in report["next"])
    assert report["put_back"] == []
    assert [values["dual_memory.enable_concepts"] for values in sick.settings().values()] == [False]
