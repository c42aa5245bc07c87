"""The examples of README and tutorial are run, in order, by one shell on one fleet, and print what the documents show.

The tutorial is run as a whole. Every command of the README is one of the tutorial, in the same order, so that its
output is compared with the same run.
"""

import getpass
import os
from pathlib import Path

import pytest
from console import Outcome, examples_of, missing, run_all

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("documents"),
]

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = examples_of(ROOT / "docs" / "tutorial.md")
README = examples_of(ROOT / "README.md")
JARGON = Path("/usr/share/dictd/jargon.dict.dz")
PATIENCE_SECONDS = 360


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """The whole tutorial, run in a home of its own."""
    if not JARGON.exists() and not os.environ.get("CI"):
        pytest.skip("dict-jargon is not installed")
    home, out = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("out")
    return run_all(TUTORIAL, home, out, PATIENCE_SECONDS)


def test_every_command_of_the_tutorial_ends_with_the_exit_code_shown(session: list[Outcome]) -> None:
    """And all of them were run."""
    last = session[-1]
    assert last.exit_code == last.example.exit_code, "\n".join([str(last.example), *last.printed, last.talk])
    assert len(session) == len(TUTORIAL)


def test_the_tutorial_shows_what_its_commands_print(session: list[Outcome]) -> None:
    """Line by line, but for numbers, ids, paths and people, and for what it says that it leaves out."""
    who = getpass.getuser()
    wrong = {str(each.example): missing(each.example.shown, each.printed, who) for each in session}
    assert {command: why for command, why in wrong.items() if why} == {}


def test_the_readme_shows_what_the_same_commands_print(session: list[Outcome]) -> None:
    """Its commands are a part of the tutorial's, in the same order and with the same exit codes."""
    who = getpass.getuser()
    left = iter(session)
    for example in README:
        outcome = next((each for each in left if each.example.command == example.command), None)
        assert outcome is not None, f"not in the tutorial, or not in this order: {example.command}"
        assert outcome.exit_code == example.exit_code, str(example)
        assert missing(example.shown, outcome.printed, who) == "", str(example)
