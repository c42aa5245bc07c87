"""`runbook abtest assign` and `report`, on a real node with ten spaces whose buckets are a second long."""

import io
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from command_line import Output, complaint, document
from peers import Peer, http
from running_node import RunningNode, StartNode, wait_until

from runbook.adapters.clock import SystemClock
from runbook.adapters.journal import FileJournal
from runbook.cli.root import run
from runbook.engine.rollout import record
from runbook.engine.rollout.plan.document import details_of, digest_of
from runbook.model.assignment import in_treatment
from runbook.model.journal import Event
from runbook.model.judgement import Guardrail, Metric
from runbook.model.rollout import Judging, Phase, RolloutPlan, Standing

SALT = "abtest"
SPACES = tuple(f"space-{number}" for number in range(10))
TREATED = tuple(space for space in SPACES if in_treatment(space, salt=SALT, share=0.5))
GUARDRAILS = (Guardrail(Metric.LATENCY, 0.10),)
LOOK = timedelta(seconds=1)


def plan(*shares: float) -> RolloutPlan:
    """A plan whose stages have these shares, in buckets of a second."""
    phase = Phase("half", "Half", "why", {}, shares=shares, hold=LOOK * 5, judging=Judging(GUARDRAILS, LOOK))
    return RolloutPlan("small", "Small", (phase,), bucket=LOOK, salt=SALT)


@pytest.fixture(scope="module")
def ab_node(start_shared_node: StartNode) -> RunningNode:
    """A node with the spaces; nobody is treated yet, and treatment takes five times as long."""
    node = start_shared_node(None, "--cell-seconds", "1")
    for space in SPACES:
        assert node.ask("POST", "/api/v1/spaces", {"id": space}).status == 201
        assert node.remember("the release was rolled back", space).status in {200, 201}
    share(node, 0.0)
    slower = node.admin("POST", "chaos/latency", {"percent": 400.0, "milliseconds": 20.0, "group": "treatment"})
    assert slower.status in {200, 201, 204}, slower.body
    return node


@pytest.fixture
def fleet(tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch, ab_node: RunningNode) -> RunningNode:
    """The target `prod` is that node."""
    host = {"engram_url": ab_node.url, "engram_token_file": str(ab_node.token_file)}
    (tmp_path / "prod.yml").write_text(json.dumps({"all": {"hosts": {"prod-1": host}}}))
    (tmp_path / "runbook.toml").write_text(
        'version = 1\ndefault_target = "prod"\n[targets.prod]\nenvironment = "production"\ninventory = "prod.yml"\n'
    )
    monkeypatch.setenv("RUNBOOK_CONFIG", str(tmp_path / "runbook.toml"))
    return ab_node


def share(node: RunningNode, rate: float) -> None:
    """Set the node's own share."""
    wanted = {"dual_memory.treatment_rate": rate, "dual_memory.treatment_salt": SALT}
    assert node.admin("PATCH", "config", wanted).status == 200


def recall_everywhere(node: RunningNode) -> None:
    """Once in every space."""
    for space in SPACES:
        assert node.recall("which release", space).status == 200


def buckets(node: RunningNode) -> int:
    """How many buckets the node has of its spaces."""
    return len({cell["bucket"] for cell in node.admin("GET", "cells?since=0").json["cells"]})


def recall_for(node: RunningNode, more: int) -> None:
    """Recall everywhere until there are so many buckets more."""
    goal = buckets(node) + more

    def there() -> bool:
        recall_everywhere(node)
        return buckets(node) >= goal

    wait_until(there, "the node's buckets do not grow")


def journal(state: Path) -> FileJournal:
    """The journal of the state folder."""
    return FileJournal(state, SystemClock(), "ann", "here")


def start_rollout(state: Path, of: RolloutPlan, *stages: int) -> None:
    """Journal a rollout that entered these stages, as its command would."""
    told = journal(state)
    details = record.started("prod", "production", details_of(of), digest_of(of), "test")
    told.append(Event.ROLLOUT_STARTED, "r1", details)
    for stage in stages:
        told.append(Event.ROLLOUT_ENTERING, "r1", record.entering(of.stages[stage], "run"))
        told.append(Event.ROLLOUT_ENTERED, "r1", record.entered(of.stages[stage], "run"))


def test_the_whole_comparison(fleet: RunningNode, state: Path, capsys: Output) -> None:
    """Nobody treated: no data. Half of them five times as slow: harm, by the rollout's stage and by the share alone."""
    recall_for(fleet, 3)
    nobody = document(capsys, "abtest", "report", expect=4)["data"]
    assert (nobody["rollout"], nobody["judgement"]["verdict"]) == (None, "no-data")
    assert "no space was moved" in nobody["judgement"]["why"]

    start_rollout(state, plan(0.0, 0.5), 0)
    shadow = document(capsys, "abtest", "report", expect=4)["data"]
    assert (shadow["rollout"], shadow["judgement"]["stage"], shadow["units"]["treatment"]) == ("r1", "half-0%", 0)

    told = journal(state)
    told.append(Event.ROLLOUT_ENTERING, "r1", record.entering(plan(0.0, 0.5).stages[1], "run"))
    share(fleet, 0.5)
    told.append(Event.ROLLOUT_ENTERED, "r1", record.entered(plan(0.0, 0.5).stages[1], "run"))
    recall_for(fleet, 6)
    lines = (state / "journal.jsonl").read_bytes()
    found = document(capsys, "abtest", "report", expect=3)["data"]
    judged = found["judgement"]
    assert (judged["stage"], judged["verdict"]) == ("half-50%", "harm")
    assert not [why for why in judged["blocked"] if "assigned" in why]
    assert found["units"] == {"treatment": len(TREATED), "control": len(SPACES) - len(TREATED)}
    assert found["served"]["treated_spaces"] == len(TREATED)
    assert judged["guardrails"][0]["low"] > 0
    assert not judged["mismatch"]["blocks"]
    assert found["p99_ratio"]["value"] > 1
    assert (state / "journal.jsonl").read_bytes() == lines

    assert run(["abtest", "report"]) == 3
    text = capsys.readouterr().out
    for word in ("HARM", "latency", "slower", "arms", "recalls", "p99, treatment over control", "Units: "):
        assert word in text

    stage = plan(0.0, 0.5).stages[1]
    told.append(Event.ROLLOUT_ENDED, "r1", record.ended(stage, Standing.ABORTED, "done"))
    alone = document(capsys, "abtest", "report", expect=3)["data"]
    assert (alone["rollout"], alone["judgement"]["verdict"]) == (None, "harm")
    assert any("one look" in each for each in alone["judgement"]["told"])


