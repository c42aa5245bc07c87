"""kill -9 at every step of a real run: resume ends the orphans, looks at the nodes and finishes; undo puts all back."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest
from end_to_end_fleet import Command, kill, orphans

THRESHOLD = "dual_memory.coherence_threshold"
SAMPLE_RATE = "dual_memory.concept_sample_rate"
CLUSTER_SIZE = "dual_memory.min_cluster_size"
CURED = {THRESHOLD: 0.65, SAMPLE_RATE: 0.05, CLUSTER_SIZE: 5}
ACT = ("high-formation-rate", "--act", "--yes", "--window", "3s")
BRIEF = "10s"
"""Long enough to be a watch, and too short to be sure of what it tells: on a busy machine memory goes up and down."""
WATCHED = {0, 3, 4}
"""The run came to its end, whatever so brief a watch saw."""
EVERY = os.environ.get("FAULTS") == "all"
"""In the middle of every step (`make faults`), or of one: the engine's own tests cut a run off at every call."""
MOMENTS = [("step.outcome", 1), ("step.outcome", 2), ("step.intent", 2)]
LEFT = [(signal.SIGINT, 130, "resume"), (signal.SIGTERM, 143, "undo")]
"""How an act is left; a resume is left by Ctrl-C each time."""

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]
Wait = Callable[[Callable[[], bool], str], None]


def tuned(command: Command) -> dict[str, object]:
    """What the runbook tunes on the one node."""
    known = command.settings()["node-1"]
    return {key: known[key] for key in CURED}


def journaled(command: Command, known: int, event: str, step: int) -> bool:
    """Does the journal have that event of that step behind its first `known` entries?"""
    news = command.journal()[known:]
    return any(entry["event"] == event and entry["details"].get("step") == step for entry in news)


def acting(command: Command, event: str, step: int, watch: str = BRIEF) -> tuple[subprocess.Popen[str], str]:
    """Start to act, until the journal has that event of that step; the process, and the run's id.

    The test before may have put the low threshold back just now, and a busy machine may show too little of the
    incident in a short window: a run that finds nothing wrong has changed nothing, and another one is started.
    """
    known = len(command.journal())
    until = time.monotonic() + 60
    process = command.start(*ACT, "--watch", watch)
    while not journaled(command, known, event, step):
        if process.poll() is not None:
            told = process.communicate()
            nothing = process.returncode == 0 and len(command.journal()) == known
            assert nothing, f"it ended with {process.returncode} before {event} {step}: {told}"
            process = command.start(*ACT, "--watch", watch)
        assert time.monotonic() < until, f"{event} of step {step}"
        time.sleep(0.01)
    return process, str(command.journal()[known]["run"])


def killed_after(command: Command, event: str, step: int, watch: str = BRIEF) -> str:
    """Start to act, and kill the command once the journal has that event of that step; the run's id."""
    process, run = acting(command, event, step, watch)
    kill(process)
    return run


def leave(process: subprocess.Popen[str], run: str, step: int, number: int, code: int) -> None:
    """Send that signal in the middle of a step: it ends with that code, says how to go on, and leaves no process."""
    process.send_signal(number)
    _, talk = process.communicate(timeout=60)
    assert process.returncode == code, talk
    assert f"runbook resume {run}" in talk
    assert orphans(f"{run}.{step}") == []


@pytest.mark.parametrize("step", [1, 2, 3] if EVERY else [2])
def test_killed_in_the_middle_of_a_play_then_resumed(sick: Command, wait_for: Wait, step: int) -> None:
    """The play's processes live on without their parent; resume ends them and brings the run to its end.

    A resume may be left by Ctrl-C, and be resumed.
    """
    before = tuned(sick)
    run = killed_after(sick, "step.intent", step, "60s")
    if step < len(CURED):
        known = len(sick.journal())
        process = sick.start("resume", run)
        wait_for(lambda: journaled(sick, known, "step.intent", step + 1), "it goes on")
        assert orphans(f"{run}.{step}") == []
        leave(process, run, step + 1, signal.SIGINT, 130)
    document = sick.json("resume", run)
    assert document["data"]["run"]["status"] == "recovered"
    assert orphans(f"{run}.{step}") == []
    assert tuned(sick) == CURED
    sick("resume", run)  # there is nothing left to resume, which is said and is no error

    sick("undo", run, "--yes")
    assert tuned(sick) == before
    sick("audit", "verify")


@pytest.mark.parametrize(("event", "step"), MOMENTS)
def test_killed_then_undone_at_once(sick: Command, event: str, step: int) -> None:
    """What took effect until the kill is undone, and no more; a second undo finds nothing left to do."""
    before = tuned(sick)
    run = killed_after(sick, event, step)
    sick("undo", run, "--yes")
    assert orphans(f"{run}.{step}") == []
    assert tuned(sick) == before
    sick("undo", run, "--yes")
    sick("audit", "verify")


@pytest.mark.parametrize(("number", "code", "after"), LEFT)
def test_ctrl_c_says_how_to_go_on(sick: Command, number: int, code: int, after: str) -> None:
    """Exit 130, the command to resume, no process of the play left; SIGTERM is the same with 143. Undo goes too."""
    before = tuned(sick)
    process, run = acting(sick, "step.intent", 1)
    leave(process, run, 1, number, code)
    if after == "resume":
        assert sick.run("resume", run).returncode in WATCHED
        assert tuned(sick) == CURED
    sick("undo", run, "--yes")
    assert tuned(sick) == before


def test_two_at_once_and_a_killed_undo(sick: Command, wait_for: Wait) -> None:
    """While one run changes nodes, a second one is refused with the holder's name, and leaves no trace.

    Its undo is a run like any other: what is killed of it is resumed.
    """
    before = tuned(sick)
    known = len(sick.journal())
    first, run = acting(sick, "step.intent", 1)
    refused = sick("resume", run, expect=11)
    assert run in refused.stderr
    told = first.communicate(timeout=90)
    assert first.returncode in WATCHED, told
    assert {entry["run"] for entry in sick.journal()[known:]} == {run}
    assert tuned(sick) == CURED

    known = len(sick.journal())
    process = sick.start("undo", run, "--yes")
    wait_for(lambda: journaled(sick, known, "step.intent", 1), "the undo has begun")
    kill(process)
    undoing = str(sick.journal()[known]["run"])
    refused = sick(*ACT, expect=13)  # nothing new beside a run that stands half done
    assert f"runbook resume {undoing}" in refused.stderr
    assert sick.json("resume", undoing)["data"]["run"]["status"] == "done"
    assert tuned(sick) == before
