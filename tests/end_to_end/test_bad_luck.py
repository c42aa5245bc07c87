"""Bad luck on real nodes: each time a clear reason, the exit code of the table, and nothing changed unrecorded."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from end_to_end_fleet import Command
from jsonschema import Draft202012Validator
from peers import Answer, Peer, closed_port, endless, hang, http, reset
from prometheus_server import prometheus
from running_node import RunningNode, StartNode
from terminal import DENIED, on_terminal

from runbook.adapters.clock import SystemClock
from runbook.adapters.locks import FileLocks
from runbook.material import schema

TUNED = ("dual_memory.coherence_threshold", "dual_memory.concept_sample_rate", "dual_memory.min_cluster_size")
DIAGNOSE = ("high-formation-rate", "--window", "3s")
ACT = (*DIAGNOSE, "--act", "--watch", "10s")

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]
Wait = Callable[[Callable[[], bool], str], None]
Done = subprocess.CompletedProcess[str]


def configured(state: Path, urls: dict[str, str], token_file: Path, more: str = "") -> Command:
    """The command with a target `prod` of these nodes."""
    state.mkdir(exist_ok=True)
    hosts = {name: {"engram_url": url, "engram_token_file": str(token_file)} for name, url in urls.items()}
    (state / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts}}))
    text = f'version = 1\ndefault_target = "prod"\n[targets.prod]\nenvironment = "x"\ninventory = "hosts.yml"\n{more}'
    (state / "runbook.toml").write_text(text)  # the folder that the command is run from
    return Command(state)


def nodes_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The diagnosis by node."""
    Draft202012Validator(schema("report.v1")).validate(document)
    return {node["node"]: node for node in document["data"]["nodes"]}


WAYS_TO_FAIL: dict[str, tuple[Answer, str]] = {
    "a page": (http("<html>Welcome to nginx</html>", Content_Type="text/html"), ""),
    "an error": (http("oops", "500 Internal Server Error"), "500"),
    "a refusal": (http("no", "403 Forbidden"), "403"),
    "silence": (hang, "no answer"),
    "a cut line": (reset, ""),
    "an endless body": (endless, ""),
    "numbers that are none": (http("engram_concepts_formed_total NaN\nengram_concepts_formed_total{space=\n"), ""),
}


@pytest.mark.parametrize("way", WAYS_TO_FAIL)
def test_a_node_that_is_not_well_never_hides_the_others(way: str, shared_node: RunningNode, tmp_path: Path) -> None:
    """UNKNOWN for it, with the reason; the other one is judged; 4 in the end."""
    answer, reason = WAYS_TO_FAIL[way]
    with Peer(lambda _: answer) as peer:
        command = configured(tmp_path, {"odd": peer.url, "well": shared_node.url}, shared_node.token_file)
        window = "4s" if answer is hang else "1s"  # the first look waits two seconds for it
        for _ in range(4):  # on a busy machine so short a window may hold one look only, even at the one that is well
            nodes = nodes_of(command.json("high-formation-rate", "--window", window, expect=4))
            if nodes["well"]["present"] == "NO":
                break
    assert (nodes["well"]["present"], nodes["well"]["silence"]) == ("NO", None)
    assert {finding["answer"] for finding in nodes["odd"]["symptoms"]} == {"UNKNOWN"}
    assert nodes["odd"]["symptoms"][0]["arithmetic"].startswith("no data: ")
    assert reason in nodes["odd"]["silence"]


def test_dead_nodes(shared_node: RunningNode, tmp_path: Path) -> None:
    """One of two is 4, and acting stops there; all of them are 10, with each node's reason."""
    dead = f"http://127.0.0.1:{closed_port()}"
    some = configured(tmp_path / "some", {"dead": dead, "well": shared_node.url}, shared_node.token_file)
    told = some("high-formation-rate", "--window", "1s", "--act", "--yes", expect=4).stdout
    assert "refused" in told
    assert some.journal() == []
    everyone = configured(
        tmp_path / "all", {"one": dead, "two": dead.replace("127.0.0.1", "127.0.0.2")}, shared_node.token_file
    )
    told = everyone("high-formation-rate", "--window", "1s", expect=10).stderr
    assert "one: " in told
    assert "two: " in told


def test_without_a_baseline_it_is_said(shared_node: RunningNode, tmp_path: Path) -> None:
    """Absolute limits count, and each line says so."""
    command = configured(tmp_path, {"well": shared_node.url}, shared_node.token_file)
    told = command("high-formation-rate", "--window", "1s").stdout
    assert "no baseline: absolute limits only" in told
    assert "no baseline: the absolute limit)" in told


