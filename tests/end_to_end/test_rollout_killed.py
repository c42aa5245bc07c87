"""A real rollout by real commands: killed in the middle of a play, watched twice, aborted; a node that ignores."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from end_to_end_fleet import Command, kill, orphans

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]
RATE, BLENDED = "dual_memory.treatment_rate", "dual_memory.use_blended_recall"
Wait = Callable[[Callable[[], bool], str], None]
PLAN = """\
version: 1
name: brief
title: Two phases without a pause
bucket: 2s
check_every: 1s
approve_plan: false
phases:
  - name: shadow
    title: Nobody sees it
    flags: {dual_memory.enabled: true, dual_memory.enable_concepts: true, dual_memory.use_blended_recall: false}
  - name: ramp
    title: Some, and more
    flags: {dual_memory.enabled: true, dual_memory.enable_concepts: true, dual_memory.use_blended_recall: true}
    settings: {dual_memory.semantic_weight: 0.1}
    shares: [0.25, 0.5]
    tripwire: {errors: 0.01, latency_ratio: 2, window: 10s, fewest: 100}
"""


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """One node without traffic; every test begins a rollout of its own there."""
    command = Command(tmp_path_factory.mktemp("state"))
    (command.state / "brief.yml").write_text(PLAN)
    try:
        command("sandbox", "up", "--nodes", "1", "--episodes", "30")
        yield command
    finally:
        command("sandbox", "down")


@pytest.fixture
def begun(fleet: Command) -> Iterator[Command]:
    """A rollout in its first stage; taken back afterwards, if the test has not."""
    fleet("rollout", "start", "--plan", "brief.yml")
    yield fleet
    if standing(fleet) != "aborted":
        fleet("rollout", "abort", "--yes", "--reason", "the test is over")


def standing(command: Command) -> str:
    """Where the newest rollout stands, by the journal."""
    ended = [each for each in command.journal() if each["event"] == "rollout.ended"]
    begun = [each for each in command.journal() if each["event"] == "rollout.started"]
    return str(ended[-1]["details"]["standing"]) if ended and ended[-1]["run"] == begun[-1]["run"] else "going"


def values(command: Command) -> tuple[Any, Any]:
    """The node's share, and whether recall is blended."""
    known = command.settings()["node-1"]
    return known[RATE], known[BLENDED]


def in_the_middle(command: Command, wait_for: Wait, key: str) -> str:
    """Advance, and kill it once the play that sets that key has begun; the run's id."""
    known = len(command.journal())
    process = command.start("rollout", "advance", "--yes")

    def began() -> bool:
        assert process.poll() is None, process.communicate()
        news = command.journal()[known:]
        return any(each["event"] == "step.intent" and each["details"]["changes"][0]["key"] == key for each in news)

    wait_for(began, f"the play that sets {key}")
    kill(process)
    return str(
        next(each["details"]["run"] for each in command.journal()[known:] if each["event"] == "rollout.entering")
    )


def test_an_advance_that_is_killed_in_a_play_is_gone_on_with_or_taken_back_for_good(
    begun: Command, wait_for: Wait
) -> None:
    """The orphaned play is ended; the stage is entered once. Taken back, resuming its run brings nothing on again."""
    run = in_the_middle(begun, wait_for, BLENDED)
    begun("config", "set", "min_cluster_size", "4", "--yes", expect=13)  # nothing else begins meanwhile
    assert begun.json("rollout", "advance", "--yes")["data"]["rollout"]["standing"] == "running"
    assert orphans(run) == []
    assert values(begun) == (0.25, True)

    run = in_the_middle(begun, wait_for, RATE)
    begun("rollout", "abort", "--yes", "--reason", "killed")
    assert orphans(run) == []
    assert values(begun) == (0.0, False)
    begun("resume", run)
    assert values(begun) == (0.0, False)
    begun("rollout", "advance", "--yes", expect=13)
    begun("audit", "verify")


def test_a_node_that_ignores_is_found_and_the_watcher_is_alone_and_notices_an_abort(
    begun: Command, wait_for: Wait
) -> None:
    """14, put back, held; let go it goes on. A second watcher is 11, SIGTERM is 143, an abort beside it ends it: 3."""
    before = values(begun)
    begun("sandbox", "inject", "ignore-config", "--no-wait")
    begun("rollout", "advance", "--yes", expect=14)
    begun("sandbox", "clear")
    assert values(begun) == before
    begun("rollout", "advance", "--yes", expect=13)
    begun("rollout", "resume", "--yes", "--reason", "the node is well")
    begun("rollout", "advance", "--yes")
    assert values(begun) == (0.25, True)

    lock = begun.state / "locks" / "watch-sandbox.lock"
    first = begun.start("rollout", "watch")
    wait_for(lock.exists, "the watcher")
    begun("rollout", "watch", "--once", expect=11)
    os.kill(first.pid, signal.SIGTERM)
    _, talk = first.communicate(timeout=60)
    assert (first.returncode, "runbook rollout watch" in talk) == (143, True)
    second = begun.start("rollout", "watch")
    wait_for(lock.exists, "the second watcher")
    begun("rollout", "abort", "--yes", "--reason", "enough")
    second.communicate(timeout=60)
    assert second.returncode == 3
    assert values(begun) == (0.0, False)
    assert standing(begun) == "aborted"


def test_a_plan_file_that_is_none_starts_nothing(fleet: Command, tmp_path: Path) -> None:
    """12 with the line; the journal has no word of it."""
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(PLAN.replace("shares: [0.25, 0.5]", "shares: [0.25, 1.5]"))
    known = len(fleet.journal())
    done = fleet("rollout", "start", "--plan", str(wrong), expect=12)
    assert "line 15" in done.stderr
    assert len(fleet.journal()) == known
