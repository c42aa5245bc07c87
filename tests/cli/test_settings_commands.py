"""`runbook flags` and `runbook config` on a real node through real Ansible: codes, documents, refusals, Tab."""

import os
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete
from command_line import WORDS, Output, complaint, document
from running_node import RunningNode
from terminal import on_terminal

from runbook.cli.root import cli, run

REASON = ("--yes", "--reason", "a test")
CONCEPTS = "dual_memory.enable_concepts"
WEIGHT = "dual_memory.semantic_weight"


@pytest.fixture
def both(target: Path, shared_node: RunningNode) -> RunningNode:
    """The target `prod` is one node that answers and one that is dead."""
    text = (target / "prod.yml").read_text()
    (target / "prod.yml").write_text(
        text.replace('"hosts": {', '"hosts": {"prod-2": {"engram_url": "http://127.0.0.1:9"}, ')
    )
    return shared_node


def values(found: dict[str, Any]) -> dict[str, Any]:
    """Each setting's values of a document of `get`."""
    return {each["key"]: each["values"] for each in found["data"]["settings"]}


def test_get_shows_what_was_asked_for(target: Path, capsys: Output) -> None:
    """All of a kind, or those that were named, by long and short names."""
    assert list(values(document(capsys, "flags", "get"))) == [
        "dual_memory.enabled",
        CONCEPTS,
        "dual_memory.use_blended_recall",
    ]
    assert values(document(capsys, "config", "get", "semantic_weight", WEIGHT)) == {WEIGHT: {"prod-1": 0.3}}
    assert run(["config", "get", "semantic_weight"]) == 0
    assert capsys.readouterr().out == f"{WEIGHT}  0.3\n"
    assert "enable_concepts?" in complaint(capsys, "flags", "get", "enabel_concepts", expect=2)["hint"]
    assert "prod-1" in complaint(capsys, "flags", "get", "--node", "prod-9", expect=2)["hint"]


def test_a_dead_node_hides_nothing(both: RunningNode, capsys: Output) -> None:
    """It is named, with 5; alone it is 10; drift is then not told (4)."""
    found = document(capsys, "flags", "get", expect=5)["data"]
    assert [each["node"] for each in found["silent"]] == ["prod-2"]
    assert document(capsys, "flags", "get", "--node", "prod-1")["data"]["silent"] == []
    assert complaint(capsys, "flags", "get", "--node", "prod-2", expect=10)["hint"]
    assert complaint(capsys, "flags", "get", "--target", "gone", expect=10)["hint"]
    assert document(capsys, "flags", "drift", expect=4)["data"]["drifts"] == []
    assert run(["flags", "get"]) == 5
    assert "prod-2 could not be asked" in capsys.readouterr().out


def test_set_history_drift_undo(both: RunningNode, capsys: Output) -> None:
    """One life of a setting: set on who answers (5), again (nothing to do), drifted behind our back, undone."""
    done = document(capsys, "config", "set", "semantic_weight", "0.4", *REASON, expect=5)["data"]
    assert (done["run"]["status"], [each["node"] for each in done["left_out"]]) == ("done", ["prod-2"])
    assert both.admin("GET", "config").json[WEIGHT] == 0.4
    again = document(capsys, "config", "set", f"{WEIGHT}=0.4", "--node", "prod-1", *REASON)["data"]
    assert (again["run"], again["steps"], len(again["already"])) == (None, [], 1)
    (change,) = document(capsys, "config", "history", "semantic_weight")["data"]["changes"]
    assert (change["node"], change["old"], change["new"], change["reason"]) == ("prod-1", 0.3, 0.4, "a test")
    assert document(capsys, "config", "drift", "--node", "prod-1")["data"]["drifts"] == []
    both.admin("PATCH", "config", {WEIGHT: 0.6})
    (drift,) = document(capsys, "config", "drift", expect=3)["data"]["drifts"]
    assert (drift["value"], drift["expected"], drift["measure"]) == (0.6, 0.4, "last set")
    assert run(["config", "drift"]) == 3
    told = capsys.readouterr().out
    assert "semantic_weight is 0.6, last set to 0.4 by" in told
    assert f"runbook config set {WEIGHT} 0.4 --target prod --node prod-1" in told
    both.admin("PATCH", "config", {WEIGHT: 0.4})
    assert run(["undo", done["run"]["id"], "--yes", "--reason", "enough"]) == 0
    assert both.admin("GET", "config").json[WEIGHT] == 0.3
    capsys.readouterr()
    assert run(["config", "history", "--last", "1"]) == 0
    assert "prod-1: 0.4 -> 0.3" in capsys.readouterr().out