def test_a_restart_within_the_window(start_node: StartNode, wait_for: Wait, tmp_path: Path) -> None:
    """Counters that begin anew are no negative rate, and no spike either."""
    node = start_node()
    for number in range(12):
        node.remember(f"the disk of server seven is full again, ticket {number}")
    node.settle()
    command = configured(tmp_path / "state", {"well": node.url}, node.token_file)
    process = command.start("high-formation-rate", "--window", "6s", "--json")
    assert process.stderr is not None
    assert "measuring" in process.stderr.readline()  # the first observation is made
    node.kill()
    start_node(node.folder, port=node.port)
    told, _ = process.communicate(timeout=60)
    leading = nodes_of(json.loads(told))["well"]["symptoms"][0]
    assert (process.returncode, leading["answer"]) == (0, "NO")
    assert leading["value"] >= 0


def test_prometheus_as_the_source(sick: Command, shared_node: RunningNode, wait_for: Wait, tmp_path: Path) -> None:
    """0 for a healthy node and 3 for a sick one, from what Prometheus scraped; when it is down, 10."""
    (ill,) = sick.json("sandbox", "status")["data"]["nodes"]
    token = sick.state / "sandbox" / "node-1" / "admin.token"
    hosts = [url.removeprefix("http://") for url in (ill["url"], shared_node.url)]
    with prometheus(tmp_path, [{"job_name": "engram", "static_configs": [{"targets": hosts}]}], "500ms") as url:
        more = f'prometheus = "{url}"\n'
        unwell = configured(tmp_path / "ill", {"node-1": ill["url"]}, token, more)
        well = configured(tmp_path / "well", {"well": shared_node.url}, shared_node.token_file, more)

        def found() -> bool:
            return unwell.run("high-formation-rate", "--window", "10s", "--json").returncode == 3

        def seen() -> bool:
            return well.run("high-formation-rate", "--window", "10s", "--json").returncode == 0

        wait_for(found, "Prometheus has not seen enough")
        wait_for(seen, "Prometheus has not seen enough of the healthy one")
        healthy = well.json("high-formation-rate", "--window", "10s")
        assert nodes_of(healthy)["well"]["symptoms"][0]["source"] == url
    told = well("high-formation-rate", expect=10).stderr
    assert url in told
    assert "is it running?" in told


def tuned(command: Command) -> dict[str, object]:
    """What the runbook tunes on the one node."""
    known = command.settings()["node-1"]
    return {key: known[key] for key in TUNED}


def insist(command: Command, *words: str, expect: int, **options: Any) -> Done:
    """Run until the incident is seen: on a busy machine one short window may show too little of it."""
    for _ in range(4):
        done = command.run(*words, **options)
        if done.returncode != 0 or expect == 0:
            break
    assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@contextmanager
def unchanged(command: Command, *, journal: bool = True) -> Iterator[None]:
    """Neither the node nor the journal is another afterwards."""
    before, entries = tuned(command), command.journal()
    yield
    assert tuned(command) == before
    if journal:
        assert command.journal() == entries


def test_a_node_that_accepts_and_ignores_a_setting(sick: Command) -> None:
    """14: seen by reading back, undone, recorded; a reason that is no text does not cost the report."""
    sick("sandbox", "inject", "ignore-config")
    try:
        with unchanged(sick, journal=False):
            done = insist(sick, *ACT, "--yes", "--json", "--reason", "caf\udce9", expect=14)
    finally:
        sick("sandbox", "clear", "ignore-config")
    document = json.loads(done.stdout)
    Draft202012Validator(schema("report.v1")).validate(document)
    assert document["data"]["run"]["status"] == "undone"
    sick("audit", "verify")
    sick("undo", document["data"]["run"]["id"], "--yes")  # there is nothing left to undo


def test_another_holders_lease(sick: Command) -> None:
    """11 with the holder, from whichever machine; the journal says nothing, since nothing was begun."""
    (node,) = sick.json("sandbox", "status")["data"]["nodes"]
    running = RunningNode(None, sick.state, int(node["url"].rpartition(":")[2]), sick.token("node-1"), sick.state)  # type: ignore[arg-type]  # it is asked, not ended
    theirs = {"holder": "bert@elsewhere", "run": "r9"}
    assert running.admin("POST", "lease", theirs | {"ttl_seconds": 60}).status == 200
    try:
        with unchanged(sick):
            done = insist(sick, *ACT, "--yes", expect=11)
    finally:
        running.admin("DELETE", "lease", theirs)
    assert "bert@elsewhere" in done.stderr


