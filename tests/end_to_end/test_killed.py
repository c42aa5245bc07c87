"""kill -9 at every step of a real run: resume ends the orphans, looks at the nodes and finishes; undo puts all back."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from end_to_end_fleet import Command, kill

THRESHOLD = "dual_memory.coherence_threshold"
SAMPLE_RATE = "dual_memory.concept_sample_rate"
CLUSTER_SIZE = "dual_memory.min_cluster_size"
CURED = {THRESHOLD: 0.65, SAMPLE_RATE: 0.05, CLUSTER_SIZE: 5}
ACT = ("high-formation-rate", "--act", "--yes", "--window", "3s", "--watch", "15s")

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]
Wait = Callable[[Callable[[], bool], str], None]


def tuned(command: Command) -> dict[str, object]:
    """What the runbook tunes on the one node."""
    return {key: command.settings()["node-1"][key] for key in CURED}


def orphans(mark: str) -> list[int]:
    """Processes of a play, found by its mark, by this test's own means."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal() and f"RUNBOOK_PLAY={mark}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def await_event(
    command: Command, process: subprocess.Popen[str], known: int, event: str, step: int, wait_for: Wait
) -> None:
    """Wait until the journal has that event of that step behind its first `known` entries."""

    def journaled() -> bool:
        if process.poll() is not None:
            pytest.fail(f"it ended with {process.returncode} before {event} {step}: {process.communicate()}")
        news = command.journal()[known:]
        return any(entry["event"] == event and entry["details"].get("step") == step for entry in news)

    wait_for(journaled, f"{event} of step {step}")


def present(command: Command, wait_for: Wait) -> None:
    """Wait until the flood forms concepts again: the test before has put the low threshold back just now."""

    def found() -> bool:
        return command.run("high-formation-rate", "--window", "2s").returncode == 3

    wait_for(found, "the incident is present again")


def killed_after(command: Command, event: str, step: int, wait_for: Wait) -> str:
    """Start to act, and kill the command once the journal has that event of that step; the run's id."""
    present(command, wait_for)
    known = len(command.journal())
    process = command.start(*ACT)

    await_event(command, process, known, event, step, wait_for)
    kill(process)
    return str(command.journal()[known]["run"])


@pytest.mark.parametrize("step", [1, 2, 3])
def test_killed_in_the_middle_of_a_play_then_resumed(sick: Command, wait_for: Wait, step: int) -> None:
    """The play's processes live on without their parent; resume ends them and brings the run to its end."""
    before = tuned(sick)
    run = killed_after(sick, "step.intent", step, wait_for)
    document = sick.json("resume", run)
    assert document["data"]["run"]["status"] == "recovered"
    assert orphans(f"{run}.{step}") == []
    assert tuned(sick) == CURED
    sick("resume", run)  # there is nothing left to resume, which is said and is no error

    sick("undo", run, "--yes")
    assert tuned(sick) == before
    sick("audit", "verify")


@pytest.mark.parametrize(("event", "step"), [("step.intent", 2), ("step.outcome", 1), ("step.outcome", 2)])
def test_killed_then_undone_at_once(sick: Command, wait_for: Wait, event: str, step: int) -> None:
    """What took effect until the kill is undone, and no more; a second undo finds nothing left to do."""
    before = tuned(sick)
    run = killed_after(sick, event, step, wait_for)
    sick("undo", run, "--yes")
    assert orphans(f"{run}.{step}") == []
    assert tuned(sick) == before
    sick("undo", run, "--yes")
    sick("audit", "verify")


def test_a_killed_undo_is_resumed(sick: Command, wait_for: Wait) -> None:
    """An undo is a run like any other."""
    present(sick, wait_for)
    before = tuned(sick)
    run = sick.json(*ACT)["data"]["run"]["id"]
    known = len(sick.journal())
    process = sick.start("undo", run, "--yes")
    await_event(sick, process, known, "step.intent", 1, wait_for)
    kill(process)
    undoing = str(sick.journal()[known]["run"])
    assert sick.json("resume", undoing)["data"]["run"]["status"] == "done"
    assert tuned(sick) == before


def test_ctrl_c_says_how_to_go_on(sick: Command, wait_for: Wait) -> None:
    """Exit 130, the command to resume, no process of the play left; SIGTERM is the same with 143."""
    before = tuned(sick)
    for number, code in ((2, 130), (15, 143)):
        present(sick, wait_for)
        known = len(sick.journal())
        process = sick.start(*ACT)
        await_event(sick, process, known, "step.intent", 1, wait_for)
        os.kill(process.pid, number)
        _, talk = process.communicate(timeout=60)
        run = str(sick.journal()[known]["run"])
        assert process.returncode == code, talk
        assert f"runbook resume {run}" in talk
        assert orphans(f"{run}.1") == []
        sick("resume", run)
        sick("undo", run, "--yes")
        assert tuned(sick) == before


def test_two_at_once(sick: Command, wait_for: Wait) -> None:
    """While one run changes nodes, a second one is refused with the holder's name, and leaves no trace."""
    present(sick, wait_for)
    before = tuned(sick)
    known = len(sick.journal())
    first = sick.start(*ACT)
    await_event(sick, first, known, "step.intent", 1, wait_for)
    run = str(sick.journal()[known]["run"])
    refused = sick("resume", run, expect=11)
    assert run in refused.stderr
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert {entry["run"] for entry in sick.journal()[known:]} == {run}
    sick("undo", run, "--yes")
    assert tuned(sick) == before
