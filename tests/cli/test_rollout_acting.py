"""Start, advance, watch, abort as commands on a real node: their documents, their words, their exit codes."""

import json
from pathlib import Path

import pytest
from command_line import Output, complaint, document

from runbook.adapters.heartbeat import FileHeartbeats
from runbook.cli import compose
from runbook.cli.root import run
from runbook.model.journal import Event

PLAN = """\
version: 1
name: brief
title: Two phases
check_every: 1s
bucket: 2s
phases:
  - name: shadow
    title: Nobody sees it
    flags: {dual_memory.enabled: true, dual_memory.enable_concepts: true, dual_memory.use_blended_recall: false}
    minimum: 1h
    triggers:
      - title: Recalls fail
        when: {above: 5, of: {metric: engram_recall_errors_total, how: part, whole: engram_recall_total}}
  - name: ramp
    title: Some
    flags: {dual_memory.use_blended_recall: true}
    shares: [0.25]
    fresh: {backup: 24h, rehearsal: 30d}
    approvals: {people: 1}
"""
WHY = ("--reason", "test")


@pytest.fixture
def plan(tmp_path: Path) -> str:
    """A plan that asks for a few things before its second phase."""
    place = tmp_path / "brief.yml"
    place.write_text(PLAN)
    return str(place)


def test_a_rollout_from_its_start_to_its_abort(target: Path, state: Path, plan: str, capsys: Output) -> None:
    """Each document fits its schema; what will be asked is told, what is shut in numbers; the watch says it ended."""
    assert complaint(capsys, "rollout", "start", "--plan", plan, expect=13)["hint"].startswith("say why")
    begun = document(capsys, "rollout", "start", "--plan", plan, *WHY)["data"]
    assert (begun["rollout"]["standing"], begun["rollout"]["stage_name"]) == ("running", "shadow")
    (later,) = begun["binding"]
    assert later["phase"] == "ramp"
    assert {gate.partition(":")[0] for gate in later["gates"]} == {
        "approval of the plan",
        "approval of ramp",
        "backup of prod-1",
        "rehearsal",
    }
    assert complaint(capsys, "rollout", "start", "--plan", plan, *WHY, expect=13)["hint"]

    held = document(capsys, "rollout", "advance", expect=13)["data"]
    shut = {gate["name"] for gate in held["gates"] if gate["answer"] == "NO"}
    assert "time of the stage" in shut
    assert held["done"] is None

    watched = document(capsys, "rollout", "watch", "--timeout", "2s", expect=4)["data"]
    assert watched["looks"] >= 1
    assert watched["answers"][0]["title"] == "Recalls fail"
    sign = FileHeartbeats(state).last("prod")
    assert sign is not None
    assert (sign.looks, sign.stage, sign.ended) == (watched["looks"], "shadow", "nothing was decided within 2 s")
    assert sign.silent == ()

    gone = document(capsys, "rollout", "abort", "--yes", *WHY)["data"]
    assert (gone["rollout"]["standing"], gone["rollout"]["why"]) == ("aborted", "test")
    assert gone["rollback"]["nodes"]
    assert gone["rollout"]["evidence"]
    assert document(capsys, "flags", "get")["data"]["settings"]


def test_what_took_a_share_to_nothing_is_never_undone(target: Path, plan: str, capsys: Output) -> None:
    """13; nor is it resumed: it is given again, and as long as that was not done, it has ended as 5."""
    assert run(["rollout", "start", "--plan", plan, *WHY]) == 0
    assert run(["config", "set", "treatment_spaces", "ours", "--yes", *WHY]) == 0
    assert run(["rollout", "abort", "--yes", *WHY]) == 0
    capsys.readouterr()
    back = document(capsys, "runs", "--last")["data"]["runs"][0]["id"]
    assert "no share is ever restored" in complaint(capsys, "undo", back, "--yes", expect=13)["message"]
    assert run(["resume", back]) == 0
    journal = compose.session().journal
    (began,) = [each for each in journal.entries() if each.event is Event.RUN_STARTED and each.run == back]
    killed = began.details["plan"] | {"id": "20261122T230000-cccc"}
    journal.append(Event.RUN_STARTED, killed["id"], {**began.details, "plan": killed})  # and then it was killed
    assert run(["resume", "20261122T230000-cccc"]) == 5
    assert "give it again: runbook rollout abort" in capsys.readouterr().out
    assert "treatment_spaces     (none)" in _config(capsys)


def test_what_it_says_to_people_and_a_prometheus_that_is_down_keeps_nobody_from_going_back(
    target: Path, state: Path, plan: str, capsys: Output
) -> None:
    """Gates with what to do about them; the way on and the way back after each command.

    Prometheus is down: UNKNOWN with the reason, 4, though the disk refuses the sign of life; an abort asks it nothing.
    """
    assert run(["rollout", "start", "--plan", plan, *WHY]) == 0
    told = capsys.readouterr().out
    assert "Before ramp is entered:" in told
    assert "runbook rollout abort --target prod" in told
    assert run(["rollout", "advance"]) == 13
    told = capsys.readouterr().out
    assert "NO       time of the stage: shadow has lasted" in told
    assert "Nothing was changed" in told

    place = target / "runbook.toml"
    place.write_text(place.read_text().replace("[targets.gone]", 'prometheus = "http://127.0.0.1:9"\n[targets.gone]'))
    (state / "watch").write_text("where no sign of life can be left it is watched all the same")
    watched = document(capsys, "rollout", "watch", "--once", expect=4)["data"]
    (asked,) = watched["answers"]
    assert asked["answer"] == "UNKNOWN"
    assert "127.0.0.1:9" in asked["arithmetic"]
    assert run(["rollout", "abort", "--yes", *WHY]) == 0
    assert "ABORTED" in capsys.readouterr().out
    assert document(capsys, "rollout", "status")["data"]["rollout"]["standing"] == "aborted"


def _config(capsys: Output) -> str:
    capsys.readouterr()
    assert run(["config", "get"]) == 0
    return capsys.readouterr().out


def test_an_abort_needs_no_journal_that_reads(target: Path, state: Path, plan: str, capsys: Output) -> None:
    """What cannot be known is turned off all the same, and told."""
    assert run(["rollout", "start", "--plan", plan, *WHY]) == 0
    journal = state / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"seq":2', b'"seq":7', 1))
    capsys.readouterr()
    code = run(["rollout", "abort", "--yes", *WHY, "--json"])
    told = capsys.readouterr()
    assert "THE JOURNAL DOES NOT READ" in told.err
    assert code == 0, told.err
    assert json.loads(told.out)["kind"] == "rollback"
