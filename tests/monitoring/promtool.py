"""Prometheus' and Alertmanager's own tools, as tests use them."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml


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


def cut(file: Path, name: str, *, until: str = "") -> Path:
    """The file of tests with that test alone, and with `until` with no more than its alerts at that moment."""
    document: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    (test,) = (each for each in document["tests"] if each["name"] == name)
    if until:
        told = [each for each in test["alert_rule_test"] if each["eval_time"] == until]
        assert told
        test |= {"alert_rule_test": told, "promql_expr_test": []}
    document["tests"] = [test]
    made = file.with_stem(f"{file.stem}_cut")
    made.write_text(json.dumps(document), "utf-8")  # JSON is YAML
    return made


def proofs_of(folder: Path) -> list[Path]:
    """Its files of promtool's tests."""
    return sorted((folder / "rules" / "tests").glob("*.yml"))
