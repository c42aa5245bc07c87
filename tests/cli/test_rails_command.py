"""`runbook approve`, a rest after a rollback, and what `doctor` says of rails, open runs and tokens."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from command_line import Output, complaint, document
from running_node import RunningNode

from runbook.adapters.ansible import environment
from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.cli.root import run
from runbook.engine.history import details_of
from runbook.model.finding import Change
from runbook.model.journal import Event
from runbook.model.run import RunPlan, RunStep

KEY = "dual_memory.concept_sample_rate"
SET = ("config", "set", f"{KEY}=0.07", "--yes", "--reason", "page 4711")


def value(node: RunningNode) -> object:
    """What the node has."""
    return node.admin("GET", "config").json[KEY]


@pytest.fixture(autouse=True)
def _as_it_was(shared_node: RunningNode) -> Iterator[None]:
    """The next test finds the default."""
    yield
    assert shared_node.admin("PATCH", "config", {KEY: 0.1}).status == 200


def with_rails(target: Path, **rails: str | int) -> None:
    """The target `prod` with those rails."""
    said = "".join(f"{key} = {json.dumps(value)}\n" for key, value in rails.items())
    path = target / "runbook.toml"
    path.write_text(f"{path.read_text().split('[targets.prod.rails]')[0]}[targets.prod.rails]\n{said}")


def tell(state: Path, plan: RunPlan, *events: tuple[Event, dict[str, Any]]) -> None:
    """Journal a run as another command would."""
    state.mkdir(mode=0o700, exist_ok=True)
    journal = FileJournal(state, SystemClock(), "bert", "bastion")
    journal.append(Event.RUN_STARTED, plan.id, {"plan": details_of(plan), "environment": "production"})
    for event, details in events:
        journal.append(event, plan.id, details)


def changing(run_id: str, issue: str) -> RunPlan:
    """A run that changed the one node."""
    step = RunStep(1, "a step", "set_config", "restore_config", KEY, (Change("prod-1", KEY, 0.2, 0.1),))
    return RunPlan(run_id, issue, issue, "prod", "", (step,))


def named(doctor: dict[str, Any], name: str) -> dict[str, Any]:
    """The one check of that name."""
    (found,) = [check for check in doctor["data"]["checks"] if check["name"] == name]
    return dict(found)


def test_a_change_by_hand_waits_and_is_carried_out(
    target: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch, shared_node: RunningNode
) -> None:
    """Asked for by one, approved by another; what `--json` says of it at each point."""
    with_rails(target, require_approval="low")
    monkeypatch.setenv("SUDO_USER", "anna")
    waits = complaint(capsys, *SET, expect=13)["run"]
    (told,) = document(capsys, "runs")["data"]["runs"]
    assert (told["id"], told["status"], told["approval"]["given_by"]) == (waits, "waiting", None)
    assert complaint(capsys, "approve", waits, "--yes", expect=13)["run"] == waits
    monkeypatch.setenv("SUDO_USER", "bert")
    (told,) = document(capsys, "approve", waits, "--yes")["data"]["runs"]
    assert (told["approval"]["asked_by"], told["approval"]["given_by"]) == ("anna", "bert")
    assert len(told["approval"]["digest"]) == 64
    assert document(capsys, "resume", waits)["data"]["run"]["status"] == "done"
    assert value(shared_node) == 0.07
    assert complaint(capsys, "approve", waits, "--yes", expect=13)["message"].endswith("it is done")
    assert document(capsys, "undo", waits, "--yes")["data"]["run"]["status"] == "done"
    assert value(shared_node) == 0.1


def test_after_a_rollback_a_run_waits_until_the_rollback_is_undone(
    target: Path, state: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an hour, in production, without being told to; and `runbook undo` withdraws what waits."""
    host = {"host": "prod-1", "state": "changed", "old": 0.2, "read_back": 0.1, "message": ""}
    outcome = {"step": 1, "done": True, "hosts": [host]}
    events = ((Event.STEP_OUTCOME, outcome), (Event.RUN_ENDED, {"status": "done"}))
    tell(state, changing("rollback-1", "rollback"), *events)
    monkeypatch.setenv("SUDO_USER", "anna")
    refused = complaint(capsys, *SET, expect=13)
    assert "rollback rollback-1 was" in refused["message"]
    assert "< cool_down 30 minutes" in refused["message"]
    assert document(capsys, "undo", refused["run"])["data"]["runs"][0]["status"] == "withdrawn"
    assert document(capsys, "undo", "rollback-1", "--yes")["data"]["run"]["status"] == "done"
    done = document(capsys, *SET)["data"]["run"]["id"]
    document(capsys, "undo", done, "--yes")


