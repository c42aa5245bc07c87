"""Commands against upstream Engram 0.1, over real HTTP: what exists is read, the rest is said, no harm is done."""

import json
import os
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from running_node import RunningNode
from upstream_fleet import UpstreamFleet
from upstream_metrics import UpstreamMetrics

from runbook.cli.issue import known_issues
from runbook.cli.root import run
from runbook.material import schema

Output = pytest.CaptureFixture[str]
SHORT = ("--window", "1s")


def told(capsys: Output, *words: str, expect: int) -> Any:
    """The data of the one document that the command prints."""
    code = run([*words, "--json"])
    said = capsys.readouterr()
    assert code == expect, said.out + said.err
    document = json.loads(said.out)
    Draft202012Validator(schema("report.v1")).validate(document)
    return document["data"]


def test_nodes_says_what_each_is_and_can(fleet: UpstreamFleet, capsys: Output) -> None:
    """From what it answers, not from its version: health, counts, kind of metrics; and every reason."""
    nodes = told(capsys, "nodes", expect=0)["nodes"]
    assert [node["node"] for node in nodes] == ["up-1", "up-2"]
    found = nodes[0]["capabilities"]
    assert (found["version"], found["health"]) == ("engram 0.1.0", "healthy")
    assert {ability["answer"] for ability in found["abilities"].values()} == {"NO"}
    assert {ability["reason"] for ability in found["abilities"].values()} == {"not supported by this node (HTTP 404)"}
    assert found["metrics"]["kind"] == "upstream Engram 0.1"
    assert found["spaces"] == [{"space": "default", "memories": 0}]
    assert run(["nodes"]) == 0
    text = capsys.readouterr().out
    assert "nothing of it can be changed while it runs" in text
    fleet.unharmed()


def test_nodes_times_recalls_and_reads_memory_when_asked(fleet: UpstreamFleet, capsys: Output) -> None:
    """Ten recalls of a space that is there; the kernel's numbers of the process that the PID file names."""
    node, _ = told(capsys, "nodes", "--recall", "--memory", expect=0)["nodes"]
    assert len(node["recall"]["seconds"]) == 10
    assert all(0 < seconds < 5 for seconds in node["recall"]["seconds"])
    assert node["memory"]["document"]["pid"] == os.getpid()
    assert node["memory"]["document"]["anonymous_bytes"] > 1_000_000
    assert run(["nodes", "--recall", "--memory"]) == 0
    text = capsys.readouterr().out
    assert "10 in space default: median" in text
    assert "RssAnon" in text
    fleet.unharmed()


def test_a_space_that_is_not_there_is_never_named_to_a_server(fleet: UpstreamFleet, capsys: Output) -> None:
    """Naming it would make it; the person is told which there are."""
    node, _ = told(capsys, "nodes", "--recall", "--space", "tenant-a", expect=4)["nodes"]
    assert node["recall"]["seconds"] == []
    assert "it has no space tenant-a; not asked" in node["recall"]["reason"]
    assert "default" in node["recall"]["reason"]
    fleet.unharmed()


def test_a_name_that_no_space_can_have_is_refused(fleet: UpstreamFleet, capsys: Output) -> None:
    """Before anything is sent."""
    for name in ("", "ä", "a b", "a\r\nX-Evil: 1"):
        assert run(["nodes", "--recall", "--space", name]) == 2
    assert [server.asked for server in fleet.servers.values()] == [[], []]


def test_an_unhealthy_server_is_bad_news(fleet: UpstreamFleet, capsys: Output) -> None:
    """503 with a body is an answer, and is read."""
    fleet.servers["up-2"].healthy = False
    _, node = told(capsys, "nodes", expect=3)["nodes"]
    assert node["capabilities"]["health"] == "unhealthy"
    assert node["capabilities"]["spaces"] == [{"space": "default", "memories": 0}]


def test_a_server_that_wants_a_key_is_not_taken_for_a_dead_one(fleet: UpstreamFleet, capsys: Output) -> None:
    """With a key every route wants it, health too; with the key in the token file all is as without."""
    key = "engram_key_abcdefghijklmnopqrstuvwx_" + "s" * 32
    for server in fleet.servers.values():
        server.api_key = key
    (node, _) = told(capsys, "nodes", expect=4)["nodes"]
    assert "refused the token (HTTP 401)" in node["silence"]
    data = told(capsys, "high-formation-rate", *SHORT, expect=4)
    assert "HTTP 401" in data["nodes"][0]["silence"]
    token = fleet.folder / "key"
    token.touch(mode=0o600)
    token.write_text(key)
    fleet.write(engram_token_file=str(token))
    (node, _) = told(capsys, "nodes", expect=0)["nodes"]
    assert node["capabilities"]["version"] == "engram 0.1.0"


