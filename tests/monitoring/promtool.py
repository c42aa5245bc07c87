"""Prometheus' and Alertmanager's own tools, as tests use them."""

import shutil
import subprocess
from pathlib import Path

import pytest


def checked(program: str, *words: str | Path, good: bool = True) -> str:
    """What the program prints; the test fails where it does not end as it should."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed (make setup installs it as root)")
    done = subprocess.run([found, *map(str, words)], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode == 0) is good, done.stdout + done.stderr
    return done.stdout + done.stderr


def rules_of(folder: Path) -> list[Path]:
    """Its files of rules."""
    return sorted((folder / "rules").glob("*.yml"))


def proofs_of(folder: Path) -> list[Path]:
    """Its files of promtool's tests."""
    return sorted((folder / "rules" / "tests").glob("*.yml"))