def test_assign_computes_with_the_salt_of_the_rollout(fleet: RunningNode, state: Path, capsys: Output) -> None:
    """Its plan says when; the stage that was entered last says what is now; the node is not asked for it."""
    share(fleet, 0.0)
    start_rollout(state, plan(0.25, 0.5), 0, 1)
    data = document(capsys, "abtest", "assign", *SPACES)["data"]
    assert (data["salt"], data["source"], data["plan"]) == (SALT, "rollout r1", "small")
    for row in data["spaces"]:
        treated = in_treatment(row["space"], salt=SALT, share=0.5)
        assert row["group"] == ("treatment" if treated else "control")
        assert in_treatment(row["space"], salt=SALT, share=row["treated_from_percent"] / 100)
        assert not in_treatment(row["space"], salt=SALT, share=row["treated_from_percent"] / 100 - 0.0001)
        assert row["stage"] in ({"half-25%", "half-50%"} if treated else {None})


def test_assign_asks_the_nodes_where_no_rollout_runs(fleet: RunningNode, capsys: Output) -> None:
    """Their own share, salt and flag say the group; the built-in plan says when."""
    share(fleet, 0.5)
    data = document(capsys, "abtest", "assign", *SPACES)["data"]
    assert (data["salt"], data["source"], data["plan"]) == (SALT, "the nodes", "dual-memory")
    assert {row["space"] for row in data["spaces"] if row["group"] == "treatment"} == set(TREATED)
    assert fleet.admin("POST", "features", {"dual_memory.enabled": False}).status == 200
    off = document(capsys, "abtest", "assign", *SPACES)["data"]
    assert fleet.admin("POST", "features", {"dual_memory.enabled": True}).status == 200
    assert {row["group"] for row in off["spaces"]} == {"control"}


def test_assign_needs_no_target_with_a_salt(state: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names may come from stdin, each is told once, in its order; nothing is known of what nodes do now."""
    monkeypatch.setattr("sys.stdin", io.StringIO("beta\n\ngamma\nalpha\n"))
    data = document(capsys, "abtest", "assign", "alpha", "-", "--salt", "x")["data"]
    assert [row["space"] for row in data["spaces"]] == ["alpha", "beta", "gamma"]
    assert {row["group"] for row in data["spaces"]} == {None}
    assert data["spaces"][0]["stage"] == "gradual-50%"
    assert run(["abtest", "assign", "alpha", "--salt", "x"]) == 0
    assert "44.2093 %" in capsys.readouterr().out


def test_wrong_words_are_usage(state: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """No space, one that is no text, an empty list, no target."""
    monkeypatch.setattr("sys.stdin", io.StringIO("\n\n"))
    assert complaint(capsys, "abtest", "assign", "-", "--salt", "x", expect=2)["hint"]
    assert complaint(capsys, "abtest", "assign", "\udcff", "--salt", "x", expect=2)["message"]
    assert complaint(capsys, "abtest", "assign", expect=2)["message"]
    assert complaint(capsys, "abtest", "assign", "alpha", expect=2)["hint"]
    assert complaint(capsys, "abtest", "report", expect=2)["hint"]


def test_a_fleet_that_does_not_answer_is_unreachable(target: Path, capsys: Output) -> None:
    """And one that tells of no cells is not supported: neither is a verdict."""
    assert complaint(capsys, "abtest", "report", "--target", "gone", expect=10)["hint"]
    with Peer(lambda _: http("not here", "404 Not Found")) as old:
        (target / "gone.yml").write_text(json.dumps({"all": {"hosts": {"gone-1": {"engram_url": old.url}}}}))
        assert "by space" in complaint(capsys, "abtest", "report", "--target", "gone", expect=17)["message"]


def test_a_state_folder_that_takes_nothing_is_no_reason_to_say_nothing(
    fleet: RunningNode, state: Path, capsys: Output
) -> None:
    """What the nodes still have is judged, and it is said that nothing was kept."""
    state.mkdir(exist_ok=True)
    shutil.rmtree(state / "cells", ignore_errors=True)
    (state / "cells").write_text("a file where the folder should be")
    code = run(["abtest", "report"])
    told = capsys.readouterr()
    assert code in {0, 3, 4}
    assert "only what the nodes still have is judged" in told.err


def test_a_foreign_file_in_place_of_the_rows_is_damage(fleet: RunningNode, state: Path, capsys: Output) -> None:
    """It is named, and left as it is."""
    (state / "cells").mkdir(parents=True)
    (state / "cells" / "prod.sqlite").write_bytes(b"something else entirely " * 50)
    assert "prod.sqlite" in complaint(capsys, "abtest", "report", expect=12)["message"]