def test_doctor_says_what_each_node_can(fleet: UpstreamFleet, capsys: Output) -> None:
    """Such a node is not as this tool needs it: bad news, with the reasons."""
    checks = {check["name"]: check for check in told(capsys, "doctor", expect=3)["checks"]}
    assert not checks["up-1"]["good"]
    for words in (
        "runtime flags, configuration, leases",
        "not supported by this node",
        "metrics: its metrics are those of upstream Engram 0.1",
    ):
        assert words in checks["up-1"]["found"]
    assert "docs/explanation/upstream-server.md" in checks["up-1"]["hint"]
    assert checks["target"]["good"]
    fleet.unharmed()


@pytest.mark.parametrize("slug", [issue.slug for issue in known_issues()])
@pytest.mark.parametrize("more", [(), ("--act", "--yes", "--reason", "drill")], ids=["diagnose", "act"])
def test_an_incident_cannot_be_told_and_nothing_is_done(
    fleet: UpstreamFleet, capsys: Output, slug: str, more: tuple[str, ...]
) -> None:
    """Exit 4, each answer UNKNOWN with its reason; a counter that looks like ours is not taken for it."""
    data = told(capsys, slug, *SHORT, *more, expect=4)
    for node in data["nodes"]:
        assert "its metrics are those of upstream Engram 0.1" in node["silence"]
        answers = {finding["answer"] for finding in [*node["symptoms"], *node["checks"]]}
        assert answers == {"UNKNOWN"}
        assert all("not supported by this node" in finding["arithmetic"] for finding in node["checks"])
    assert not any(step["changes"] for step in data["plan"])
    assert not (fleet.folder / "state" / "journal.jsonl").exists()
    fleet.unharmed()


def test_an_idle_server_tells_nothing_and_that_is_not_zero(fleet: UpstreamFleet, capsys: Output) -> None:
    """An empty body with 200."""
    for server in fleet.servers.values():
        server.metrics = UpstreamMetrics(idle=True)
    data = told(capsys, "high-formation-rate", *SHORT, expect=4)
    assert "does that while it is idle" in data["nodes"][0]["silence"]
    assert data["present"] == "UNKNOWN"


def test_metrics_are_not_asked_for_faster_than_every_five_seconds(fleet: UpstreamFleet, capsys: Output) -> None:
    """Each request makes such a server forget what it would have recorded in the next ten milliseconds."""
    told(capsys, "high-formation-rate", "--window", "6s", expect=4)
    for server in fleet.servers.values():
        pauses = [after - before for before, after in zip(server.scraped, server.scraped[1:], strict=False)]
        assert [pause for pause in pauses[:-1] if pause < 5.0] == [], pauses
        assert len(server.scraped) <= 3  # two observations, and one that looked for settings


def test_no_baseline_is_made_of_nothing(fleet: UpstreamFleet, capsys: Output) -> None:
    """And none is kept."""
    code = run(["baseline", "capture", *SHORT])
    said = capsys.readouterr()
    assert code == 17, said
    assert "upstream Engram 0.1" in said.out + said.err
    assert run(["baseline", "show"]) == 4
    fleet.unharmed()


def test_in_a_mixed_fleet_each_node_is_what_it_is(fleet: UpstreamFleet, node: RunningNode, capsys: Output) -> None:
    """A node that can is not held back in what is read; nothing is said to have been set where it cannot be."""
    document = json.loads(fleet.inventory.read_text())
    ours = {"engram_url": node.url, "engram_token_file": str(node.token_file)}
    document["all"]["hosts"] = {"a-ours": ours, "up-1": document["all"]["hosts"]["up-1"]}
    fleet.inventory.write_text(json.dumps(document))
    found = {each["node"]: each["capabilities"] for each in told(capsys, "nodes", expect=0)["nodes"]}
    kinds = {name: each["metrics"]["kind"] for name, each in found.items()}
    assert kinds == {"a-ours": "operations contract", "up-1": "upstream Engram 0.1"}
    data = told(capsys, "high-formation-rate", *SHORT, expect=4)
    assert [(each["node"], each["present"]) for each in data["nodes"]] == [("a-ours", "NO"), ("up-1", "UNKNOWN")]
    data = told(capsys, "flags", "get", expect=5)
    assert [each["node"] for each in data["silent"]] == ["up-1"]
    assert all(set(each["values"]) == {"a-ours"} for each in data["settings"])
    assert run(["flags", "set", "dual_memory.enable_concepts=false", "--yes", "--reason", "test"]) not in {0, 1}
    said = capsys.readouterr()
    assert "up-1" in said.out + said.err
    fleet.unharmed()
