"""The walk in the rollout guide is walked, on a fleet of its own, and prints what the guide shows."""

import getpass
from pathlib import Path

import pytest
from console import examples_of, missing, run_all

GUIDE = examples_of(Path(__file__).resolve().parents[2] / "docs" / "operations" / "dual_memory_rollout.md")


@pytest.mark.end_to_end
@pytest.mark.slow
@pytest.mark.timeout(200)
def test_the_walk_ends_and_prints_as_it_is_shown(tmp_path: Path) -> None:
    """Start, status, a refusal, a note, back, and the evidence of it; each with its exit code."""
    (tmp_path / "out").mkdir()
    session = run_all(GUIDE, tmp_path, tmp_path / "out", 180)
    last = session[-1]
    assert last.exit_code == last.example.exit_code, "\n".join([str(last.example), *last.printed, last.talk])
    assert len(session) == len(GUIDE) >= 8
    who = getpass.getuser()
    wrong = {str(each.example): missing(each.example.shown, each.printed, who) for each in session}
    assert {command: why for command, why in wrong.items() if why} == {}