def test_what_was_interrupted_before_a_rollback_only_goes_back(target: Path, state: Path, capsys: Output) -> None:
    """It is not resumed while the target rests; it can be undone."""
    tell(state, changing("run-1", "settings"), (Event.STEP_INTENT, {"step": 1, "mark": "m", "changes": []}))
    tell(state, changing("rollback-1", "rollback"), (Event.STEP_INTENT, {"step": 1, "mark": "m", "changes": []}))
    assert "cool_down" in complaint(capsys, "resume", "run-1", expect=13)["message"]
    assert document(capsys, "undo", "run-1", "--yes")["exit_code"] == 0


def test_doctor_shows_rails_and_names_what_stands_open(target: Path, state: Path, capsys: Output) -> None:
    """An open run is no good sign; a run that waits is none of a bad one."""
    with_rails(target, max_hosts_per_run=3, allowed_risk="medium", cool_down="0s")
    found = named(document(capsys, "doctor"), "rails")["found"]
    assert found == "a reason is needed; 3 nodes a run; risk up to medium"
    tell(state, changing("run-1", "settings"))
    assert "runbook resume run-1" in named(document(capsys, "doctor", expect=3), "open run")["found"]


@pytest.mark.parametrize(("token", "hint"), [("wrong", "token"), (None, "chmod 600")])
def test_doctor_knows_a_wrong_token_from_a_dead_node(
    target: Path, capsys: Output, tmp_path: Path, token: str | None, hint: str
) -> None:
    """A node that says 401 is running; a token file that is not there is said once, and refused everywhere else."""
    inventory = json.loads((target / "prod.yml").read_text())
    inventory["all"]["hosts"]["prod-1"]["engram_token_file"] = str(tmp_path / "a.token")
    (target / "prod.yml").write_text(json.dumps(inventory))
    if token is not None:
        (tmp_path / "a.token").write_text(token)
        (tmp_path / "a.token").chmod(0o600)
    else:
        assert "does not exist" in complaint(capsys, "baseline", "capture", expect=13)["message"]
    checks = document(capsys, "doctor", expect=3)["data"]["checks"]
    bad = [check for check in checks if not check["good"]]
    assert hint in bad[-1]["hint"]
    assert "running" not in bad[-1]["hint"]


def test_a_question_waits_as_long_as_the_target_says(
    target: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but a yes is a yes: who cannot be asked does not approve; and what waits can be withdrawn."""
    with_rails(target, require_approval="low", approval_expires="10m")
    waits = complaint(capsys, *SET, expect=13)["run"]
    monkeypatch.setenv("SUDO_USER", "bert")
    assert complaint(capsys, "approve", waits, expect=13)["hint"] == "add --yes"
    assert run(["undo", waits]) == 0
    assert "withdrawn" in capsys.readouterr().out
    assert timedelta(minutes=10).total_seconds() == document(capsys, "runs")["data"]["runs"][0]["approval"]["seconds"]


def test_a_doctor_finds_ansible_missing(target: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package that is installed is not enough: its command is what plays are run by."""
    found = named(document(capsys, "doctor"), "ansible")
    assert found["good"]
    assert found["found"].endswith("/ansible-playbook")
    monkeypatch.setattr(environment, "_search_path", lambda: "/nowhere")
    found = named(document(capsys, "doctor", expect=3), "ansible")
    assert (found["good"], found["found"]) == (False, "ansible-playbook was not found")
    assert found["hint"]