def test_what_is_refused_before_anything_is_touched(target: Path, shared_node: RunningNode, capsys: Output) -> None:
    """No reason in production, no terminal to ask on, a value out of range, nothing to set."""
    before = shared_node.admin("GET", "features").json
    assert "--reason" in complaint(capsys, "flags", "set", "enabled", "false", "--yes", expect=13)["hint"]
    assert complaint(capsys, "flags", "set", "enabled", "false", "--reason", "x", expect=13)["hint"] == "add --yes"
    assert complaint(capsys, "config", "set", "semantic_weight", "7", *REASON, expect=2)["hint"] == "allowed: 0 to 1"
    assert complaint(capsys, "flags", "set", "enabled", *REASON, expect=2)["hint"]
    assert complaint(capsys, "flags", "set", *REASON, expect=2)["hint"]
    plan = document(capsys, "flags", "set", "enabled", "false", "--dry-run")["data"]
    assert (plan["risk"], plan["run"], len(plan["steps"])) == ("disruptive", None, 1)
    assert shared_node.admin("GET", "features").json == before
    assert document(capsys, "flags", "history")["data"]["changes"] == []


def test_the_person_is_asked_once_with_all_there_is_to_know(
    target: Path, shared_node: RunningNode, tmp_path: Path, capsys: Output
) -> None:
    """Old and new value, risk and nodes stand above the question, with --json too; no is no (13), yes is done."""
    words = [*WORDS, "flags", "set", "enable_concepts=false", "--reason", "a test"]
    for more, answer, expect in ((["--json"], "n", 13), ([], "n", 13), ([], "y", 0)):
        code, shown = on_terminal([*words, *more], os.environ, tmp_path, typed=answer, columns=120)
        question = shown.partition("[y/N]")[0]
        assert (code, shown.count("[y/N]")) == (expect, 1), shown
        assert "prod-1: true -> false" in question
        assert "on 1 node (risk disruptive)?" in question
        assert shared_node.admin("GET", "features").json[CONCEPTS] is (answer == "n")
    assert run(["runs", "--last", "--id"]) == 0
    assert run(["undo", capsys.readouterr().out.strip(), "--yes", "--reason", "a test"]) == 0


@pytest.mark.parametrize(
    ("words", "incomplete", "offered"),
    [
        (["flags", "get"], "dual_memory.enable_", [CONCEPTS]),
        (["flags", "get"], "use", ["use_blended_recall"]),
        (["flags", "set"], "enable_", ["enable_concepts"]),
        (["flags", "set", "enabled"], "", ["true", "false"]),
        (["flags", "set", "enabled=true"], "use", ["use_blended_recall"]),
        (["flags", "set", "enabled", "true"], "use", ["use_blended_recall"]),
        (["config", "set", "semantic_weight"], "", []),
        (["config", "get", "--node"], "", ["prod-1"]),
        (["config", "get", "--target", "gone", "--node"], "", ["gone-1"]),
        (["flags", "drift", "--target"], "", ["gone", "prod"]),
        (["flags", "drift", "--target", "nonsense", "--node"], "", []),
    ],
)
def test_tab_offers_what_there_is(target: Path, words: list[str], incomplete: str, offered: list[str]) -> None:
    """Keys, values, nodes and targets; where something is wrong it offers nothing, and does not fail."""
    found = ShellComplete(cli, {}, "runbook", "_RUNBOOK_COMPLETE").get_completions(words, incomplete)
    assert [each.value for each in found] == offered
