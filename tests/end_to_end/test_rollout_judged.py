"""A rollout that makes one group worse: the judge finds it, it is taken back, and the evidence proves it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from end_to_end_fleet import Command

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow, pytest.mark.timeout(240)]
PLAN = """\
version: 1
name: brief
title: One half, after a moment of nothing
bucket: 2s
check_every: 2s
approve_plan: false
salt: brief-1
phases:
  - name: shadow
    title: Nobody sees it
    flags: {dual_memory.enabled: true, dual_memory.enable_concepts: true, dual_memory.use_blended_recall: false}
    shares: [0]
    minimum: 12s
    advance: by itself
  - name: half
    title: Every second space
    flags: {dual_memory.enabled: true, dual_memory.enable_concepts: true, dual_memory.use_blended_recall: true}
    shares: [0.5]
    hold: 60s
    judging:
      look_every: 10s
      guardrails: [{metric: latency, margin: 0.1}, {metric: errors, margin: 0.02}]
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Command]:
    """Forty spaces on two nodes, with traffic."""
    command = Command(tmp_path)
    (command.state / "brief.yml").write_text(PLAN)
    try:
        command("sandbox", "up", "--nodes", "2", "--episodes", "200", "--spaces", "20", "--traffic", "60")
        yield command
    finally:
        command("sandbox", "down")


def test_harm_that_is_injected_is_judged_taken_back_and_proven_from_the_evidence(fleet: Command) -> None:
    """Twice as slow: no trigger and no tripwire is asked here, so it is the judge who finds it."""
    fleet("rollout", "start", "--plan", "brief.yml", "--yes")
    fleet("sandbox", "inject", "latency", "--group", "treatment", "--percent", "100")
    fleet("rollout", "watch", "--until", "verdict", "--timeout", "100s", expect=3)
    journal = fleet.journal()
    reverting = next(each["details"] for each in journal if each["event"] == "rollout.reverting")
    assert (reverting["by"], reverting["ends_as"]) == ("judge", "rolled back")
    for settings in fleet.settings().values():
        assert settings["dual_memory.treatment_rate"] == 0.0
        assert settings["dual_memory.use_blended_recall"] is False

    written = [each["details"] for each in journal if each["event"] == "evidence.written"]
    assert [each["why"].partition(":")[0] for each in written] == ["the end of shadow", "taken back"]
    bundle = Path(written[-1]["folder"])
    proven = fleet.json("evidence", "verify", "--journal", str(bundle))["data"]["proven"]
    looks = [each for each in journal if each["event"] == "rollout.judged"]
    assert len(proven["looks"]) == len(looks) >= 1
    assert (proven["looks"][-1]["journaled"], proven["looks"][-1]["found"]) == ("harm", "harm")
    assert all(each["differs"] is None for each in proven["looks"])
    cells = bundle / "cells.jsonl"
    cells.write_bytes(cells.read_bytes().replace(b'"group":"treatment"', b'"group":"control"', 1))
    fleet("evidence", "verify", str(bundle), expect=12)
