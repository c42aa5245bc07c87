"""A fleet for real: two nodes, from up to down."""

import json
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from runbook.cli.commands.sandbox import command
from runbook.errors import LockedError, RefusedError, UnreachableError, UsageError
from runbook.sandbox.fleet.client import NodeClient
from runbook.sandbox.fleet.down import down
from runbook.sandbox.fleet.faults import active_faults, clear, inject
from runbook.sandbox.fleet.folder import FleetFolder
from runbook.sandbox.fleet.loading import load_texts
from runbook.sandbox.fleet.lock import locked
from runbook.sandbox.fleet.processes import is_alive, spawn
from runbook.sandbox.fleet.record import FleetRecord, FleetRequest, load, save
from runbook.sandbox.fleet.status import FleetStatus, chosen, status
from runbook.sandbox.fleet.talk import Silent
from runbook.sandbox.fleet.up import up
from runbook.sandbox.fleet.waiting import wait_for

REQUEST = FleetRequest(nodes=2, episodes=300, traffic=10.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetFolder]:
    """Two nodes with traffic; ended at the end."""
    folder = FleetFolder(tmp_path_factory.mktemp("a state"))
    up(folder, REQUEST, Silent())
    yield folder
    down(folder)


@pytest.fixture
def record(folder: FleetFolder) -> FleetRecord:
    """What runs; nothing is broken in it."""
    found = load(folder)
    assert found is not None
    clear(folder, found.nodes)
    return found


def seen(folder: FleetFolder) -> FleetStatus:
    """The status of a fleet that is up."""
    found = status(folder)
    assert found is not None
    return found


def run(folder: FleetFolder, *words: str) -> Result:
    """The command itself."""
    return CliRunner(env={"RUNBOOK_STATE": str(folder.state)}).invoke(command, words, standalone_mode=False)


def test_both_nodes_hold_their_texts_and_have_formed_concepts(folder: FleetFolder, record: FleetRecord) -> None:
    """The seeded texts are such that concepts form at the default settings."""
    found = seen(folder)
    assert found.is_well
    assert [node.name for node in found.nodes] == ["node-1", "node-2"]
    assert all((node.episodes or 0) >= 300 and (node.concepts or 0) >= 1 for node in found.nodes)
    assert found.load is not None
    assert found.load.alive


def test_the_inventory_and_the_configuration_name_the_nodes(folder: FleetFolder, record: FleetRecord) -> None:
    """With tokens by file, never by value."""
    inventory = yaml.safe_load(folder.inventory.read_text())["all"]
    assert inventory["hosts"]["node-2"]["engram_url"] == record.nodes[1].url
    token = Path(inventory["hosts"]["node-2"]["engram_token_file"])
    assert token.stat().st_mode & 0o777 == 0o600
    assert inventory["vars"]["ansible_connection"] == "local"
    for path in (folder.inventory, folder.configuration, folder.record):
        assert path.stat().st_mode & 0o777 == 0o600
        assert token.read_text().strip() not in path.read_text()
    assert os.access(folder.engram, os.X_OK)


def test_recalls_are_counted_in_buckets_of_two_seconds(folder: FleetFolder, record: FleetRecord) -> None:
    """What takes weeks elsewhere takes minutes here."""
    for node in record.nodes:
        with NodeClient(node.port, folder.token(node.name)) as client:
            assert client.demand("GET", "/api/v1/admin/cells").document["bucket_seconds"] == 2


def test_up_again_finds_its_work_done_and_other_options_are_refused(folder: FleetFolder, record: FleetRecord) -> None:
    """Nothing is started twice."""
    assert up(folder, REQUEST, Silent()) == (record, True)
    with pytest.raises(RefusedError) as caught:
        up(folder, replace(REQUEST, nodes=1), Silent())
    assert "runbook sandbox down" in caught.value.hint
    assert caught.value.message == "a sandbox with other options is up: --nodes 2, not 1"


