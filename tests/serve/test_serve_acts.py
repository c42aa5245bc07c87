"""A real node that is not well, and an alert that may act: what happens by itself, once, and what does not."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from running_node import RunningNode, StartNode, wait_until
from serving import Serving, configured, firing, inventory_of, payload, serving

from runbook.errors import ExitCode

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow, pytest.mark.timeout(300)]

WEIGHT = "dual_memory.semantic_weight"
KEPT = "mean(engram_recall_confidence{group=treatment})"
AUTOMATIC = '[targets.prod.automatic]\nissues = ["poor-recall-quality"]\ncool_down = "0s"'
POOR = firing("PoorRecallQuality", engram_target="prod")


@pytest.fixture
def _no_run_is_left(tmp_path: Path) -> Iterator[None]:
    """A run outlives the server that was killed: it is ended here, by its own id."""
    yield
    for pid in runs_of(tmp_path / "state"):
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not runs_of(tmp_path / "state"), "the run did not end")


@pytest.fixture
def recalled(start_node: StartNode) -> Iterator[RunningNode]:
    """A node whose concepts outvote the episodes, and who is asked a few times a second."""
    node = start_node(consolidation_seconds=5)
    for number in range(12):
        node.remember(f"the lighthouse number {number % 3} was painted again")
    node.admin("PATCH", "config", {WEIGHT: 0.9, "dual_memory.treatment_rate": 1.0})
    flags = ("enabled", "enable_concepts", "use_blended_recall")
    node.admin("POST", "features", {f"dual_memory.{flag}": True for flag in flags})
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.2):
            node.recall("lighthouse")

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield node
    finally:
        over.set()
        asking.join()


def begun_well(state: Path) -> None:
    """A baseline of when its recalls were far better: what is kept says so."""
    folder = state / "baselines"
    folder.mkdir(parents=True, mode=0o700)
    document = {
        "version": 1,
        "kind": "baseline",
        "target": "prod",
        "captured_at": "2026-11-22T22:15:29Z",
        "window_seconds": 10.0,
        "nodes": {"node-1": {"quantities": {KEPT: 5.0}, "settings": {WEIGHT: 0.3}}},
    }
    (folder / "prod.json").write_text(json.dumps(document))


def acted(served: Serving, state: str) -> list[dict[str, object]]:
    """Entries of what happened by itself, of that state."""
    return [each for each in served.details("alert.acted") if each["state"] == state]


def runs_of(state: Path) -> list[int]:
    """The processes that act on that state folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"--act" in (place / "cmdline").read_bytes() and os.fsencode(state) in (place / "environ").read_bytes():
                found.append(int(place.name))
    return found


@pytest.mark.usefixtures("_no_run_is_left")
def test_an_alert_acts_once_where_it_may(recalled: RunningNode, tmp_path: Path) -> None:
    """Not before the configuration allows it; then once, with the rails of the command; not again after a kill -9."""
    inventory = inventory_of(tmp_path, recalled.url, recalled.token_file)
    config = configured(tmp_path / "config", inventory, serve='settle = "0s"')
    begun_well(tmp_path / "state")
    with serving(tmp_path, config) as first:
        wait_until(lambda: first.send(payload()).status == 200, "the webhook did not get ready")
        assert first.send(payload(firing("PoorRecallQuality", begin="1"))).json == {"taken": 1}
        found = wait_until(lambda: first.details("alert.diagnosed"), "it was not diagnosed", 90)
        assert found[0]["answers"]["poor-recall-quality"] == "YES", found
        assert first.details("alert.acted") == []
        configured(tmp_path / "config", inventory, serve='settle = "0s"', automatic=AUTOMATIC)
        assert first.send(payload(POOR, firing("Unknown"))).json == {"taken": 2}
        wait_until(lambda: first.journal("step.outcome"), "nothing was changed", 120)
        first.kill()
    (intended,) = acted(first, "intended")
    (started,) = first.journal("run.started")
    reason = f"alert PoorRecallQuality (c3b8e9a1d2f40576), diagnosis {intended['diagnosis']}"
    assert started["details"]["plan"]["reason"] == reason
    assert recalled.admin("GET", "config").json[WEIGHT] == 0.3
    assert len(runs_of(first.state)) == 1
    with serving(tmp_path, config) as second:
        (cut_off,) = wait_until(lambda: acted(second, "cut off"), "nobody missed the end")
        assert (cut_off["diagnosis"], cut_off["run"]) == (intended["diagnosis"], started["run"])
        wait_until(lambda: second.send(payload(POOR)).status == 200, "the webhook did not get ready")
        assert second.send(payload(POOR)).json == {"taken": 0}
        assert second.stop() == ExitCode.TERMINATED
    assert len(second.journal("run.started")) == 1
    assert len(acted(second, "intended")) == 1
