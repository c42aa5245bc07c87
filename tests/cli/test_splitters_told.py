"""What splits the traffic is told by the commands that look at a fleet; one that is silent hides nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Output, document
from peers import Peer, http

from runbook.cli.root import run

RATE, SALT, SPACES = (f"dual_memory.treatment_{word}" for word in ("rate", "salt", "spaces"))


@pytest.fixture
def splitter(target: Path) -> Iterator[Peer]:
    """One in front of the node of `prod`, which takes half of the spaces."""
    with Peer(lambda _: http({RATE: 0.5, SALT: "pepper", SPACES: ["ours"]})) as peer:
        place = target / "prod.yml"
        found = json.loads(place.read_text())
        found["all"]["hosts"]["split-1"] = {"engram_splitter_url": peer.url}
        place.write_text(json.dumps(found))
        yield peer


def test_nodes_and_doctor_tell_what_it_splits_by(splitter: Peer, capsys: Output) -> None:
    """Share, salt and how many names; it is no node, and nothing of a node is asked of it."""
    found = document(capsys, "nodes")["data"]
    assert [each["node"] for each in found["nodes"]] == ["prod-1"]
    told = {"splitter": "split-1", "url": splitter.url, "silence": None}
    assert found["splitters"] == [told | {"share": 0.5, "salt": "pepper", "spaces": ["ours"]}]
    assert run(["nodes"]) == 0
    assert "splits the traffic: share 50.00% by salt 'pepper', 1 spaces by name" in capsys.readouterr().out
    checks = {each["name"]: each for each in document(capsys, "doctor")["data"]["checks"]}
    assert checks["split-1"]["good"]
    assert "share 50.00%" in checks["split-1"]["found"]
    assert "1 node, 1 splitter," in checks["target"]["found"]
    assert {each.path for each in splitter.requests} == {"/engram-splitter"}


def test_the_group_now_is_the_splitters_word(splitter: Peer, capsys: Output) -> None:
    """Where no rollout tells it; the node's own share, which is everybody, has no part in it."""
    found = document(capsys, "abtest", "assign", "ours", "a", "b", "c", "d", "e", "f", "g", "h")["data"]
    groups = {each["space"]: each["group"] for each in found["spaces"]}
    assert (found["salt"], found["source"]) == ("pepper", "the splitters")
    assert groups["ours"] == "treatment"
    assert set(groups.values()) == {"treatment", "control"}
    assert splitter.requests


def test_a_name_that_no_splitter_tells_apart_is_control(splitter: Peer, capsys: Output) -> None:
    """Whatever its hash is: nginx does not look at it."""
    assert splitter.url
    names = [f"team {letter}" for letter in "abcdefgh"]
    data = document(capsys, "abtest", "assign", "ours", *names)["data"]
    assert [each["group"] for each in data["spaces"]] == ["treatment", *["control"] * 8]
    assert {each["stage"] for each in data["spaces"][1:]} == {None}
    assert "any other one is control there" in data["told"][0]


def test_one_that_is_silent_is_told(splitter: Peer, capsys: Output) -> None:
    """UNKNOWN, not a share of nothing: 4 of `nodes`, 3 of `doctor`; the node is told all the same."""
    splitter.answer = lambda _: http("<html>Welcome to nginx!</html>")
    found = document(capsys, "nodes", expect=4)["data"]
    assert found["nodes"][0]["silence"] is None
    assert (found["splitters"][0]["share"], found["splitters"][0]["silence"]) == (
        None,
        "answered with HTML instead of JSON",
    )
    checks = {each["name"]: each for each in document(capsys, "doctor", expect=3)["data"]["checks"]}
    assert (checks["prod-1"]["good"], checks["split-1"]["good"]) == (True, False)


def test_whoever_sets_the_share_of_a_node_is_told_that_a_splitter_decides(splitter: Peer, capsys: Output) -> None:
    """Only for what it decides; and the splitter is not touched."""
    assert run(["config", "set", "treatment_rate", "0.5", "--dry-run"]) == 0
    assert "who is treated on prod is what split-1 says" in capsys.readouterr().err
    assert run(["config", "set", "semantic_weight", "0.5", "--dry-run"]) == 0
    assert "split-1" not in capsys.readouterr().err
    assert splitter.requests == []