def test_two_commands_at_once_the_second_is_told_who_works(folder: FleetFolder, record: FleetRecord) -> None:
    """Neither up nor down goes ahead."""
    with locked(folder, "up"):
        with pytest.raises(LockedError, match="runbook sandbox up"):
            up(folder, REQUEST, Silent())
        with pytest.raises(LockedError, match="runbook sandbox up"):
            down(folder)


@pytest.mark.parametrize("fault", ["latency", "errors", "ignore-config", "unreachable", "poor-recall"])
def test_a_fault_is_measured_on_the_chosen_node_and_cleared(
    folder: FleetFolder, record: FleetRecord, fault: str
) -> None:
    """The other node has none."""
    (injected,) = inject(folder, chosen(record, ["node-2"]), fault, {}, Silent(), patience=20)
    assert injected.measured
    assert injected.what.endswith(".")
    assert active_faults(folder, record.nodes[0]) == ()
    assert clear(folder, record.nodes, fault) == {"node-1": (), "node-2": (fault,)}
    assert wait_for(lambda: seen(folder).is_well or None, 20)


def settings(folder: FleetFolder, record: FleetRecord, **values: object) -> None:
    """Set on every node, by the last part of the names."""
    for node in record.nodes:
        with NodeClient(node.port, folder.token(node.name)) as client:
            client.demand("PATCH", "/api/v1/admin/config", {f"dual_memory.{key}": each for key, each in values.items()})


def test_a_fault_of_a_group_is_measured_in_its_spaces_alone(folder: FleetFolder, record: FleetRecord) -> None:
    """As it is written in the rollout's rehearsal: the node measures half as much again, in that group only."""
    settings(folder, record, treatment_rate=0.0, treatment_spaces=["tenant-001", "tenant-002", "tenant-003"])
    slow = run(folder, "inject", "latency", "--group", "treatment", "--percent", "50", "--node", "node-1")
    assert (slow.exception, slow.return_value) == (None, 0)
    assert re.search(r"the group treatment are \d+% slower than the others.*, 3 spaces", slow.stdout)
    failing = run(folder, "inject", "errors", "--group", "treatment", "--percent", "20")
    assert failing.return_value == 0, "node-2 has no such space, which is no failure of node-1"
    assert re.search(
        r"node-1 .*[1-9]\d* of \d+ recalls of the group treatment .*, 0 of \d+ of the others", failing.stdout
    )
    assert "node-2  errors  injected, but nothing can be measured: no space on node-2 is in the group" in failing.stdout


def test_a_group_that_nobody_is_in_is_told_soon_and_is_exit_4(folder: FleetFolder, record: FleetRecord) -> None:
    """There is nothing to wait for."""
    settings(folder, record, treatment_rate=0.0, treatment_spaces=[])
    result = run(folder, "inject", "latency", "--group", "treatment", "--percent", "20", "--json")
    nodes = json.loads(result.stdout)["data"]["nodes"]
    assert result.return_value == 4
    assert all(node["measured"] is None and "is in the group treatment" in node["nobody"] for node in nodes)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["unreachable", "--percent", "5"], "unknown parameter 'percent'"),
        (["errors", "--percent", "101"], "percent must be a number from 0 to 100"),
        (["errors", "--percent", "10", "--param", "rate=0.1"], "two words for one thing"),
        (["latency", "--percent", "10", "--param", "percent=20"], "percent is given twice"),
    ],
)
def test_an_option_that_the_fault_does_not_know_is_a_usage_error(
    folder: FleetFolder, record: FleetRecord, words: list[str], says: str
) -> None:
    """And nothing is injected."""
    result = run(folder, "inject", *words)
    assert isinstance(result.exception, UsageError)
    assert says in result.exception.message
    assert active_faults(folder, record.nodes[0]) == ()


@pytest.mark.slow
def test_a_high_formation_rate_is_measured_on_every_node(folder: FleetFolder, record: FleetRecord) -> None:
    """More than 84 concepts a minute, and slow cycles."""
    injected = inject(folder, record.nodes, "high-formation", {}, Silent())
    rates = [int(match[1]) for each in injected if (match := re.match(r"(\d+) concepts/min", each.measured or ""))]
    assert len(rates) == 2
    assert min(rates) >= 84
    assert seen(folder).nodes[0].faults == ("high-formation",)


