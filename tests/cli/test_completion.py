"""Completion, by the shell itself: bash reads the script, and completes what a person typed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
TYPED = """
source <(runbook completion bash)
complete -p runbook
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_runbook_completion runbook
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(*words: str) -> list[str]:
    """What bash offers for the last of these words."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "--norc", "-c", TYPED, "bash", *words]
    done = subprocess.run(
        command, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=60, check=True, cwd="/"
    )
    registered, *offered = done.stdout.splitlines()
    assert registered.endswith("_runbook_completion runbook"), registered
    return offered


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("runbook", "high"), ["high-formation-rate"]),
        (("runbook", "audit", ""), ["set-aside", "show", "verify"]),
        (("runbook", "undo", "--fo"), ["--force"]),
        (("runbook", "completion", "z"), ["zsh"]),
        (("runbook", "nonsense"), [""]),
    ],
)
def test_bash_completes(words: tuple[str, ...], offered: list[str]) -> None:
    """Commands, commands of groups, options, choices; and nothing for what is none."""
    assert completed(*words) == offered
