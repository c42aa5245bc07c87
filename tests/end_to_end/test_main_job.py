"""The main job for real: a fleet, an injected incident, diagnosis, action through Ansible, recovery, undo, audit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from end_to_end_fleet import Command, sick_fleet
from jsonschema import Draft202012Validator

from runbook.material import schema

THRESHOLD = "dual_memory.coherence_threshold"
SAMPLE_RATE = "dual_memory.concept_sample_rate"
CLUSTER_SIZE = "dual_memory.min_cluster_size"
TUNED = (THRESHOLD, SAMPLE_RATE, CLUSTER_SIZE)

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Two sick nodes: the tutorial, which is executed too, does it on three."""
    with sick_fleet(tmp_path_factory.mktemp("state"), 2) as command:
        yield command


def tuned(command: Command) -> dict[str, dict[str, Any]]:
    """What the runbook tunes, node by node."""
    return {node: {key: known[key] for key in TUNED} for node, known in command.settings().items()}


def valid(document: dict[str, Any]) -> dict[str, Any]:
    """The document, which fits the schema of reports."""
    Draft202012Validator(schema("report.v1")).validate(document)
    return document


def test_the_whole_incident(fleet: Command) -> None:
    """Found with numbers, mended through Ansible, watched, undone node by node, and all of it in a sound journal."""
    before = tuned(fleet)
    found = valid(fleet.json("high-formation-rate", expect=3))
    assert found["data"]["present"] == "YES"
    assert {node["present"] for node in found["data"]["nodes"]} == {"YES"}
    assert tuned(fleet) == before, "a diagnosis changes nothing"
    refused = fleet("baseline", "capture", "--window", "3s", expect=13)
    assert "0.3 < default 0.65" in refused.stderr, "an incident is not called usual"

    acted = valid(fleet.json("high-formation-rate", "--act", "--yes", "--watch", "120s", "--reason", "test"))
    run = acted["data"]["run"]
    assert run["status"] == "recovered"
    assert tuned(fleet) == {node: {THRESHOLD: 0.65, SAMPLE_RATE: 0.05, CLUSTER_SIZE: 5} for node in before}

    again = valid(fleet.json("high-formation-rate", "--act", "--yes", "--window", "5s"))
    assert again["kind"] == "diagnosis"
    assert again["data"]["present"] == "NO", "with nothing wrong, acting does nothing"

    assert fleet("runs", "--last", "--id").stdout.strip() == run["id"]
    assert valid(fleet.json("undo", run["id"], "--yes"))["data"]["run"]["status"] == "done"
    assert tuned(fleet) == before, "every value is back, on every node"
    assert valid(fleet.json("runs"))["data"]["runs"][0]["undone_by"]
    assert valid(fleet.json("audit", "verify"))["exit_code"] == 0


def test_one_flipped_byte_of_the_journal_is_found(fleet: Command, tmp_path: Path) -> None:
    """The journal of a real run does not verify any more once a single byte differs."""
    copy = Command(tmp_path)
    for name in ("journal.jsonl", "journal.head", "journal.key"):
        (tmp_path / name).write_bytes((fleet.state / name).read_bytes())
    copy("audit", "verify")
    data = bytearray((tmp_path / "journal.jsonl").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "journal.jsonl").write_bytes(data)
    copy("audit", "verify", expect=12)


def test_no_secret_is_anywhere(fleet: Command) -> None:
    """The nodes' admin tokens are in no file of the state folder but their own."""
    tokens = {fleet.token(node["name"]).encode() for node in fleet.json("sandbox", "status")["data"]["nodes"]}
    files = [path for path in fleet.state.rglob("*") if path.is_file() and path.name != "admin.token"]
    assert files
    for path in files:
        content = path.read_bytes()
        assert not any(token in content for token in tokens), path