def test_a_symptom_that_does_not_show_is_exit_4(folder: FleetFolder, record: FleetRecord) -> None:
    """A share of errors that is none."""
    result = run(folder, "inject", "errors", "--node", "node-1", "--param", "rate=0", "--timeout", "0.3")
    assert result.exception is None
    assert result.return_value == 4
    assert "did not show within 0.3 s" in result.stdout


def test_an_unknown_fault_node_or_parameter_is_a_usage_error(folder: FleetFolder, record: FleetRecord) -> None:
    """And names what there is."""
    with pytest.raises(UsageError, match="no-such"):
        inject(folder, record.nodes, "no-such", {}, Silent())
    with pytest.raises(UsageError, match="no node 'node-9'"):
        chosen(record, ["node-9"])
    assert isinstance(run(folder, "inject", "latency", "--param", "oops").exception, UsageError)


def test_texts_are_loaded_into_a_new_space_and_twice_is_once(folder: FleetFolder, record: FleetRecord) -> None:
    """The same text in the same space is one episode."""
    texts = [f"the lighthouse keeper counted {number} ships" for number in range(30)]
    for _ in range(2):
        loaded = load_texts(folder, record.nodes, texts, "lighthouse", Silent())
        assert (loaded.texts, loaded.spaces, len(loaded.nodes)) == (30, 1, 1)
    home = chosen(record, loaded.nodes)[0]
    with NodeClient(home.port) as client:
        spaces = client.demand("GET", "/api/v1/system/health").document["spaces"]
    assert {space["space"]: space["episodes"] for space in spaces}["lighthouse"] == 30
    with pytest.raises(UsageError, match="Not A Space"):
        load_texts(folder, record.nodes, texts, "Not A Space", Silent())


def test_documents_on_stdout_are_json(folder: FleetFolder, record: FleetRecord, tmp_path: Path) -> None:
    """One for each command."""
    (tmp_path / "lines.txt").write_text("one line\nanother line\n")
    for words in (["status"], ["clear"], ["load", str(tmp_path / "lines.txt")]):
        result = run(folder, *words, "--json")
        document = json.loads(result.stdout)
        assert (document["kind"], document["command"], document["exit_code"]) == (
            "sandbox",
            f"runbook sandbox {words[0]}",
            0,
        )


def test_the_load_generator_reports_and_outlives_a_dead_node(tmp_path: Path) -> None:
    """A node killed with -9 is told by status; the others go on; down ends the rest."""
    folder = FleetFolder(tmp_path)
    record, _ = up(folder, FleetRequest(nodes=2, episodes=20, traffic=40.0), Silent())
    try:
        os.kill(record.nodes[0].process.pid, signal.SIGKILL)
        assert wait_for(lambda: None if seen(folder).nodes[0].alive else True, 20)
        found = seen(folder)
        assert "gone" in found.nodes[0].problem
        assert (found.nodes[1].alive, found.is_well) == (True, False)
        with pytest.raises(RefusedError, match="node-1"):
            up(folder, record.request, Silent())
        words = ["-m", "runbook.sandbox.traffic", "--fleet", str(folder.record), "--rate", "60", "--every", "0.5"]
        more = spawn(words, tmp_path / "more.log")
        both = re.compile(r"done=[1-9]\d* errors=[1-9]")
        assert wait_for(lambda: both.search((tmp_path / "more.log").read_text()), 30)
    finally:
        assert down(folder).processes == 2
    assert not any(map(is_alive, record.processes))
    assert wait_for(lambda: None if is_alive(more) else True, 30), "a load generator ends when its fleet is gone"