def test_another_run_on_this_machine(sick: Command) -> None:
    """11 with the run, who and where."""
    locks = FileLocks(sick.state / "locks", SystemClock(), "bert", "here")
    with unchanged(sick), locks.hold("target-sandbox", "r9"):
        done = insist(sick, *ACT, "--yes", "--json", expect=11)
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert (error["code"], error["name"]) == (11, "locked")
    assert "run r9 of bert on here" in error["message"]


def test_a_damaged_journal(sick: Command) -> None:
    """12 before anything is changed: what cannot be recorded is not done."""
    path = sick.state / "journal.jsonl"
    sound = path.read_bytes()
    damaged = bytearray(sound)
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    try:
        before = tuned(sick)
        done = insist(sick, *ACT, "--yes", expect=12)
        assert tuned(sick) == before
        assert path.read_bytes() == damaged
    finally:
        path.write_bytes(sound)
    assert "audit" in done.stderr
    sick("audit", "verify")


def test_a_disk_that_is_full(sick: Command) -> None:
    """16 when no file may grow, from the intent at the latest; the nodes are as they were."""
    full = ("prlimit", f"--fsize={(sick.state / 'journal.jsonl').stat().st_size}")
    with unchanged(sick):
        done = insist(sick, *ACT, "--yes", prefix=full, expect=16)
    assert "journal" in done.stderr
    sick("audit", "verify")


def test_a_journal_that_may_not_be_written(sick: Command) -> None:
    """16, with the file named."""
    path = sick.state / "journal.jsonl"
    path.chmod(0o400)
    try:
        with unchanged(sick):
            done = insist(sick, *ACT, "--yes", prefix=DENIED, expect=16)
    finally:
        path.chmod(0o600)
    assert str(path) in done.stderr


@pytest.mark.parametrize(
    ("content", "code"), [(None, 17), ("#!/bin/sh\necho 'no module named ansible' >&2\nexit 1\n", 14)]
)
def test_ansible_missing_or_broken(sick: Command, tmp_path: Path, content: str | None, code: int) -> None:
    """Missing: 17 before a run begins. Broken: a run that ends as undone, 14. Nothing is touched; one can still ask."""
    python = tmp_path / "python"
    python.symlink_to(Path(sys.executable).resolve())
    if content is not None:
        (tmp_path / "ansible-playbook").write_text(content)
        (tmp_path / "ansible-playbook").chmod(0o755)
    places = (sysconfig.get_path("purelib"), str(Path(__file__).parents[2]))
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": os.pathsep.join(places)}
    words = [str(python), "-m", "runbook"]
    with unchanged(sick, journal=False):
        insist(sick, *DIAGNOSE, words=words, environment=environment, expect=3)
        done = insist(sick, *ACT, "--yes", words=words, environment=environment, expect=code)
    assert "nsible" in done.stdout + done.stderr
    sick("audit", "verify")


def test_nobody_to_ask(sick: Command) -> None:
    """13 without a terminal and without --yes."""
    with unchanged(sick):
        done = insist(sick, *ACT, expect=13)
    assert "add --yes" in done.stderr


def test_asked_and_refused(sick: Command) -> None:
    """13 when every step is answered with no."""
    with unchanged(sick):
        for _ in range(4):
            code, shown = on_terminal([*sick.words, *ACT], sick.environment, sick.state, typed="nnn", columns=40)
            if code != 0:
                break
    assert code == 13, shown
    assert shown.count("[y/N]") == 3


def test_asked_and_agreed(sick: Command) -> None:
    """What is agreed to is taken, and no more; an undo asks too."""
    before = tuned(sick)
    known = len(sick.journal())
    for _ in range(4):
        code, shown = on_terminal([*sick.words, *ACT], sick.environment, sick.state, typed="nyn")
        if len(sick.journal()) > known:
            break
    assert tuned(sick) == before | {TUNED[1]: 0.05}, shown
    assert code in {0, 3, 4}, shown
    run = sick("runs", "--last", "--id").stdout.strip()
    assert on_terminal([*sick.words, "undo", run], sick.environment, sick.state, typed="n")[0] == 13
    assert tuned(sick) != before
    assert on_terminal([*sick.words, "undo", run], sick.environment, sick.state, typed="y")[0] == 0
    assert tuned(sick) == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_diagnosis_that_is_stopped(sick: Command, number: signal.Signals, code: int) -> None:
    """Nothing was changed, which is said; the code says who stopped it."""
    with unchanged(sick):
        process = sick.start("high-formation-rate", "--window", "60s")
        assert process.stderr is not None
        assert "measuring" in process.stderr.readline()
        os.kill(process.pid, number)
        _, told = process.communicate(timeout=30)
    assert process.returncode == code, told
    assert "no run was under way" in told
