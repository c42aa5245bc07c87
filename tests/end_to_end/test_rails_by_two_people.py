"""A target with rails, for real: refused with the numbers, made smaller, approved by a second person, carried out."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from end_to_end_fleet import Command

ACT = ("high-formation-rate", "--target", "prod", "--act", "--yes", "--window", "5s", "--watch", "10s")
SMALL = (*ACT, "--reason", "page 4711", "--node", "node-1", "--max-risk", "low")
SAID = ("--target", "prod", "--yes", "--reason", "x")
WAITING = "waiting for approval"

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]


def configure(command: Command, **rails: str | int) -> None:
    """The sandbox's nodes as a production target with those rails."""
    said = "".join(f"{key} = {json.dumps(value)}\n" for key, value in rails.items())
    (command.state / "runbook.toml").write_text(
        f'version = 1\n[targets.prod]\nenvironment = "production"\ninventory = "sandbox/inventory.yml"\n'
        f"[targets.prod.rails]\n{said}"
    )


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Two nodes; a baseline is not needed."""
    command = Command(tmp_path_factory.mktemp("state"))
    try:
        command("sandbox", "up", "--nodes", "2", "--episodes", "60", "--traffic", "10")
        yield command
    finally:
        command("sandbox", "down")


def by(who: str) -> dict[str, dict[str, str]]:
    """Typed by that person, through sudo."""
    return {"environment": {"SUDO_USER": who}}


def refused(fleet: Command, *words: str, who: str = "anna") -> dict[str, Any]:
    """The error of a command that ends with 13."""
    told = fleet(*words, "--json", expect=13, **by(who))
    found: dict[str, Any] = json.loads(told.stderr.strip().splitlines()[-1])["error"]
    return found


def asked(fleet: Command) -> str:
    """A run that anna asked for and that waits: asked again while the flood may look over on that node."""
    for _ in range(6):
        done = fleet.run(*SMALL, "--json", **by("anna"))
        if done.returncode == 13:
            error: dict[str, Any] = json.loads(done.stderr.strip().splitlines()[-1])["error"]
            assert WAITING in error["message"]
            return str(error["run"])
    pytest.fail(f"it never waited: exit {done.returncode}\n{done.stdout}\n{done.stderr}")


def test_refused_before_anything_is_touched(fleet: Command) -> None:
    """Without a reason, on too many nodes, with too high a risk; each says the numbers and the way out."""
    configure(fleet, max_hosts_per_run=1, allowed_risk="low")
    before, entries = fleet.settings(), len(fleet.journal())
    assert "--reason" in refused(fleet, *ACT)["hint"]
    assert "--reason" in refused(fleet, "flags", "set", "enable_concepts=false", "--target", "prod", "--yes")["hint"]
    assert fleet.settings() == before
    assert len(fleet.journal()) == entries
    fleet(*ACT, "--reason", "x", "--node", "node-7", expect=2)
    many = refused(fleet, "config", "set", "concept_sample_rate=0.07", *SAID)
    assert "2 nodes > max_hosts_per_run 1 of prod" in many["message"]
    high = refused(
        fleet,
        *("flags", "set", "enable_concepts=false", "--target", "prod", "--yes", "--reason", "x", "--node", "node-1"),
    )
    assert "disruptive > allowed_risk low of prod" in high["message"]
    assert fleet.settings() == before
    assert len(fleet.journal()) == entries


def test_a_second_person(fleet: Command) -> None:
    """Asked for, refused to whoever asked, approved by another, carried out by a third, undone; all of it journaled."""
    fleet("sandbox", "inject", "high-formation", "--node", "node-1")
    configure(fleet, max_hosts_per_run=1, require_approval="low", max_steps_per_hour=3)
    before = fleet.settings()
    run = asked(fleet)
    assert asked(fleet) == run, "the same question is asked once"
    assert WAITING in fleet("runs").stdout
    assert refused(fleet, "approve", run, "--yes")["message"].startswith("anna asked for run")
    assert WAITING in refused(fleet, "resume", run, who="bert")["message"]
    assert "--yes" in refused(fleet, "approve", run, who="bert")["hint"], "nobody can be asked here"
    assert fleet.settings() == before

    shown = fleet("approve", run, "--yes", "--reason", "looks right", **by("bert")).stdout
    assert "asked for by anna" in shown
    assert "node-1: dual_memory.coherence_threshold  0.3 -> 0.65" in shown
    assert "approved by bert" in fleet("runs").stdout
    told = fleet.run("high-formation-rate", "--window", "1s", "--target", "prod", "--json").stdout
    assert json.loads(told)["data"]["open_runs"] == [], "a run that waits stands in nobody's way"

    done = fleet.run("resume", run, **by("cleo"))
    assert done.returncode in {0, 3, 4}, done.stderr
    assert "asked by anna, approved by bert" in fleet("runs").stdout
    after = fleet.settings()
    assert after["node-2"] == before["node-2"]
    assert after["node-1"]["dual_memory.coherence_threshold"] == 0.65
    events = [(entry["event"], entry["who"]) for entry in fleet.journal() if entry["run"] == run]
    assert events[:4] == [
        ("approval.asked", "anna"),
        ("approval.given", "bert"),
        ("run.started", "cleo"),
        ("step.intent", "cleo"),
    ]

    steps = sum(event == "step.intent" for event, _ in events)
    again = refused(
        fleet, "config", "set", "concept_sample_rate=0.07", "concept_cache_size=7", *SAID, "--node", "node-2"
    )
    assert f"{steps} steps in the last hour + 2 of this run = {steps + 2} > max_steps_per_hour 3" in again["message"]
    fleet("undo", run, "--yes")
    assert fleet.settings() == before, "an undo has no rails, and asks for no reason"
    fleet("sandbox", "clear")
    fleet("audit", "verify")


def test_withdrawn_and_expired(fleet: Command, wait_for: Callable[[Callable[[], bool], str], None]) -> None:
    """Neither is approved any more, nor begun."""
    configure(fleet, require_approval="low")
    words = ("config", "set", "concept_sample_rate=0.07", *SAID)
    before = fleet.settings()
    run = refused(fleet, *words)["run"]
    assert "withdrawn" in fleet("undo", run).stdout
    assert "withdrawn" in refused(fleet, "approve", run, "--yes", who="bert")["message"]
    assert "nothing to resume" in fleet("resume", run).stdout

    configure(fleet, require_approval="low", approval_expires="1s")
    run = refused(fleet, *words)["run"]
    wait_for(lambda: "nobody approved it in time" in fleet("runs", "--last").stdout, "it never expired")
    assert "in time" in refused(fleet, "approve", run, "--yes", who="bert")["message"]
    assert fleet.settings() == before
    told = fleet("doctor", "--target", "prod").stdout
    assert "1 nodes" not in told
    assert "a second person from risk low on, within 1 second" in told


def test_no_rail_holds_up_the_brake(fleet: Command) -> None:
    """Every node, without a reason, under rails that let nothing else begin; after it the target rests."""
    configure(fleet, max_hosts_per_run=1, max_steps_per_hour=1, allowed_risk="low", require_approval="low")
    before = fleet.settings()
    fleet("rollback", "features", "--target", "prod", "--yes", **by("anna"))
    assert all(not known["dual_memory.enable_concepts"] for known in fleet.settings().values())
    brake = fleet("runs", "--last", "--id").stdout.strip()

    configure(fleet)
    words = ("config", "set", "concept_sample_rate=0.07", *SAID)
    rests = refused(fleet, *words)
    assert f"rollback {brake} was" in rests["message"]
    assert "cool_down 30 minutes" in rests["message"]
    fleet("approve", rests["run"], "--yes", **by("bert"))
    fleet("resume", rests["run"])
    assert {known["dual_memory.concept_sample_rate"] for known in fleet.settings().values()} == {0.07}

    configure(fleet, max_hosts_per_run=1, max_steps_per_hour=1, allowed_risk="low", require_approval="low")
    fleet("undo", brake, "--yes")
    after = {node: known | {"dual_memory.concept_sample_rate": 0.07} for node, known in before.items()}
    assert fleet.settings() == after


def test_a_token_file_that_is_not_there_is_said_once(fleet: Command) -> None:
    """Not once for each node, as if each were silent."""
    inventory = json.loads((fleet.state / "sandbox" / "inventory.yml").read_text())
    for host in inventory["all"]["hosts"].values():
        del host["engram_token_file"]
    (fleet.state / "bare.yml").write_text(json.dumps(inventory))
    (fleet.state / "runbook.toml").write_text(
        'version = 1\n[targets.prod]\nenvironment = "x"\ninventory = "bare.yml"\ntoken_file = "gone.token"\n'
    )
    error = refused(fleet, "high-formation-rate", "--target", "prod")
    assert str(fleet.state / "gone.token") in error["message"]
    assert "chmod 600" in error["hint"]