def test_down_never_ends_a_stranger_with_a_pid_of_the_record(tmp_path: Path) -> None:
    """After a reboot the pids belong to others: here to this very test."""
    folder = FleetFolder(tmp_path)
    record, _ = up(folder, FleetRequest(nodes=1, episodes=0), Silent())
    ours = replace(record.nodes[0].process, pid=os.getpid())
    save(folder, replace(record, load=ours))
    assert down(folder).processes == 1
    assert not is_alive(record.nodes[0].process)


def test_a_fleet_left_half_started_is_ended_by_the_next_up(tmp_path: Path) -> None:
    """`up` itself was killed: its record is not ready."""
    folder = FleetFolder(tmp_path)
    request = FleetRequest(nodes=1, episodes=0)
    record, _ = up(folder, request, Silent())
    save(folder, replace(record, ready=False))
    try:
        again, standing = up(folder, request, Silent())
        assert not standing
        assert not is_alive(record.nodes[0].process)
        assert is_alive(again.nodes[0].process)
    finally:
        down(folder)


class Interrupting(Silent):
    """Ctrl-C in the middle of the start."""

    def progress(self, label: str, done: float, total: float) -> None:
        """Once the nodes run."""
        del done, total
        if label == "texts loaded":
            raise KeyboardInterrupt


def test_an_interrupted_up_ends_what_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No process and no folder is left."""
    folder = FleetFolder(tmp_path)
    kept: list[FleetRecord] = []
    monkeypatch.setattr(
        "runbook.sandbox.fleet.nodes.save", lambda folder, record: (kept.append(record), save(folder, record))
    )
    with pytest.raises(KeyboardInterrupt):
        up(folder, FleetRequest(nodes=2, episodes=10), Interrupting())
    assert not folder.root.exists()
    assert kept
    assert not any(map(is_alive, kept[-1].processes))


def test_a_node_that_does_not_start_shows_its_log_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process is told too little."""
    monkeypatch.setattr("runbook.sandbox.fleet.nodes._options", lambda *_: iter(["--folder", str(tmp_path / "node")]))
    with pytest.raises(UnreachableError, match="node-1 ended") as caught:
        up(FleetFolder(tmp_path), FleetRequest(nodes=1, episodes=0), Silent())
    assert "required: --port" in caught.value.hint
    assert not (tmp_path / "sandbox").exists()


@pytest.mark.parametrize(
    "request_",
    [
        FleetRequest(nodes=0),
        FleetRequest(nodes=10_000),
        FleetRequest(episodes=-1),
        FleetRequest(spaces=-1),
        FleetRequest(traffic=float("nan")),
        FleetRequest(traffic=-1),
        FleetRequest(real_text="/no/such/file"),
    ],
)
def test_a_request_without_sense_is_refused_before_anything_is_made(tmp_path: Path, request_: FleetRequest) -> None:
    """As a usage error."""
    with pytest.raises(UsageError):
        up(FleetFolder(tmp_path / "state"), request_, Silent())
    assert not (tmp_path / "state").exists()


def test_many_nodes_share_processes(tmp_path: Path) -> None:
    """Six nodes in two processes, each with its own port and token."""
    folder = FleetFolder(tmp_path)
    record, _ = up(folder, FleetRequest(nodes=6, episodes=5, processes=2), Silent())
    try:
        assert len(record.processes) == 2
        assert len({node.port for node in record.nodes}) == 6
        assert len({folder.token(node.name).read_text() for node in record.nodes}) == 6
        assert all(node.episodes == 5 for node in seen(folder).nodes)
    finally:
        assert down(folder).processes == 2


@pytest.mark.slow
def test_a_leak_is_measured_and_its_component_named(folder: FleetFolder, record: FleetRecord) -> None:
    """And clearing puts the setting back."""
    (injected,) = inject(folder, chosen(record, ["node-1"]), "memory-leak-bindings", {"max_mb": 100}, Silent())
    assert re.fullmatch(r"memory \d+ MB/h, [\d.]+ of [\d.]+ MB are bindings", injected.measured or "")
    assert clear(folder, record.nodes) == {"node-1": ("memory-leak-bindings",), "node-2": ()}
